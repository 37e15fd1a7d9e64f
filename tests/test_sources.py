from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from cunet_tf.data.sources import SOURCES, Request, load_source
from cunet_tf.data.w300 import write_pts
from cunet_tf.draw import save_png
from cunet_tf.errors import CUNetError
from cunet_tf.skeletons import FACE68, LSP14


@pytest.fixture
def ibug_only(tmp_path):
    (tmp_path / "ibug").mkdir()
    save_png(tmp_path / "ibug" / "a.png", np.zeros((4, 4, 3), np.uint8))
    write_pts(tmp_path / "ibug" / "a.pts", np.arange(136.0).reshape(68, 2))
    return str(tmp_path)


def test_known_sources():
    assert {"300w", "lsp", "lspet", "mpii", "folder", "synthetic"} <= set(SOURCES)


def test_synthetic_needs_no_root_and_draws_the_models_landmarks():
    source = load_source("synthetic", Request(None, "5:3", LSP14))
    assert (source.name, source.split, source.skeleton, len(source)) == ("synthetic", "5:3", LSP14, 3)


def test_300w_passes_every_wish_on(ibug_only):
    source = load_source("300w", Request(ibug_only, "full", FACE68, allow_missing=True))
    assert (source.name, source.split, source.box, len(source)) == ("300w", "full", "tight", 1)
    assert source.missing == ("helen/testset", "lfpw/testset")
    with pytest.raises(CUNetError, match="--allow_missing"):
        load_source("300w", Request(ibug_only, "full", FACE68))
    with pytest.raises(CUNetError, match="--box=official"):
        load_source("300w", Request(ibug_only, "challenging", FACE68, box="official"))


def test_300w_collects_faults_when_asked(ibug_only):
    (Path(ibug_only) / "ibug" / "b.pts").write_text("cut")
    faults = []
    source = load_source("300w", Request(ibug_only, "ibug", FACE68, problems=faults))
    assert (len(source), [fault.sample for fault in faults]) == (1, ["ibug/b"])
    with pytest.raises(CUNetError, match=r"b\.pts"):
        load_source("300w", Request(ibug_only, "ibug", FACE68))


# LSP is 3 x 14 x N with "occluded" in the last row, LSPET 14 x 3 x N with "labelled".
@pytest.mark.parametrize("data, mask", [("lsp", [1] * 14), ("lspet", [0, *[1] * 13])])
def test_lsp_and_lspet_are_read_in_their_own_layout(tmp_path, data, mask):
    joints = np.random.default_rng(0).uniform(5, 50, (3, 14, 1))
    joints[2] = 1.0
    joints[2, 0] = 0.0
    savemat(tmp_path / "joints.mat", {"joints": joints if data == "lsp" else joints.transpose(1, 0, 2)})
    save_png(tmp_path / "images" / "im0001.jpg", np.zeros((4, 4, 3), np.uint8))
    source = load_source(data, Request(str(tmp_path), "1-1", LSP14))
    assert (source.name, source.split, source.skeleton) == (data, "1-1", LSP14)
    np.testing.assert_array_equal(source.samples[0].mask, mask)
    np.testing.assert_allclose(source.samples[0].points[1:], joints[:2, 1:, 0].T - 1, atol=1e-5)


@pytest.mark.parametrize("root", [None, ""])
@pytest.mark.parametrize("data", ["300w", "lsp", "lspet", "mpii", "folder"])
def test_data_on_disk_ask_for_their_root(data, root):
    with pytest.raises(CUNetError, match=f"--data=.*{data}.* --root"):
        load_source(data, Request(root, "train", FACE68))


def test_an_unknown_source_gets_a_hint():
    with pytest.raises(CUNetError, match="--data=300-w: Did you mean '300w'. Known: .*synthetic"):
        load_source("300-w", Request(None, "train", FACE68))
