import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cunet_tf.boxes import BoxMap, Detection, best_over, check_box, overlap
from cunet_tf.errors import CUNetError


def test_overlap_of_known_boxes():
    box = np.array([0.0, 0.0, 10.0, 10.0])
    others = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [2, 2, 4, 4], [20, 20, 30, 30]], float)
    np.testing.assert_allclose(overlap(box, others), [1.0, 1 / 3, 0.04, 0.0])
    np.testing.assert_allclose(overlap(box, others, of_smaller=True), [1.0, 0.5, 1.0, 0.0])
    assert overlap(box, np.zeros((0, 4))).shape == (0,)
    assert best_over(box, list(others[1:])) == 0 and best_over(box, [others[3]]) is None and best_over(box, []) is None


def test_a_map_shifts_along_the_axes_of_the_object():
    shift = BoxMap("blazeface", (0.0, 0.1), 0.9)
    upright = shift(Detection(np.array([10.0, 10.0, 110.0, 110.0]), 0.9))
    np.testing.assert_allclose(upright.box, [15.0, 25.0, 105.0, 115.0])
    lying = shift(Detection(np.array([10.0, 10.0, 110.0, 110.0]), 0.9, roll=90.0))  # its chin points to the left
    np.testing.assert_allclose(lying.box, [5.0, 15.0, 95.0, 105.0], atol=1e-9)
    assert lying.roll == 90.0


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0.1, 3))
def test_maps_round_trip(x, y, scale):
    one = BoxMap("blazeface", (x, y), scale)
    assert BoxMap.from_dict(one.to_dict()) == one


@pytest.mark.parametrize("fields", [{"shift": [0, 0], "scale": 0}, {"shift": [0, float("nan")], "scale": 1}])
def test_maps_that_lead_nowhere_are_refused(fields):
    with pytest.raises(ValueError, match="no map of boxes"):
        BoxMap.from_dict({"name": "blazeface", **fields})


@pytest.mark.parametrize(
    "box, words",
    [
        ([10, 10, 10, 10], "empty or reversed"),
        ([50, 10, 20, 30], "empty or reversed"),
        ([1, 2, 3], "four numbers"),
        ("nonsense", "four numbers"),
        ([0, 0, float("nan"), 5], "finite"),
        ([0, 0, float("inf"), 5], "finite"),
        ([200, 200, 300, 300], "outside the picture of 100x80"),
        ([-60, -60, -10, -10], "outside"),
    ],
)
def test_boxes_without_sense_are_named(box, words):
    with pytest.raises(CUNetError, match=words):
        check_box(box, 100, 80)


def test_a_box_may_reach_over_the_border():
    np.testing.assert_array_equal(check_box((-5, -5, 50, 200), 100, 80), [-5.0, -5.0, 50.0, 200.0])
