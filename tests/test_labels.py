import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cunet_tf.labels import place_labels

BOUNDS = (0.0, 0.0, 500.0, 400.0)
places = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 400)), min_size=1, max_size=8)


def overlaps(boxes: np.ndarray) -> int:
    """Pairs of boxes that have an area in common."""
    return sum(
        bool((np.minimum(a[2:], b[2:]) > np.maximum(a[:2], b[:2])).all())
        for index, a in enumerate(boxes)
        for b in boxes[index + 1 :]
    )


def test_a_label_alone_is_to_the_right_of_its_point():
    box = place_labels(np.array([[100.0, 100.0]]), np.array([[60.0, 10.0]]), BOUNDS, gap=10.0)
    np.testing.assert_allclose(box, [[110.0, 95.0, 170.0, 105.0]])


def test_a_label_at_the_edge_stays_inside():
    (box,) = place_labels(np.array([[490.0, 395.0]]), np.array([[60.0, 10.0]]), BOUNDS, gap=10.0)
    assert box[2] <= 500 and box[3] <= 400


@settings(deadline=None, max_examples=50)
@given(places)
def test_labels_of_few_points_never_overlap_and_keep_their_size(points):
    sizes = np.tile([50.0, 12.0], (len(points), 1))
    boxes = place_labels(np.array(points, float), sizes, BOUNDS, gap=10.0)
    assert overlaps(boxes) == 0
    np.testing.assert_allclose(boxes[:, 2:] - boxes[:, :2], sizes)
    np.testing.assert_array_equal(boxes, place_labels(np.array(points, float), sizes, BOUNDS, gap=10.0))


def test_obstacles_stay_visible():
    obstacles = np.array([[130.0, 100.0], [100.0, 100.0]])
    (box,) = place_labels(obstacles[1:], np.array([[60.0, 10.0]]), BOUNDS, 10.0, obstacles)
    assert not ((obstacles > box[:2]) & (obstacles < box[2:])).all(axis=1).any()
    assert box[:2] != pytest.approx([110.0, 95.0])
