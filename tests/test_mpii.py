import hashlib
import json

import numpy as np
import pytest

from cunet_tf.data.geometry import crop_matrix
from cunet_tf.data.mpii import load_mpii, own_val, person_box
from cunet_tf.data.mpii_release import RELEASE
from cunet_tf.data.sample import read_image
from cunet_tf.data.sources import Request, load_source
from cunet_tf.errors import CUNetError
from cunet_tf.skeletons import MPII16
from tests.conftest import REAL_DATA
from tests.test_mpii_json import entry, write_json
from tests.test_mpii_release import EMPTY, person, write_release


@pytest.fixture
def points(rng):
    return rng.uniform(50, 400, (16, 2)).round(2)


def test_a_labelled_person_with_box_and_head(tmp_path, points):
    write_release(tmp_path, [("a.jpg", 1, [person(points)]), ("b.jpg", 0, None)])
    (sample,) = source = load_mpii(tmp_path, "trainval")
    assert (source.name, source.split, source.skeleton, source.box) == ("mpii", "trainval", MPII16, "official")
    assert (sample.name, sample.picture) == ("a.jpg/0", tmp_path / "images" / "a.jpg")
    assert sample.points.dtype == sample.mask.dtype == np.float32
    np.testing.assert_allclose(sample.points, points - 1, rtol=1e-6)
    assert sample.mask.all()  # is_visible, in any type, does not matter
    assert sample.head == pytest.approx(0.6 * 50)
    np.testing.assert_allclose(sample.box, [99, 29, 499, 429])  # centre (299, 199 + 30), half side 200


def test_crop_factor_gives_the_papers_crop(points):
    box = person_box((300.0, 200.0), 2.0)
    matrix = crop_matrix(box, 1.25, 256)
    assert matrix[0, 0] == pytest.approx(256 / (200 * 1.25 * 2))


def test_no_box_where_centre_or_scale_is_unknown():
    unknown = [(None, 2.0), ((300.0, 200.0), None), ((-1.0, -1.0), 2.0), ((300.0, 200.0), -1.0)]
    assert [person_box(*case) for case in unknown] == [None] * 4


def test_people_who_cannot_be_used_are_left_out_and_places_stay(tmp_path, points):
    people = [
        person(),  # no annopoints
        person(points, scale=None),
        person(points, centre=None),
        person(points[:1]),  # a single struct: one joint
        {"x1": 1.0, "y1": 1.0, "x2": 9.0, "y2": 9.0},  # a head, nothing else
        person(points[:2], head=None),
    ]
    no_joints = person(points) | {"annopoints": {"point": EMPTY}}
    write_release(tmp_path, [("a.jpg", 1, people), ("b.jpg", 1, [no_joints]), ("c.jpg", 1, None)])
    (sample,) = load_mpii(tmp_path, "trainval")
    assert sample.name == "a.jpg/5" and sample.head is None


def test_test_people_have_boxes_and_no_labels(tmp_path, points):
    write_release(tmp_path, [("a.jpg", 1, [person(points)]), ("t.jpg", 0, [person(), person(scale=None), person()])])
    source = load_mpii(tmp_path, "test")
    assert [sample.name for sample in source] == ["t.jpg/0", "t.jpg/2"]
    assert not any(sample.mask.any() or sample.points.any() for sample in source)
    np.testing.assert_allclose(source.samples[0].box, [99, 29, 499, 429])


def test_own_split_is_by_picture_and_named(tmp_path, points):
    names = [f"{index:09}.jpg" for index in range(40)]
    write_release(tmp_path, [(name, 1, [person(points), person(points)]) for name in names])
    train, val = load_mpii(tmp_path, "train"), load_mpii(tmp_path, "val")
    held_out = {name for name in names if int(hashlib.sha1(name.encode()).hexdigest(), 16) % 10 == 0}
    assert 0 < len(held_out) < 10 and all(own_val(name) for name in held_out)
    assert {sample.name.rpartition("/")[0] for sample in val} == held_out
    assert len(val) == 2 * len(held_out) and len(train) == 80 - len(val)
    assert val.split.startswith("val (own split: ") and train.split.startswith("train (own split: ")


@pytest.mark.parametrize("folder", [".", "annot"])
def test_tompsons_list_defines_val(tmp_path, points, folder):
    write_release(tmp_path, [("a.jpg", 1, [person(points), person(points)]), ("b b.jpg", 1, [person(points)])])
    (tmp_path / "annot").mkdir()
    (tmp_path / folder / "tompson_val.txt").write_text("a.jpg 1\n\n b b.jpg\t0 \n")
    assert [sample.name for sample in load_mpii(tmp_path, "val")] == ["a.jpg/1", "b b.jpg/0"]
    train = load_mpii(tmp_path, "train")
    assert ([sample.name for sample in train], train.split) == (["a.jpg/0"], "train")
    (tmp_path / folder / "tompson_val.txt").write_text("a.jpg 0\na.jpg 2\n")
    with pytest.raises(CUNetError, match="tompson_val.txt, line 2: 'a.jpg 2' is nobody labelled .* counted from 0"):
        load_mpii(tmp_path, "val")


def test_the_official_file_is_preferred(tmp_path, points):
    write_json(tmp_path / "train.json", [entry(points)] * 2)
    write_release(tmp_path, [("m.jpg", 1, [person(points)])])
    assert [sample.name for sample in load_mpii(tmp_path, "trainval")] == ["m.jpg/0"]


def test_errors_of_root_split_and_official_file(tmp_path, points):
    with pytest.raises(CUNetError, match=f"neither {RELEASE} nor valid.json .* Give the folder"):
        load_mpii(tmp_path, "val")
    with pytest.raises(CUNetError, match="split 'valid': Did you mean 'val'"):
        load_mpii(tmp_path, "valid")
    with pytest.raises(CUNetError, match="--data=mpii needs --root"):
        load_source("mpii", Request(None, "train", MPII16))
    write_release(tmp_path, [("a.jpg", 1, [person(points, ids=[1, 2, 16] + [3] * 13)])])
    with pytest.raises(CUNetError, match=f"{RELEASE}: picture a.jpg, person 0, annopoints.point.id: 16 is not"):
        load_source("mpii", Request(str(tmp_path), "trainval", MPII16))


@pytest.fixture(scope="module")
def real_people():
    """MPII items of the fixtures: name, points and centre 0-based in the picture at hand."""
    file = REAL_DATA / "fixtures" / "annotations.json"
    if not file.is_file():
        pytest.skip("real data (../shared/data/fixtures) is not here")
    return [item for item in json.loads(file.read_text())["items"] if item["dataset"] == "MPII"]


@pytest.mark.parametrize("form", ["mat", "json"])
def test_real_people_lie_in_their_pictures_and_boxes(tmp_path, real_people, form):
    assert real_people
    (tmp_path / "images").symlink_to(REAL_DATA / "fixtures" / "images")
    rows = []
    for item in real_people:
        found, joints = np.flatnonzero(item["labelled"]), np.array(item["points"]) + 1
        x, y = np.array(item["center"]) + 1
        name = item["image"].removeprefix("images/")
        if form == "mat":
            rows.append((name, 1, [person(joints[found], (x, y), item["scale"], ids=found)]))
        else:
            whole = entry(joints, image=name, center=[x, y], scale=item["scale"], joints_vis=item["labelled"])
            rows.append(whole)
    if form == "mat":
        write_release(tmp_path, rows)
    else:
        write_json(tmp_path / "train.json", rows[:2])
        write_json(tmp_path / "valid.json", rows[2:])
    people = load_mpii(tmp_path, "trainval", allow_outside=True)  # the pictures are linked
    for sample, item in zip(people, real_people, strict=True):
        np.testing.assert_array_equal(sample.mask, item["labelled"])
        points = sample.points[sample.mask > 0]
        np.testing.assert_allclose(points, np.array(item["points"])[sample.mask > 0], atol=1e-4)
        height, width = read_image(sample.picture).shape[:2]
        assert ((points > -0.5) & (points < [width - 0.5, height - 0.5])).all()
        inside = ((points >= sample.box[:2]) & (points <= sample.box[2:])).all(axis=1)
        assert inside.mean() > 0.9
