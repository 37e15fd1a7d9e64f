"""The official file; its writer here serves the other MPII tests too."""

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from cunet_tf.data.matlab import read_matlab, structs
from cunet_tf.data.mpii import load_mpii
from cunet_tf.data.mpii_release import RELEASE, centre, head_size, joints, number, read_release
from cunet_tf.errors import CUNetError

EMPTY = np.zeros((0, 0))


def struct_rows(rows, fields):
    """A MATLAB struct array; a field that a row lacks is empty, as MATLAB makes it."""
    array = np.empty((1, len(rows)), [(field, object) for field in fields])
    for place, row in enumerate(rows):
        array[0, place] = tuple(row.get(field, EMPTY) for field in fields)
    return array


def cell(values):
    array = np.empty((1, len(values)), object)
    for place, value in enumerate(values):
        array[0, place] = value
    return array


def person(points=None, centre=(300.0, 200.0), scale=2.0, ids=None, visible=None, head=(11, 21, 41, 61)):
    """One annorect; points are 1-based and ``ids`` (all, in order, by default) their joints."""
    row = {}
    if points is not None:
        ids = range(len(points)) if ids is None else ids
        visible = visible or ["1", "0", EMPTY, 1.0] * 4
        joints = [
            {"x": float(x), "y": float(y), "id": float(i), "is_visible": v}
            for (x, y), i, v in zip(points, ids, visible, strict=False)
        ]
        row["annopoints"] = {"point": struct_rows(joints, ("x", "y", "id", "is_visible"))}
    if centre is not None:
        row["objpos"] = {"x": centre[0], "y": centre[1]}
    if scale is not None:
        row["scale"] = scale
    return row | dict(zip(("x1", "y1", "x2", "y2"), map(float, head or ()), strict=False))


def write_release(root, pictures, single=None, name=RELEASE):
    """``pictures``: rows (file name, training, people); people ``None`` leaves annorect empty."""
    annolist = []
    for file, _, people in pictures:
        fields = sorted({field for row in people or () for field in row})
        annolist.append({"image": {"name": file}, "annorect": struct_rows(people, fields) if people else EMPTY})
    release = {
        "annolist": struct_rows(annolist, ("image", "annorect")),
        "img_train": np.array([[float(training) for _, training, _ in pictures]]),
    }
    if single is not None:
        release["single_person"] = cell(single)
    savemat(root / name, {"RELEASE": release})


@pytest.fixture
def points(rng):
    return rng.uniform(50, 400, (16, 2)).round(2)


def test_joints_in_any_order_some_missing_or_without_numbers(tmp_path, points):
    ids = [9, 3, 0, 15]
    broken = person(points[:4], ids=ids)
    broken["annopoints"]["point"]["x"][0, 2] = EMPTY
    broken["annopoints"]["point"]["y"][0, 3] = np.nan
    write_release(tmp_path, [("a.jpg", 1, [broken, person(points[:3], ids=[9, 3, 0])])])
    two, three = load_mpii(tmp_path, "trainval")
    assert np.flatnonzero(two.mask).tolist() == [3, 9]
    assert np.flatnonzero(three.mask).tolist() == [0, 3, 9]
    np.testing.assert_allclose(three.points[[9, 3, 0]], points[:3] - 1, rtol=1e-6)
    assert not three.points[three.mask == 0].any()


def test_single_person_in_all_its_shapes(tmp_path, points):
    people = [person(points) for _ in range(3)]
    pictures = [("a.jpg", 1, people), ("b.jpg", 1, people), ("c.jpg", 1, people)]
    write_release(tmp_path, pictures, [2.0, np.array([[1.0], [3.0]]), EMPTY])
    subsets = [sample.subset for sample in load_mpii(tmp_path, "trainval")]
    assert subsets == ["group", "single", "group", "single", "group", "single", "group", "group", "group"]
    write_release(tmp_path, pictures[:1], [np.array([1.0, 3.0])])  # a cell of one is squeezed away
    assert read_release(tmp_path / RELEASE)[0].single == {0, 2}
    write_release(tmp_path, pictures)
    assert {picture.single for picture in read_release(tmp_path / RELEASE)} == {frozenset()}


def test_written_form_is_the_official_one(tmp_path, points):
    """The test's own writer nests structs as the distributed file does."""
    write_release(tmp_path, [("a.jpg", 1, [person(points)] * 2), ("b.jpg", 0, None)], [1.0, EMPTY])
    release = loadmat(tmp_path / RELEASE)["RELEASE"][0, 0]
    assert release["annolist"].shape == release["img_train"].shape == release["single_person"].shape == (1, 2)
    assert release["annolist"][0, 0]["annorect"].shape == (1, 2)
    assert release["annolist"][0, 0]["annorect"][0, 1]["annopoints"][0, 0]["point"].shape == (1, 16)
    assert release["annolist"][0, 0]["image"][0, 0]["name"][0] == "a.jpg"


def test_a_field_may_be_absent_empty_or_of_another_type(tmp_path):
    fields = {"double": 2.5, "text": "1", "empty": EMPTY, "nan": np.nan, "word": "x", "two": np.array([1.0, 2.0])}
    savemat(tmp_path / "a.mat", {"item": fields, "none": EMPTY})
    (item,) = structs(read_matlab(tmp_path / "a.mat", "item"))
    assert [number(item, field) for field in (*fields, "absent")] == [2.5, 1.0, None, None, None, None, None]
    assert structs(read_matlab(tmp_path / "a.mat", "none")) == [] and centre(item) is head_size(item) is None
    assert joints(item, "a.mat")[1].tolist() == [0] * 16


def test_foreign_and_damaged_files(tmp_path, points):
    write_release(tmp_path, [("a.jpg", 1, [person(points)])])
    whole = (tmp_path / RELEASE).read_bytes()
    savemat(tmp_path / "other.mat", {"RELEASE": {"img_train": 1.0}})
    savemat(tmp_path / "packed.mat", {"RELEASE": {"img_train": np.arange(999.0)}}, do_compression=True)
    packed = (tmp_path / "packed.mat").read_bytes()
    damaged = packed[:300] + bytes(50) + packed[350:]
    for content in [
        b"text",
        b"",
        whole[: len(whole) // 2],
        packed[:400],
        damaged,
        (tmp_path / "other.mat").read_bytes(),
    ]:
        (tmp_path / RELEASE).write_bytes(content)
        with pytest.raises(CUNetError, match=f"{RELEASE}: not MPII's official annotations"):
            read_release(tmp_path / RELEASE)
