import json

import numpy as np
import pytest
from scipy.io import savemat

from cunet_tf.data.mpii import load_mpii
from cunet_tf.errors import CUNetError


@pytest.fixture
def points(rng):
    return rng.uniform(50, 400, (16, 2)).round(2)


def entry(points, **changes):
    fields = {"image": "a.jpg", "center": [300, 200], "scale": 2, "joints": points.tolist(), "joints_vis": [1] * 16}
    return {**fields, **changes}


def write_json(file, entries):
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(entries))


def test_json_counts_from_1_and_masks(tmp_path, points):
    visible = [1] * 14 + [0, 0]
    entries = [entry(points, joints_vis=visible), entry(points, joints_vis=[1] + [0] * 15), entry(points, scale=-1.0)]
    write_json(tmp_path / "annot" / "train.json", entries)
    write_json(tmp_path / "annot" / "valid.json", [entry(points, image="v.jpg")])
    write_json(tmp_path / "annot" / "test.json", [{"image": "t.jpg", "center": [300, 200], "scale": 2}])
    (sample,) = source = load_mpii(tmp_path, "train")
    assert (source.split, sample.name, sample.subset) == ("train", "train/0/a.jpg", "mpii")
    np.testing.assert_allclose(sample.points[:14], points[:14] - 1, rtol=1e-6)
    np.testing.assert_array_equal(sample.mask, visible)
    assert not sample.points[14:].any() and sample.head is None
    np.testing.assert_allclose(sample.box, [99, 29, 499, 429])
    assert [s.name for s in load_mpii(tmp_path, "trainval")] == ["train/0/a.jpg", "valid/0/v.jpg"]
    (hidden,) = load_mpii(tmp_path, "test")
    assert not hidden.mask.any() and hidden.picture == tmp_path / "images" / "t.jpg"


def test_json_head_sizes_keep_their_people(tmp_path, points, capsys):
    left_out = entry(points, joints_vis=[0] * 16)
    write_json(tmp_path / "valid.json", [entry(points), left_out, entry(points, image="c.jpg")])
    boxes = np.zeros((2, 2, 3))
    boxes[1] = [[30, 0, 6], [40, 0, 8]]
    savemat(tmp_path / "gt_valid.mat", {"headboxes_src": boxes})
    assert [sample.head for sample in load_mpii(tmp_path, "val")] == pytest.approx([30.0, 6.0])
    savemat(tmp_path / "gt_valid.mat", {"headboxes_src": boxes[..., :2]})
    assert [sample.head for sample in load_mpii(tmp_path, "val")] == [None, None]
    assert "headboxes_src is 2x2x2, not 2x2x3" in capsys.readouterr().err
    savemat(tmp_path / "gt_valid.mat", {"other": boxes})
    with pytest.raises(CUNetError, match="gt_valid.mat: no array 'headboxes_src'"):
        load_mpii(tmp_path, "val")


def test_json_head_size_of_a_single_person(tmp_path, points):
    write_json(tmp_path / "valid.json", [entry(points)])
    savemat(tmp_path / "gt_valid.mat", {"headboxes_src": np.array([[[1.0], [1.0]], [[4.0], [5.0]]])})
    assert [sample.head for sample in load_mpii(tmp_path, "val")] == pytest.approx([3.0])


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"image": ""}, "train.json: entry 1, image: "),
        ({"center": [1]}, "entry 1, center: expected `array` of length 2"),
        ({"scale": None}, "entry 1, scale: expected `float`, got `null`"),
        ({"joints": [[1, 2]] * 15}, "entry 1, joints: expected `array` of length >= 16"),
        ({"joints": [[1, float("nan")]] * 16}, "train.json: not readable as JSON .NaN is no number of JSON"),
        ({"joints_vis": "x"}, "entry 1, joints_vis: expected `array`, got `str`"),
    ],
)
def test_json_errors_name_entry_and_field(tmp_path, points, changes, words):
    write_json(tmp_path / "train.json", [entry(points), entry(points, **changes)])
    with pytest.raises(CUNetError, match=words):
        load_mpii(tmp_path, "train")


def test_other_json_errors(tmp_path, points):
    broken = entry(points)
    del broken["scale"]
    for text, words in [
        (json.dumps([broken]), "entry 0, scale: missing"),
        ("{}", "a list of people is needed, this is a dict"),
        ("[", "not readable as JSON"),
        ("[1]", "entry 0: expected `object`"),
        ("[]", "nobody in mpii split 'train'"),
    ]:
        (tmp_path / "train.json").write_text(text)
        with pytest.raises(CUNetError, match=words):
            load_mpii(tmp_path, "train")
