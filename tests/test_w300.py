import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from cunet_tf.data.w300 import BOX_FILES, SPLITS, load_300w, read_pts, write_pts
from cunet_tf.draw import save_png
from cunet_tf.errors import CUNetError
from cunet_tf.skeletons import FACE68

FACES_PER_FOLDER = {"afw": 3, "helen/trainset": 2, "lfpw/trainset": 1, "helen/testset": 2, "lfpw/testset": 1, "ibug": 2}


def points_of(number: int) -> np.ndarray:
    return np.random.default_rng(number).uniform(5, 90, (68, 2)).round(3)


def write_face(folder, stem: str, number: int, suffix: str = ".png") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    save_png(folder / f"{stem}{suffix}", np.full((4, 6, 3), number, np.uint8))
    write_pts(folder / f"{stem}.pts", points_of(number))


@pytest.fixture
def tree(tmp_path):
    for folder, count in FACES_PER_FOLDER.items():
        for number in range(count):
            write_face(tmp_path / folder, f"{folder.replace('/', '_')}_{number}", number)
    return tmp_path


def names(source) -> list[str]:
    return [sample.name for sample in source]


# .pts files ---------------------------------------------------------------------------------


def test_pts_count_from_one(tmp_path):
    file = tmp_path / "a.pts"
    lines = "\n".join(f"{index + 1} {index + 0.5}" for index in range(68))
    file.write_text(f"version: 1\nn_points:  68\n{{\n{lines}\n}}\n")
    points = read_pts(file)
    assert points.dtype == np.float32
    np.testing.assert_array_equal(points, [[index, index - 0.5] for index in range(68)])


def test_write_pts_writes_one_based_numbers(tmp_path):
    write_pts(tmp_path / "a.pts", np.array([[0.0, 1.5]]))
    assert (tmp_path / "a.pts").read_text().split() == ["version:", "1", "n_points:", "1", "{"] + [
        "1.000000", "2.500000", "}",
    ]  # fmt: skip


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(st.floats(-9999, 9999), st.floats(-9999, 9999)), min_size=1, max_size=5))
def test_write_then_read_returns_the_points(tmp_path_factory, points):
    file = tmp_path_factory.mktemp("pts") / "a.pts"
    write_pts(file, np.array(points))
    np.testing.assert_allclose(read_pts(file, len(points)), points, atol=1e-3)


def test_pts_with_windows_line_ends_and_blank_lines(tmp_path):
    file = tmp_path / "a.pts"
    file.write_bytes(b"version: 1\r\nn_points: 2\r\n{\r\n3 4\r\n\r\n 5\t6 \r\n}\r\n")
    np.testing.assert_array_equal(read_pts(file, 2), [[2, 3], [4, 5]])


@pytest.mark.parametrize(
    "body, message",
    [
        ("{\n" + "1 2\n" * 67 + "}", "67 points, but 68"),
        ("{\n" + "1 2 3\n" * 68 + "}", "68 lines of two numbers"),
        ("{\n}", "0 points, but 68"),
        ("{\n" + "1 2\n" * 41 + "nan 2\n" + "1 2\n" * 26 + "}", "point 41 is not a number"),
        ("{\n" + "1 2\n" * 67 + "1 inf\n}", "point 67 is not a number"),
        ("{\n" + "1 2\n" * 67 + "1\n}", "not a readable .pts file"),
        ("{\n" + "1 two\n" * 68 + "}", "not a readable .pts file"),
        ("1 2\n" * 68, "not a readable .pts file"),
        ("n_points: 99999999999\n{\n" + "1 2\n" * 68 + "}", "n_points says '99999999999', 68 lines follow"),
        ("}\n{" + "1 2\n" * 68, "no { and } around the points"),
        ("{\n" + "1 2\n" * 67 + "1 1e9\n}", "point 67 is farther out than any pixel"),
        ("{\n" + "1 " + "x" * 9999 + "\n}", r"'x+\.\.\.x+' is no number"),
        ("{\n" + "1 2\n" * 300_000 + "}", "bytes are more than the 1,048,576 that such a file may have"),
        ("{\n" + "1 2\n" * 68, "not a readable .pts file"),
        ("", "not a readable .pts file"),
    ],
    ids=[
        "67",
        "three numbers",
        "none",
        "NaN",
        "inf",
        "ragged",
        "word",
        "no braces",
        "n_points",
        "braces",
        "far",
        "long word",
        "large",
        "cut",
        "empty",
    ],
)
def test_malformed_pts_are_refused_by_name(tmp_path, body, message):
    file = tmp_path / "bad.pts"
    file.write_text(body)
    with pytest.raises(CUNetError, match=rf"bad\.pts: .*{message}"):
        read_pts(file)


def test_pts_that_is_missing_or_binary(tmp_path):
    with pytest.raises(CUNetError, match=r"gone\.pts: not a readable .pts file"):
        read_pts(tmp_path / "gone.pts")
    (tmp_path / "raw.pts").write_bytes(bytes(range(256)))
    with pytest.raises(CUNetError, match=r"raw\.pts: not a readable .pts file"):
        read_pts(tmp_path / "raw.pts")


# Splits -------------------------------------------------------------------------------------


@pytest.mark.parametrize("split, count", [("train", 6), ("common", 3), ("challenging", 2), ("full", 5)])
def test_official_splits(tree, split, count):
    source = load_300w(str(tree), split)
    assert len(source) == count
    assert (source.name, source.split, source.skeleton, source.missing) == ("300w", split, FACE68, ())
    assert {sample.subset for sample in source} == set(SPLITS[split])


def test_full_is_common_and_challenging_pooled():
    assert SPLITS["full"] == ("helen/testset", "lfpw/testset", "ibug")
    assert SPLITS["train"] == ("afw", "helen/trainset", "lfpw/trainset")


def test_samples_carry_points_box_and_picture(tree):
    first, second = load_300w(str(tree), "helen/testset")
    assert first.name == "helen/testset/helen_testset_0"
    assert first.subset == "helen/testset"
    np.testing.assert_allclose(second.points, points_of(1), atol=1e-4)
    np.testing.assert_array_equal(second.mask, np.ones(68))
    expected = [*points_of(1).min(axis=0), *points_of(1).max(axis=0)]
    np.testing.assert_allclose(second.box, expected, atol=1e-4)
    np.testing.assert_array_equal(second.load(), np.full((4, 6, 3), 1))


def test_samples_come_in_the_order_of_folders_then_file_names(tree):
    source = load_300w(str(tree), "ibug,afw")
    assert names(source) == ["ibug/ibug_0", "ibug/ibug_1", "afw/afw_0", "afw/afw_1", "afw/afw_2"]


def test_folders_are_searched_below_and_may_be_written_loosely(tree):
    write_face(tree / "mine" / "deep", "x", 7, ".bmp")
    source = load_300w(str(tree), " mine/ , ibug")
    assert names(source) == ["mine/deep/x", "ibug/ibug_0", "ibug/ibug_1"]
    assert {sample.subset for sample in source} == {"mine", "ibug"}


def test_a_trailing_comma_adds_nothing(tree):
    assert names(load_300w(str(tree), "afw,")) == names(load_300w(str(tree), "afw"))


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".jpeg", ".JPG", ".bmp"])
def test_every_kind_of_picture_is_found(tmp_path, suffix):
    write_face(tmp_path / "a", "x.y", 3, suffix)
    (sample,) = load_300w(str(tmp_path), "a")
    assert sample.picture == tmp_path / "a" / f"x.y{suffix}"
    assert sample.name == "a/x.y"


def test_case_of_endings_hidden_files_and_links(tmp_path, capsys):
    for number, (points, picture) in enumerate([(".PTS", ".PNG"), (".pts", ".Jpg"), (".Pts", ".webp")]):
        write_face(tmp_path / "x", f"a{number}", number, picture.lower())
        (tmp_path / "x" / f"a{number}{picture.lower()}").rename(tmp_path / "x" / f"a{number}{picture}")
        (tmp_path / "x" / f"a{number}.pts").rename(tmp_path / "x" / f"a{number}{points}")
    (tmp_path / "x" / "._a0.pts").write_bytes(b"\0\5\x16\7Mac OS X")
    (tmp_path / "x" / "round").symlink_to(tmp_path / "x")
    write_face(tmp_path / "elsewhere", "b", 3)
    (tmp_path / "x" / "linked").symlink_to(tmp_path / "elsewhere")
    assert names(load_300w(str(tmp_path), "x")) == ["x/a0", "x/a1", "x/a2", "x/linked/b"]
    assert capsys.readouterr().err == ""


def test_of_two_pictures_the_one_taken_is_said(tmp_path, capsys):
    write_face(tmp_path / "x", "a", 0, ".jpg")
    write_face(tmp_path / "x", "a", 0, ".png")
    assert load_300w(str(tmp_path), "x").samples[0].picture.name == "a.jpg"
    assert "a.jpg is taken, a.png lies beside it too" in capsys.readouterr().err


def test_a_missing_folder_is_an_error_unless_allowed(tree):
    shutil.rmtree(tree / "lfpw" / "testset")
    with pytest.raises(CUNetError, match=r"'common': missing lfpw/testset below .*--allow_missing"):
        load_300w(str(tree), "common")
    source = load_300w(str(tree), "common", allow_missing=True)
    assert source.missing == ("lfpw/testset",)
    assert {sample.subset for sample in source} == {"helen/testset"}


def test_allow_missing_does_not_allow_everything_to_be_missing(tree):
    shutil.rmtree(tree / "ibug")
    with pytest.raises(CUNetError, match="missing ibug") as error:
        load_300w(str(tree), "challenging", allow_missing=True)
    assert "--allow_missing" not in str(error.value)


def test_an_unknown_split_lists_the_known_ones(tree):
    with pytest.raises(CUNetError, match="missing trian.*Splits: train, common, challenging, full"):
        load_300w(str(tree), "trian")


def test_a_missing_root_is_named(tmp_path):
    with pytest.raises(CUNetError, match="--root=.*nowhere: no such folder"):
        load_300w(str(tmp_path / "nowhere"))


def test_points_without_a_picture_are_refused(tree):
    (tree / "afw" / "afw_1.png").unlink()
    with pytest.raises(CUNetError, match=r"afw_1\.pts: no picture beside it"):
        load_300w(str(tree), "afw")


def test_a_folder_without_points_is_refused(tree):
    (tree / "empty").mkdir()
    with pytest.raises(CUNetError, match=r"empty: no \.pts file"):
        load_300w(str(tree), "afw,empty")


def test_faulty_faces_are_left_out_when_faults_are_collected(tree):
    (tree / "afw" / "afw_1.png").unlink()
    (tree / "helen" / "trainset" / "helen_trainset_0.pts").write_text("{\n1 2\n}")
    (tree / "lfpw" / "trainset" / "lfpw_trainset_0.pts").write_text("")
    faults = []
    source = load_300w(str(tree), "train", problems=faults)
    assert names(source) == ["afw/afw_0", "afw/afw_2", "helen/trainset/helen_trainset_1"]
    assert [(fault.kind, fault.sample, fault.subset) for fault in faults] == [
        ("missing picture", "afw/afw_1", "afw"),
        ("wrong number of points", "helen/trainset/helen_trainset_0", "helen/trainset"),
        ("malformed annotation", "lfpw/trainset/lfpw_trainset_0", "lfpw/trainset"),
    ]


def test_a_sound_tree_has_no_faults(tree):
    faults = []
    assert len(load_300w(str(tree), "full", problems=faults)) == 5
    assert faults == []


# Official boxes -----------------------------------------------------------------------------


def box_of(number: int) -> list[float]:
    return [10.0 * number + 1, 20.0, 10.0 * number + 51, 80.5]  # 1-based, as distributed


def entry(number: int) -> dict:
    name = f"afw_{number}.png"
    return {"imgName": name, "bb_detector": [box_of(number)], "bb_ground_truth": [[1.0, 1.0, 2.0, 2.0]]}


def cells_of_structs(count: int) -> np.ndarray:
    cells = np.empty((1, count), object)
    for number in range(count):
        cells[0, number] = entry(number)
    return cells


def array_of_structs(count: int) -> np.ndarray:
    array = np.empty((1, count), [(name, object) for name in entry(0)])
    for number in range(count):
        array[0, number] = tuple(np.array(value) for value in entry(number).values())
    return array


@pytest.mark.parametrize("nest", [cells_of_structs, array_of_structs])
@pytest.mark.parametrize("place", [".", "Bounding Boxes"])
def test_official_boxes_are_read_and_counted_from_zero(tree, nest, place):
    (tree / place).mkdir(exist_ok=True)
    savemat(tree / place / "bounding_boxes_afw.mat", {"bounding_boxes": nest(3)})
    source = load_300w(str(tree), "afw", box="official")
    assert source.box == "official"
    for number, sample in enumerate(source):
        np.testing.assert_allclose(sample.box, np.array(box_of(number)) - 1)


@pytest.mark.parametrize("nest", [cells_of_structs, array_of_structs])
def test_official_box_of_a_single_picture(tmp_path, nest):
    write_face(tmp_path / "afw", "afw_0", 0)
    savemat(tmp_path / "bounding_boxes_afw.mat", {"bounding_boxes": nest(1)})
    (sample,) = load_300w(str(tmp_path), "afw", box="official")
    np.testing.assert_allclose(sample.box, [0, 19, 50, 79.5])


def test_a_picture_without_an_official_box_is_named(tree):
    savemat(tree / BOX_FILES["afw"], {"bounding_boxes": cells_of_structs(2)})
    with pytest.raises(CUNetError, match=r"afw_2\.png: no official box for it in bounding_boxes_afw\.mat"):
        load_300w(str(tree), "afw", box="official")


def test_absent_box_files_are_named(tree):
    with pytest.raises(CUNetError, match=r"bounding_boxes_helen_testset\.mat for helen/testset not found"):
        load_300w(str(tree), "common", box="official")
    with pytest.raises(CUNetError, match="no box file for helen not found"):
        load_300w(str(tree), "helen", box="official")


def assert_box_file_is_refused(tree) -> None:
    with pytest.raises(CUNetError, match=r"bounding_boxes_afw\.mat: not a readable file of official boxes"):
        load_300w(str(tree), "afw", box="official")


@pytest.mark.parametrize("contents", [{"boxes": [1]}, {"bounding_boxes": [1, 2, 3]}], ids=str)
def test_a_mat_file_of_something_else_is_named(tree, contents):
    savemat(tree / BOX_FILES["afw"], contents)
    assert_box_file_is_refused(tree)


@pytest.mark.parametrize("length", [0, 10, 100, 128, 130, 400])
@pytest.mark.parametrize("compressed", [True, False])
def test_a_truncated_box_file_is_named(tree, length, compressed):
    file = tree / BOX_FILES["afw"]
    savemat(file, {"bounding_boxes": cells_of_structs(9)}, do_compression=compressed)
    data = file.read_bytes()
    assert length < len(data)
    file.write_bytes(data[:length])
    assert_box_file_is_refused(tree)


def test_a_box_file_that_is_no_mat_file_is_named(tree):
    (tree / BOX_FILES["afw"]).write_bytes(b"not a MATLAB file" * 20)
    assert_box_file_is_refused(tree)


# The real faces -----------------------------------------------------------------------------


def test_real_faces(w300_root):
    train = load_300w(str(w300_root), "train")
    subsets = [sample.subset for sample in train]
    assert {name: subsets.count(name) for name in dict.fromkeys(subsets)} == {
        "afw": 269, "helen/trainset": 870, "lfpw/trainset": 803,
    }  # fmt: skip
    assert len({sample.name for sample in train}) == len(train)
    points = np.stack([sample.points for sample in train])
    upright = points[:, 36, 0] < points[:, 45, 0]  # the right eye is on the picture's left
    assert upright.mean() > 0.99


def test_real_common_split_lacks_lfpw(w300_root):
    with pytest.raises(CUNetError, match="missing lfpw/testset"):
        load_300w(str(w300_root), "common")
    source = load_300w(str(w300_root), "common", allow_missing=True)
    assert len(source) == 330 and source.missing == ("lfpw/testset",)
    image = source.samples[0].load()
    assert image.ndim == 3 and image.shape[2] == 3


def test_a_pinned_share_is_held_out(tmp_path):
    for number in (3, 730, 731, 802):
        write_face(tmp_path / "lfpw/trainset", f"image_{number:04}", number % 255)
    write_face(tmp_path / "afw", "image_0900", 1)
    held, rest = (load_300w(tmp_path, f"lfpw/trainset@{share}") for share in ("heldout", "rest"))
    assert names(held) == ["lfpw/trainset/image_0731", "lfpw/trainset/image_0802"]
    assert names(rest) == ["lfpw/trainset/image_0003", "lfpw/trainset/image_0730"]
    several = load_300w(tmp_path, "afw, lfpw/trainset@rest")
    assert names(several) == ["afw/image_0900", *names(rest)] and several.samples[1].subset == "lfpw/trainset"
    for wrong in ("lfpw/trainset@held", "afw@heldout"):
        with pytest.raises(CUNetError, match="Known: lfpw/trainset@heldout"):
            load_300w(tmp_path, wrong)


def test_the_real_held_out_share(w300_root):
    assert [len(load_300w(w300_root, f"lfpw/trainset@{share}")) for share in ("heldout", "rest")] == [132, 671]
