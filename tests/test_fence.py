"""Names that lead out of the data set's folder."""

import pytest

from cunet_tf.data.fence import Fence
from cunet_tf.errors import CUNetError


@pytest.fixture
def root(tmp_path):
    """``mine/`` is a link to the real folder; in it lie links that stay in it and one of each kind that does not."""
    real = tmp_path / "disk" / "real"
    (real / "images" / "deep").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    for file in (real / "images" / "a.png", tmp_path / "other" / "b.png", tmp_path / "disk" / "really.png"):
        file.touch()
    (tmp_path / "mine").symlink_to(real)
    (real / "again").symlink_to(real / "images")
    (real / "link.png").symlink_to(real / "images" / "a.png")
    (real / "out.png").symlink_to(tmp_path / "other" / "b.png")
    (real / "folder").symlink_to(tmp_path / "other")
    return tmp_path / "mine"


INSIDE = ("images/a.png", "again/a.png", "link.png", "images/../link.png", "images/none.png", "none/at/all.png")
OUTSIDE = ("../other/b.png", "/etc/passwd", "out.png", "folder/b.png", "images/../../really.png", "..", "../really.png",
           "none/../../really.png")  # fmt: skip


@pytest.mark.parametrize("name", INSIDE)
def test_what_stays_inside(root, name):
    assert Fence(root, False).passed(root / name, "here") == root / name
    assert Fence(root, False).passed(root.resolve() / name, "here")


@pytest.mark.parametrize("name", OUTSIDE)
def test_what_leads_out(root, name):
    with pytest.raises(CUNetError, match="here: .* leads out of the data set's folder .*mine: add --allow_outside"):
        Fence(root, False).passed(root / name, "here")
    assert Fence(root, True).passed(root / name, "here") == root / name


@pytest.mark.parametrize("name", ["a\0b.png", "a\n.png", "a\x1b[2J.png", "a\u202egnp.exe", "\ud800.png"])
def test_what_is_no_name(root, name):
    with pytest.raises(CUNetError, match="here: .*(is no name of a file|has control characters in it): correct it"):
        Fence(root, False).passed(root / name, "here")
