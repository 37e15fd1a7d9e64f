import numpy as np
import pytest

from cunet_tf.errors import CUNetError
from cunet_tf.landmarks import Landmarks, draw_objects
from cunet_tf.skeletons import Skeleton

PAIR = Skeleton("pair", ("left", "right"), edges=((0, 1),))
FOUND = Landmarks(
    np.array([[10.12345, 20.0], [50.0, 25.0]]), np.array([0.5, 0.75], np.float32), np.array([5.0, 5, 60, 40]),
    confidence=0.81, visible=np.array([True, False]), skeleton=PAIR,
)  # fmt: skip


def test_the_dictionary_is_the_contracts():
    assert FOUND.to_dict() == {
        "box": [5.0, 5.0, 60.0, 40.0], "box_from": "given", "landmarks": [[10.1234, 20.0], [50.0, 25.0]],
        "scores": [0.5, 0.75], "visible": [True, False], "confidence": 0.81, "found": True,
    }  # fmt: skip
    plain = Landmarks(FOUND.points, FOUND.scores, FOUND.box).to_dict()
    assert plain["confidence"] is None and plain["found"] is True and plain["visible"] == [True, True]


def test_names_and_repr():
    assert FOUND.names == ("left", "right")
    assert repr(FOUND) == "<Landmarks: 2 pair in box [5, 5, 60, 40] (given), found True, confidence 0.81>"
    assert Landmarks(FOUND.points, FOUND.scores, FOUND.box).names == ()


def test_what_was_not_found_is_grey():
    black = np.zeros((600, 600, 3), np.uint8)
    lost = Landmarks(FOUND.points, FOUND.scores, FOUND.box, found=False, skeleton=PAIR)
    grey, colour = draw_objects(black, [lost]), FOUND.draw(black)
    assert (grey == grey[..., :1]).all() and not (colour == colour[..., :1]).all()
    np.testing.assert_array_equal(draw_objects(black, []), black)
    assert black.max() == 0


def test_without_a_skeleton_nothing_can_be_drawn():
    with pytest.raises(CUNetError, match="no skeleton"):
        Landmarks(FOUND.points, FOUND.scores, FOUND.box).draw(np.zeros((9, 9, 3), np.uint8))
