import numpy as np
import pytest
from scipy.io import loadmat

from cunet_tf.data.mpii import load_mpii
from cunet_tf.data.mpii_submission import person_key, write_submission
from cunet_tf.errors import CUNetError
from tests.test_mpii_release import EMPTY, person, write_release

NAME = "pred_keypoints_mpii.mat"


@pytest.fixture
def root(tmp_path, rng):
    """Test pictures z, e (nobody), a and g; people without objpos; one training picture between."""
    joints = rng.uniform(5, 60, (16, 2))
    pictures = [
        ("z.jpg", 0, [person(), person(centre=None, scale=None), person()]),
        ("train.jpg", 1, [person(joints)]),
        ("e.jpg", 0, None),
        ("a.jpg", 0, [person()]),
        ("g.jpg", 0, [{"x1": 1.0, "y1": 1.0, "x2": 5.0, "y2": 5.0}]),
    ]
    write_release(tmp_path, pictures, [np.array([1.0, 3.0]), 1.0, EMPTY, 1.0, EMPTY])
    return tmp_path


@pytest.fixture
def results(rng):
    return {key: rng.uniform(0, 90, (16, 2)) for key in [("a.jpg", 0), ("z.jpg", 2), ("z.jpg", 0)]}


def flatten(pred):
    """The people as the official evaluation walks through them: those with objpos, by place."""
    for entry in pred.ravel():
        people = entry["annorect"]
        for place in range(people.size):
            if "objpos" in (people.dtype.names or ()) and people["objpos"].ravel()[place].size:
                yield str(entry["image"][0, 0]["name"][0]), place, people["annopoints"].ravel()[place]


def test_the_evaluation_finds_every_person_again(root, results):
    write_submission(root / "out" / NAME, results, root)
    pred = loadmat(root / "out" / NAME)["pred"]
    assert pred.shape == (1, 4) and pred.dtype.names == ("image", "annorect")
    assert [str(entry["image"][0, 0]["name"][0]) for entry in pred[0]] == ["z.jpg", "e.jpg", "a.jpg", "g.jpg"]
    assert [entry["annorect"].size for entry in pred[0]] == [3, 0, 1, 1]
    found = {(image, place): annopoints for image, place, annopoints in flatten(pred)}
    assert list(found) == [("z.jpg", 0), ("z.jpg", 2), ("a.jpg", 0)]
    for key, annopoints in found.items():
        point = annopoints[0, 0]["point"]
        assert point.shape == (1, 16)
        assert [int(joint["id"][0, 0]) for joint in point[0]] == list(range(16))
        read = np.array([[joint["x"][0, 0], joint["y"][0, 0]] for joint in point[0]])
        np.testing.assert_allclose(read, results[key] + 1)  # MATLAB counts from 1


def test_what_was_known_of_the_people_is_kept(root, results):
    write_submission(root / NAME, results, root)
    pred = loadmat(root / NAME, squeeze_me=True, struct_as_record=False)["pred"]
    first, bare, third = pred[0].annorect
    assert (first.scale, first.objpos.x, first.objpos.y) == (2.0, 300.0, 200.0)
    assert np.size(bare.objpos) == np.size(bare.annopoints) == 0
    assert third.annopoints.point[4].id == 4


def test_samples_of_the_test_split_are_the_keys(root, results):
    assert {person_key(sample.name) for sample in load_mpii(root, "test")} == set(results)


def test_people_not_scored_may_be_left_out(root, results):
    write_release(root, [("z.jpg", 0, [person(), person()]), ("a.jpg", 0, [person()])], [2.0, EMPTY])
    write_submission(root / NAME, {("z.jpg", 1): results["a.jpg", 0]}, root)
    pred = loadmat(root / NAME, squeeze_me=True, struct_as_record=False)["pred"]
    assert np.size(pred[0].annorect[0].annopoints) == 0 and len(pred[0].annorect[1].annopoints.point) == 16


def test_errors(root, results, tmp_path_factory):
    points = results["a.jpg", 0]
    for extra, words in [
        ({("train.jpg", 0): points}, "train.jpg, person 0 is nobody of MPII's test part"),
        ({("z.jpg", 1): points}, "z.jpg, person 1 is nobody .* needs objpos"),
        ({("z.jpg", 3): points}, "z.jpg, person 3 is nobody"),
        ({("a.jpg", 0): points[:15]}, r"a.jpg, person 0: finite points \[16, 2\] are needed, got \[15, 2\]"),
        ({("a.jpg", 0): points * np.nan}, "a.jpg, person 0: finite points"),
    ]:
        with pytest.raises(CUNetError, match=words):
            write_submission(root / NAME, {**results, **extra}, root)
    del results["z.jpg", 2]
    with pytest.raises(
        CUNetError, match="no points for 1 of the 3 people whom MPII scores, the first is z.jpg, person 2"
    ):
        write_submission(root / NAME, results, root)
    with pytest.raises(CUNetError, match="a submission needs the official annotations"):
        write_submission(root / NAME, results, tmp_path_factory.mktemp("bare"))
    assert not (root / NAME).exists()
