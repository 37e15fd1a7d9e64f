import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from keras import ops

from cunet_tf.heatmaps import decode, gaussian_maps
from cunet_tf.soft_decoder import peak_cells, seen_points, soft_points

SIDE = 24
few = settings(deadline=None, max_examples=25)
sigmas = st.sampled_from([1.0, 1.2, 2.0])


def found(maps, sigma):
    return tuple(np.asarray(each) for each in soft_points(np.asarray(maps, "float32"), sigma))


def drawn(points, sigma, side=SIDE):
    return np.asarray(gaussian_maps(np.asarray(points, "float32"), sigma, side))


@few
@given(arrays(np.float32, (2, 3, 2), elements=st.floats(7, SIDE - 8, width=32)), sigmas, st.floats(0.1, 2.0))
def test_a_gaussian_inside_is_found_exactly_whatever_its_height(points, sigma, height):
    decoded, _ = found(height * drawn(points, sigma), sigma)
    np.testing.assert_allclose(decoded, points, atol=0.005)


@few
@given(arrays(np.float32, (1, 3, 2), elements=st.floats(-0.5, SIDE - 0.5, width=32)), sigmas)
def test_a_perfect_map_has_no_error_at_the_border_either(points, sigma):
    decoded, cells = found(drawn(points, sigma), sigma)
    goal = np.asarray(seen_points(points, cells, sigma, SIDE))
    np.testing.assert_allclose(decoded, goal, atol=2e-3)


def test_the_border_is_seen_as_it_cuts_and_the_inside_as_it_is():
    """By hand: at cell 0 the product of target and window has its weights at 0, 1, 2, ..."""
    points = np.array([[[0.0, 12.3]]], "float32")
    goal = np.asarray(seen_points(points, np.array([[[0.0, 12.0]]], "float32"), 1.2, SIDE))
    weights = np.exp(-(np.arange(SIDE) ** 2) / 1.2**2)
    assert goal[0, 0, 0] == pytest.approx(2 * (weights @ np.arange(SIDE)) / weights.sum(), rel=1e-4)
    assert goal[0, 0, 1] == pytest.approx(12.3, abs=1e-4)


@few
@given(arrays(np.float32, (1, 2, 2), elements=st.floats(-0.5, SIDE - 0.5, width=32)))
def test_a_point_far_from_the_maximum_is_still_seen(points):
    goal = np.asarray(seen_points(points, np.zeros((1, 2, 2), "float32"), 1.2, SIDE))
    inside = (points > 6) & (points < SIDE - 7)
    np.testing.assert_allclose(goal[inside], points[inside], atol=0.01)
    assert np.isfinite(goal).all()


def test_it_agrees_with_dark_on_maps_that_are_no_gaussians(rng):
    """Two peaks side by side: one is found, from which the other draws the point away by as much as it draws DARK."""
    points = np.array([[[10.2, 11.0], [12.6, 9.7]]], "float32")
    maps = drawn(points, 1.2)
    maps = maps + 0.2 * drawn(points + [2.0, 0.0], 1.2)
    dark, _ = decode(maps, "dark", 1.2)
    decoded, _ = found(maps, 1.2)
    assert np.abs(decoded - points).max() > 0.1
    np.testing.assert_allclose(decoded, dark, atol=0.1)


def test_an_empty_map_is_found_at_its_first_cell():
    decoded, cells = found(np.zeros((1, SIDE, SIDE, 2)), 1.2)
    np.testing.assert_array_equal(decoded, 0.0)
    np.testing.assert_array_equal(cells, 0.0)


def test_cells_are_x_and_y():
    maps = np.zeros((1, 5, 6, 1), "float32")
    maps[0, 4, 2, 0] = 1.0
    assert [int(each[0, 0]) for each in peak_cells(ops.convert_to_tensor(maps))] == [2, 4]


def test_gradients_are_those_of_finite_differences(rng):
    import tensorflow as tf

    maps = drawn([[[10.3, 11.8], [8.1, 14.4]]], 1.2) + 0.05 * rng.random((1, SIDE, SIDE, 2))
    way = rng.standard_normal(maps.shape)
    variable = tf.Variable(maps, dtype=tf.float32)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(soft_points(variable, 1.2)[0])
    slope = float(np.sum(tape.gradient(total, variable).numpy() * way))
    step = 2e-3
    ends = [found(maps + sign * step * way, 1.2)[0].astype(float).sum() for sign in (1, -1)]
    assert slope == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=0.02)
