import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng

from cunet_tf.data.scene import background, clutter, disk, fill, light, occlude, random_colour, stroke, tint

WHITE = (255, 255, 255)
seeds = st.integers(0, 10**6)
few = settings(deadline=None, max_examples=30)


def black(side: int = 64) -> np.ndarray:
    return np.zeros((side, side, 3), np.uint8)


def centroid_and_area(canvas: np.ndarray) -> tuple[np.ndarray, float]:
    found = cv2.moments(canvas[..., 0] / 255.0)
    return np.array([found["m10"], found["m01"]]) / found["m00"], found["m00"]


@few
@given(seeds, st.sampled_from([48, 160]))
def test_background_is_a_picture_that_its_seed_decides(seed, side):
    picture = background(default_rng(seed), side)
    assert picture.shape == (side, side, 3) and picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, background(default_rng(seed), side))
    assert (picture != background(default_rng(seed + 1), side)).mean() > 0.2


@few
@given(seeds)
def test_clutter_and_light_are_decided_by_their_seed(seed):
    first, second = black(), black()
    clutter(default_rng(seed), first, 0.3)
    clutter(default_rng(seed), second, 0.3)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(light(default_rng(seed), first), light(default_rng(seed), first))


def test_clutter_draws_something_nearly_always():
    drawn = []
    for seed in range(60):
        canvas = np.full((64, 64, 3), 128, np.uint8)
        clutter(default_rng(seed), canvas, largest=0.3)
        drawn.append((canvas != 128).any())
    assert np.mean(drawn) > 0.9


def test_clutter_stays_within_reach():
    for seed in range(60):
        canvas = black(200)
        clutter(default_rng(seed), canvas, largest=0.06)
        rows, columns = np.nonzero(canvas.any(axis=2))
        if len(rows):
            # A bar may be 2 reaches long to one side; 12 pixels each.
            assert max(np.ptp(rows), np.ptp(columns)) <= 2 * 12 + 6


@pytest.mark.parametrize("chance, low, high", [(0.0, 0.0, 0.0), (0.3, 0.15, 0.45), (1.0, 0.85, 1.0)])
def test_occluders_come_with_the_given_chance(chance, low, high):
    changed = []
    for seed in range(100):
        canvas = np.full((64, 64, 3), 128, np.uint8)
        occlude(default_rng(seed), canvas, chance)
        changed.append((canvas != 128).any())
    assert low <= np.mean(changed) <= high


@few
@given(seeds)
def test_light_keeps_shape_and_type_and_roughly_the_brightness(seed):
    grey = np.full((64, 64, 3), 128, np.uint8)
    lit = light(default_rng(seed), grey)
    assert lit.shape == grey.shape and lit.dtype == np.uint8
    assert (grey == 128).all()
    assert 0.65 * 128 <= lit.mean() <= 1.2 * 128
    assert lit.std() > 0.5  # noise


@few
@given(seeds, st.integers(0, 100), st.integers(101, 255))
def test_random_colour_is_in_its_range(seed, low, high):
    colour = random_colour(default_rng(seed), low, high)
    assert len(colour) == 3 and all(type(value) is int and low <= value < high for value in colour)


def test_tint_scales_and_clips():
    assert tint((10, 100, 200), 0.5) == (5, 50, 100)
    assert tint((10, 100, 200), 1.5) == (15, 150, 255)
    assert tint((10, 100, 200), 1.0) == (10, 100, 200)


@few
@given(st.floats(20, 40), st.floats(20, 40), st.integers(4, 15))
def test_disk_has_a_sub_pixel_centre_and_its_area(x, y, radius):
    canvas = black()
    disk(canvas, np.array([x, y]), radius, WHITE)
    centre, area = centroid_and_area(canvas)
    np.testing.assert_allclose(centre, [x, y], atol=0.1)
    assert area == pytest.approx(np.pi * (radius + 0.5) ** 2, rel=0.07)  # half a soft pixel around


@few
@given(st.floats(20, 40), st.floats(20, 40), st.floats(6, 15))
def test_fill_has_sub_pixel_corners(x, y, half):
    canvas = black()
    fill(canvas, np.array([x, y]) + half * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]), WHITE)
    centre, area = centroid_and_area(canvas)
    assert centre[0] == pytest.approx(x, abs=0.15)
    assert centre[1] == pytest.approx(y, abs=0.6)  # OpenCV rounds level edges to whole rows
    assert 4 * half**2 <= area <= (2 * half + 2) ** 2


@few
@given(st.floats(10, 30), st.integers(1, 9))
def test_stroke_follows_its_points_with_its_width(y, width):
    canvas = black()
    stroke(canvas, np.array([[10.0, y], [30.0, y], [50.0, y]]), WHITE, width)
    centre, area = centroid_and_area(canvas)
    np.testing.assert_allclose(centre, [30, y], atol=0.6)
    widest = width + 3
    assert 40 * width <= area <= 40 * widest + np.pi * widest**2 / 4  # with round ends


def test_strokes_are_open_lines():
    canvas = black()
    stroke(canvas, np.array([[10.0, 10.0], [50.0, 10.0], [50.0, 50.0]]), WHITE, 1)
    assert canvas[10, 30].any() and canvas[30, 50].any() and not canvas[30, 30].any()
