import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cunet_tf.data.geometry import (
    IDENTITY,
    apply,
    compose,
    crop_matrix,
    from_heatmap,
    invert,
    tight_box,
    to_heatmap,
    warp,
    whole_picture,
)

few = settings(deadline=None, max_examples=50)
places = st.floats(-500, 500)
points = st.tuples(places, places).map(np.array)


@st.composite
def boxes(draw):
    x, y, width, height = draw(places), draw(places), draw(st.floats(1, 900)), draw(st.floats(1, 900))
    return np.array([x, y, x + width, y + height])


views = st.fixed_dictionaries(
    {
        "box": boxes(),
        "crop_factor": st.floats(1.0, 2.0),
        "size": st.sampled_from([64, 128, 256]),
        "scale": st.floats(0.5, 2.0),
        "rotation": st.floats(-180, 180),
        "shift": st.tuples(st.floats(-0.2, 0.2), st.floats(-0.2, 0.2)),
        "flip": st.booleans(),
    }
)


def crop_by_complex_numbers(point, box, crop_factor, size, scale, rotation, shift, flip):
    """The crop's definition written another way: y points down, so a turn to the left is e^(-ia)."""
    x0, y0, x1, y1 = box
    zoom = scale * size / (crop_factor * max(x1 - x0, y1 - y0))
    arm = complex(*point) - complex(x0 + x1, y0 + y1) / 2
    turned = (
        complex(size - 1, size - 1) / 2 + complex(*shift) * size + arm * zoom * np.exp(-1j * np.pi * rotation / 180)
    )
    return [size - 1 - turned.real if flip else turned.real, turned.imag]


@few
@given(views, points)
def test_crop_matrix_does_what_its_definition_says(view, point):
    expected = crop_by_complex_numbers(point, **view)
    np.testing.assert_allclose(apply(crop_matrix(**view), point), expected, rtol=1e-9, atol=1e-6)


@few
@given(views, points)
def test_inverse_undoes_the_crop(view, point):
    matrix = crop_matrix(**view)
    np.testing.assert_allclose(apply(invert(matrix), apply(matrix, point)), point, atol=1e-7)
    np.testing.assert_allclose(compose(invert(matrix), matrix), IDENTITY, atol=1e-7)
    np.testing.assert_allclose(compose(matrix, invert(matrix)), IDENTITY, atol=1e-7)


@few
@given(views, views, points)
def test_compose_applies_the_inner_matrix_first(outer, inner, point):
    outer, inner = crop_matrix(**outer), crop_matrix(**inner)
    np.testing.assert_allclose(
        apply(compose(outer, inner), point), apply(outer, apply(inner, point)), rtol=1e-9, atol=1e-6
    )


@few
@given(boxes(), st.floats(1.0, 2.0), st.sampled_from([64, 128]))
def test_corners_of_the_crop_are_the_outer_edges_of_its_pixels(box, factor, size):
    centre = (box[:2] + box[2:]) / 2
    half = factor * max(box[2:] - box[:2]) / 2
    matrix = crop_matrix(box, factor, size)
    np.testing.assert_allclose(apply(matrix, centre), [(size - 1) / 2] * 2, atol=1e-6)
    np.testing.assert_allclose(apply(matrix, centre - half), [-0.5, -0.5], atol=1e-6)
    np.testing.assert_allclose(apply(matrix, centre + half), [size - 0.5, size - 0.5], atol=1e-6)
    np.testing.assert_allclose(apply(matrix, centre + [half, -half]), [size - 0.5, -0.5], atol=1e-6)


def test_crop_of_the_whole_picture_at_its_own_size_is_the_identity():
    np.testing.assert_allclose(crop_matrix(whole_picture(64, 64), 1.0, 64), IDENTITY, atol=1e-12)


def test_crop_of_a_wide_picture_pads_above_and_below():
    matrix = crop_matrix(whole_picture(100, 60), 1.0, 100)
    np.testing.assert_allclose(matrix, [[1, 0, 0], [0, 1, 20]], atol=1e-12)


@pytest.mark.parametrize("rotation, there", [(0, (1, 0)), (90, (0, -1)), (180, (-1, 0)), (-90, (0, 1))])
def test_positive_rotation_turns_counter_clockwise_on_the_screen(rotation, there):
    matrix = crop_matrix(np.array([-2.0, -2.0, 2.0, 2.0]), 1.0, 4, rotation=rotation)
    arm = apply(matrix, [1.0, 0.0]) - apply(matrix, [0.0, 0.0])
    np.testing.assert_allclose(arm, there, atol=1e-12)


@few
@given(views, points)
def test_flip_mirrors_the_finished_crop(view, point):
    plain = apply(crop_matrix(**{**view, "flip": False}), point)
    mirrored = apply(crop_matrix(**{**view, "flip": True}), point)
    np.testing.assert_allclose(mirrored, [view["size"] - 1 - plain[0], plain[1]], rtol=1e-9, atol=1e-6)


def test_apply_maps_arrays_of_any_shape_in_float64():
    matrix = np.array([[2.0, 0.0, 1.0], [0.0, 3.0, -1.0]])
    mapped = apply(matrix, np.arange(12, dtype=np.float32).reshape(2, 3, 2))
    assert mapped.shape == (2, 3, 2) and mapped.dtype == np.float64
    np.testing.assert_array_equal(mapped[1, 0], [2 * 6 + 1, 3 * 7 - 1])


@pytest.mark.parametrize("crop, heatmap", [(-0.5, -0.5), (1.5, 0.0), (3.5, 0.5), (5.5, 1.0), (127.5, 31.5)])
def test_heatmap_pixels_are_blocks_of_four(crop, heatmap):
    assert to_heatmap(crop) == heatmap
    assert from_heatmap(heatmap) == crop


@few
@given(st.floats(-1e4, 1e4))
def test_heatmap_and_crop_coordinates_are_inverse(value):
    assert from_heatmap(to_heatmap(value)) == pytest.approx(value, abs=1e-9)
    assert to_heatmap(from_heatmap(value)) == pytest.approx(value, abs=1e-9)


def test_tight_box_of_all_and_of_masked_points():
    cloud = np.array([[3, 9], [-1, 4], [7, 5]], np.float32)
    np.testing.assert_array_equal(tight_box(cloud), [-1, 4, 7, 9])
    np.testing.assert_array_equal(tight_box(cloud, np.array([1, 0, 1])), [3, 5, 7, 9])
    assert tight_box(cloud).dtype == np.float64


# Pixels -------------------------------------------------------------------------------------


def gaussian_picture(width: int, height: int, centre: np.ndarray, sigma: float) -> np.ndarray:
    x, y = np.arange(width), np.arange(height)
    blob = np.outer(np.exp(-((y - centre[1]) ** 2) / 2 / sigma**2), np.exp(-((x - centre[0]) ** 2) / 2 / sigma**2))
    return np.repeat(np.round(200 * blob)[..., None], 3, axis=2).astype(np.uint8)


def centroid(image: np.ndarray) -> np.ndarray:
    found = cv2.moments(image[..., 0])
    return np.array([found["m10"], found["m01"]]) / found["m00"]


# Area averaging starts below a zoom of 0.5; odd factors, even ones and sizes with a remainder.
@pytest.mark.parametrize("zoom", [2.0, 1.0, 0.7, 0.51, 0.5, 0.49, 0.34, 0.33, 0.26, 0.2, 0.11])
@pytest.mark.parametrize("rotation, flip", [(0.0, False), (25.0, True), (-140.0, False)])
def test_warp_moves_a_blob_exactly_where_apply_says(zoom, rotation, flip, rng):
    size, side = 64, 64 / zoom
    width, height = int(1.4 * side) + 5, int(1.3 * side) + 3
    corner = np.array([0.2, 0.15]) * side + rng.uniform(-1, 1, 2)
    box = np.concatenate([corner, corner + side])
    matrix = crop_matrix(box, 1.0, size, rotation=rotation, flip=flip)
    target = size / 2 + rng.uniform(-10, 10, 2)
    picture = gaussian_picture(width, height, apply(invert(matrix), target), sigma=2.5 / zoom)
    np.testing.assert_allclose(centroid(warp(picture, matrix, size)), target, atol=0.05)


def test_warp_by_the_identity_returns_the_picture(rng):
    picture = rng.integers(0, 256, (32, 32, 3), np.uint8)
    same = warp(picture, IDENTITY, 32)
    assert same.dtype == np.uint8
    np.testing.assert_array_equal(same, picture)


def test_warp_by_whole_pixels_shifts_and_is_black_outside(rng):
    picture = rng.integers(1, 256, (20, 30, 3), np.uint8)
    moved = warp(picture, np.array([[1.0, 0.0, 3.0], [0.0, 1.0, -2.0]]), 24)
    np.testing.assert_array_equal(moved[:18, 3:], picture[2:, :21])
    assert not moved[:, :3].any() and not moved[18:].any()


def test_warp_with_flip_is_the_mirror_image(rng):
    picture = rng.integers(0, 256, (32, 32, 3), np.uint8)
    mirrored = warp(picture, crop_matrix(whole_picture(32, 32), 1.0, 32, flip=True), 32)
    np.testing.assert_array_equal(mirrored, picture[:, ::-1])


@pytest.mark.parametrize("factor", [3, 4, 7])
def test_warp_reduces_by_averaging_areas(factor, rng):
    side = 32 * factor
    picture = rng.integers(0, 256, (side, side, 3), np.uint8)
    averages = picture.reshape(32, factor, 32, factor, 3).mean(axis=(1, 3))
    reduced = warp(picture, crop_matrix(whole_picture(side, side), 1.0, 32), 32)
    np.testing.assert_allclose(reduced, averages, atol=1)


def test_warp_keeps_the_type_of_float_pictures():
    picture = np.full((40, 40, 3), 0.25, np.float32)
    crop = warp(picture, crop_matrix(whole_picture(40, 40), 1.0, 16), 16)
    assert crop.dtype == np.float32
    np.testing.assert_allclose(crop[2:-2, 2:-2], 0.25, atol=1e-6)


@pytest.mark.parametrize("height, width", [(1, 400), (400, 2), (3, 1000)])
def test_warp_of_a_picture_thinner_than_one_crop_pixel(height, width):
    picture = np.full((height, width, 3), 255, np.uint8)
    crop = warp(picture, crop_matrix(whole_picture(width, height), 1.0, 64), 64)
    assert crop.shape == (64, 64, 3)
    assert not crop[:30, :30].any()
