"""Landmarks are compared by name: reordered where they are the same, refused where they are not."""

import numpy as np
import pytest

import cunet_tf as cu
from cunet_tf.data.matching import matched, require_matching
from cunet_tf.data.sample import Sample, Source
from cunet_tf.errors import CUNetError
from cunet_tf.skeletons import Skeleton

OURS = Skeleton(
    "own", ("left", "right", "nose"), ((0, 1),), ((0, 2),), {"eyes": (0, 1)}, {"eyes": ((0,), (1,))}, (0, 2)
)
THEIRS = Skeleton("own", ("nose", "left", "right"), ((1, 2),))


def source_of(skeleton):
    points, mask = np.array([[1, 2], [3, 4], [5, 6]], np.float32), np.array([1, 0, 1], np.float32)
    return Source("folder", "test", skeleton, [Sample("a", "x", points, mask, np.array([0, 0, 9, 9]), lambda: None)])


def test_the_same_names_are_put_in_the_models_order(capsys):
    found = matched(source_of(THEIRS), OURS)
    assert found.skeleton.names == OURS.names and found.skeleton.flip_pairs == ((0, 1),)
    np.testing.assert_array_equal(found.samples[0].points, [[3, 4], [5, 6], [1, 2]])
    np.testing.assert_array_equal(found.samples[0].mask, [0, 1, 1])
    assert "put in the model's order, by name" in capsys.readouterr().err
    assert matched(found, OURS) is found


def test_a_skeleton_and_its_reordered_one_say_the_same():
    back = OURS.reordered([2, 0, 1])
    assert back.names == THEIRS.names and back.flip_pairs == ((1, 2),) and back.edges == ((1, 0),)
    assert back.groups == {"eyes": (1, 2)} and back.normalizers == {"eyes": ((1,), (2,))} and back.scored == (1, 0)
    assert back.reordered([1, 2, 0]) == OURS


@pytest.mark.parametrize(
    "skeleton, words",
    [
        (
            Skeleton("cat", ("left", "right", "tail")),
            "landmark 2 of folder is 'tail', the model's is 'nose': use matching",
        ),
        (Skeleton("two", ("left", "right")), r"finds 3 landmarks \(own\), folder has 2 \(two\)"),
    ],
)
def test_other_landmarks_are_refused(skeleton, words):
    with pytest.raises(CUNetError, match=words):
        matched(source_of(skeleton), OURS)


def test_the_library_refuses_another_order_and_says_how_to_mend_it(tiny_spec):
    with pytest.raises(
        CUNetError, match=r"landmark 0 of folder is 'nose', .*'left': .*cunet_tf.matched\(source, skeleton\)"
    ):
        require_matching(source_of(THEIRS), OURS)
    spec = tiny_spec.with_skeleton(OURS)
    with pytest.raises(CUNetError, match="landmark 0 of folder"):
        cu.Examples(source_of(THEIRS), spec)


def test_mirrored_pictures_need_pairs(tiny_spec):
    """Unknown pairs are not the same as none."""
    unknown, none = Skeleton("a", ("x", "y", "z")), Skeleton("a", ("x", "y", "z"), ())
    assert unknown != none and Skeleton.from_dict(unknown.to_dict()) == unknown
    assert Skeleton.from_dict(none.to_dict()) == none
    cu.Examples(source_of(none), tiny_spec.with_skeleton(none), cu.Augmentation(flip=0.5))
    with pytest.raises(CUNetError, match="mirrored pictures: the landmarks of a have no flip_pairs"):
        cu.Examples(source_of(unknown), tiny_spec.with_skeleton(unknown), cu.Augmentation(flip=0.5))
