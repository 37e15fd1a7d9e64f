import numpy as np
import pytest
from hypothesis import given, settings
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


# Properties ---------------------------------------------------------------------------------

few = settings(deadline=None, max_examples=50)
sides, places = st.floats(0.5, 200), st.floats(-300, 300)
boxes = st.tuples(places, places, sides, sides).map(lambda b: np.array([b[0], b[1], b[0] + b[2], b[1] + b[3]]))
rolls = st.floats(-180, 180)


@few
@given(boxes, boxes)
def test_overlap_is_a_share_that_both_boxes_have_in_common(one, other):
    share, of_smaller = (float(overlap(one, other[None], of_smaller=each)[0]) for each in (False, True))
    assert 0.0 <= share <= of_smaller <= 1.0 + 1e-9
    assert share == pytest.approx(float(overlap(other, one[None])[0]), abs=1e-12)
    assert float(overlap(one, one[None])[0]) == pytest.approx(1.0)
    apart = (one[:2] >= other[2:]).any() or (other[:2] >= one[2:]).any()
    assert (share == 0.0) == apart


@few
@given(boxes, boxes, st.floats(0.1, 10), places)
def test_overlap_bears_a_common_scale_and_shift(one, other, zoom, shift):
    moved = overlap(zoom * one + shift, (zoom * other + shift)[None])
    np.testing.assert_allclose(moved, overlap(one, other[None]), rtol=1e-6, atol=1e-9)


@few
@given(boxes, st.floats(0, 1), st.floats(0, 1), st.floats(0.05, 0.99))
def test_a_box_within_another_shares_its_area_and_all_of_the_smaller(box, x, y, part):
    size = box[2:] - box[:2]
    low = box[:2] + (1.0 - part) * size * [x, y]
    inner = np.concatenate([low, low + part * size])
    assert overlap(box, inner[None])[0] == pytest.approx(part**2)
    assert overlap(box, inner[None], of_smaller=True)[0] == pytest.approx(1.0)


@few
@given(boxes, st.lists(boxes, max_size=6))
def test_the_best_over_a_box_is_one_of_the_highest_share(box, others):
    index = best_over(box, others)
    shares = [float(overlap(box, other[None])[0]) for other in others]
    assert shares[index] == max(shares) > 0 if index is not None else not any(shares)


def turned(points, degrees):
    angle = np.deg2rad(degrees)
    return points @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def middle(box):
    return (box[:2] + box[2:]) / 2


@few
@given(boxes, st.floats(-1, 1), st.floats(-1, 1), st.floats(0.1, 3), rolls, rolls)
def test_a_map_turns_with_the_object(box, x, y, scale, roll, more):
    """From the box's middle to that of the square, and no side depends on the roll."""
    found = [BoxMap("any", (x, y), scale)(Detection(box, 0.5, each)) for each in (roll, roll + more)]
    first, second = (middle(each.box) - middle(box) for each in found)
    np.testing.assert_allclose(second, turned(first, more), atol=1e-6)
    for each in found:
        np.testing.assert_allclose(each.box[2:] - each.box[:2], scale * (box[2:] - box[:2]).max(), rtol=1e-9)


@few
@given(boxes, rolls)
def test_a_map_of_nothing_makes_a_square_about_the_same_middle(box, roll):
    square = BoxMap("any")(Detection(box, 0.5, roll)).box
    np.testing.assert_allclose(middle(square), middle(box), atol=1e-9)
    again = BoxMap("any")(Detection(square, 0.5, roll)).box
    np.testing.assert_allclose(again, square, atol=1e-9)


@few
@given(boxes, st.integers(1, 200), st.integers(1, 200))
def test_a_box_is_taken_where_it_reaches_the_picture_and_only_there(box, width, height):
    touches = box[0] <= width - 0.5 and box[2] >= -0.5 and box[1] <= height - 0.5 and box[3] >= -0.5
    if touches:
        np.testing.assert_array_equal(check_box(box.tolist(), width, height), box)
    else:
        with pytest.raises(CUNetError, match="^mine .* lies outside the picture"):
            check_box(box, width, height, "mine")
