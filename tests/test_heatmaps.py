import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cunet_tf.errors import CUNetError
from cunet_tf.heatmaps import REFERENCE_SIGMA, decode, disk_maps, gaussian_maps, reference_maps

few = settings(deadline=None, max_examples=25)
SIZE = 32
every_decoder = pytest.mark.parametrize("decoder", ["dark", "quarter", "argmax"])


def gaussians(points: np.ndarray, sigma: float, size: int = SIZE) -> np.ndarray:
    """Maps ``[1, size, size, C]`` of points ``[C, 2]``, by the definition."""
    y, x = np.indices((size, size))[..., None]
    return np.exp(-((x - points[:, 0]) ** 2 + (y - points[:, 1]) ** 2) / (2 * sigma**2))[None]


def disk_logits(points: np.ndarray, radius: float, logit: float = 8.0) -> np.ndarray:
    """Maps ``[1, SIZE, SIZE, C]``: ``logit`` inside the disks of points ``[C, 2]``, ``-logit`` outside."""
    y, x = np.indices((SIZE, SIZE))[..., None]
    inside = (x - points[:, 0]) ** 2 + (y - points[:, 1]) ** 2 <= radius**2
    return logit * (2.0 * inside[None] - 1.0)


def drawn_by(draw, points: np.ndarray, size: float, side: int = SIZE) -> np.ndarray:
    return np.asarray(draw(np.asarray(points, np.float32)[None], size, side))


def clouds(low: float, high: float):
    return arrays(np.float64, (5, 2), elements=st.floats(low, high))


# Encoder ------------------------------------------------------------------------------------


@few
@given(clouds(-3.0, SIZE + 3.0), st.floats(0.7, 3.0))
def test_gaussians_have_peak_one(points, sigma):
    points = points.astype(np.float32).astype(np.float64)
    drawn = drawn_by(gaussian_maps, points, sigma)
    assert drawn.shape == (1, SIZE, SIZE, 5)
    np.testing.assert_allclose(drawn, gaussians(points, sigma), atol=2e-5)


def test_gaussian_values_in_closed_form():
    drawn = drawn_by(gaussian_maps, [[5.0, 2.0], [3.5, 4.0]], 1.5, 8)[0]
    assert drawn[2, 5, 0] == 1.0
    assert drawn[2, 6, 0] == pytest.approx(np.exp(-1 / 4.5))
    assert drawn[4, 5, 0] == pytest.approx(np.exp(-4 / 4.5))
    assert drawn[4, 3, 1] == drawn[4, 4, 1] == pytest.approx(np.exp(-0.25 / 4.5))


def test_drawing_does_not_read_the_mask():
    with_mask = [[5.0, 2.0, 0.0]]
    for draw in (gaussian_maps, reference_maps, disk_maps):
        plain = drawn_by(draw, [[5.0, 2.0]], 1.0, 8)
        np.testing.assert_array_equal(drawn_by(draw, with_mask, 1.0, 8), plain)


def reference_map(x: int, y: int, size: int) -> np.ndarray:
    """exp(-d^2 / 9) in a 7x7 box, cell by cell."""
    drawn = np.zeros((size, size))
    for row in range(max(0, y - 3), min(size, y + 4)):
        for column in range(max(0, x - 3), min(size, x + 4)):
            drawn[row, column] = np.exp(-((row - y) ** 2 + (column - x) ** 2) / 9)
    return drawn


@few
@given(st.integers(-1, 16), st.integers(-1, 16), st.floats(-0.49, 0.49), st.floats(-0.49, 0.49))
def test_reference_variant_is_a_seven_pixel_box_at_rounded_centres(x, y, dx, dy):
    drawn = drawn_by(reference_maps, [[x + dx, y + dy]], REFERENCE_SIGMA, 16)
    np.testing.assert_allclose(drawn[0, ..., 0], reference_map(x, y, 16), atol=1e-6)


def test_reference_box_has_49_cells():
    drawn = drawn_by(reference_maps, [[8.2, 7.9]], REFERENCE_SIGMA, 16)
    assert np.count_nonzero(drawn) == 49 and drawn[0, 8, 8, 0] == 1.0


@few
@given(clouds(-2.0, SIZE + 2.0), st.floats(0.6, 4.0))
def test_disks_are_one_within_the_radius(points, radius):
    points, radius = points.astype(np.float32).astype(np.float64), float(np.float32(radius))
    drawn = drawn_by(disk_maps, points, radius)
    clear = np.abs(disk_logits(points, radius + 1e-4) + disk_logits(points, radius - 1e-4)) > 0  # not on the edge
    np.testing.assert_array_equal(drawn[clear], (disk_logits(points, radius) > 0)[clear])


def test_disk_cells_in_closed_form():
    drawn = drawn_by(disk_maps, [[5.0, 2.0]], 2.0, 8)[0, ..., 0]
    rows = {0: "5", 1: "456", 2: "34567", 3: "456", 4: "5"}
    expected = np.array([[str(x) in rows.get(y, "") for x in range(8)] for y in range(8)])
    np.testing.assert_array_equal(drawn, expected)


# Decoders -----------------------------------------------------------------------------------


@pytest.mark.parametrize("decoder, bound", [("dark", 0.01), ("quarter", 0.26), ("argmax", 0.5)])
@few
@given(points=clouds(4.5, SIZE - 5.5), sigma=st.floats(0.9, 1.5))
def test_error_of_each_decoder_away_from_the_border(decoder, bound, points, sigma):
    found, scores = decode(gaussians(points, sigma), decoder, sigma)
    assert found.shape == (1, 5, 2) and found.dtype == np.float64
    assert scores.shape == (1, 5) and scores.dtype == np.float32
    assert np.abs(found[0] - points).max() <= bound + 1e-6


@pytest.mark.parametrize("decoder, bound", [("dark", 0.03), ("quarter", 0.5), ("argmax", 0.5)])
@few
@given(points=clouds(-0.499, SIZE - 0.501))
def test_error_of_each_decoder_up_to_the_border(decoder, bound, points):
    found, _ = decode(gaussians(points, 1.2), decoder, 1.2)
    assert np.abs(found[0] - points).max() <= bound + 1e-5


SIDES, SIGMAS = st.sampled_from([16, 32, 64]), st.sampled_from([1.0, 1.2, 1.5, 2.12])


@settings(deadline=None, max_examples=150)
@given(st.data(), SIDES, SIGMAS)
def test_dark_finds_gaussians_anywhere_on_the_map(data, side, sigma):
    points = data.draw(arrays(np.float64, (5, 2), elements=st.floats(-0.5, side - 0.5)))
    found, _ = decode(gaussians(points, sigma, side), "dark", sigma)
    assert np.abs(found[0] - points).max() < 0.01


@pytest.mark.parametrize("side", [16, 33])
@pytest.mark.parametrize(
    "sigma, bound", [(0.8, 0.04), (1.0, 0.005), (1.2, 0.005), (1.5, 0.005), (2.12, 0.005), (3.0, 0.005)]
)
def test_dark_has_no_bias_at_borders_and_corners(side, sigma, bound):
    near = np.concatenate([np.arange(-0.5, 3.1, 0.25), side - 0.5 - np.arange(0, 3.6, 0.25)])
    points = np.stack(np.meshgrid(near, near), axis=-1).reshape(-1, 2)
    found, _ = decode(gaussians(points, sigma, side), "dark", sigma)
    assert np.abs(found[0] - points).max() < bound


@few
@given(points=clouds(0.0, SIZE - 1.0), sigma=st.floats(0.4, 0.69))
def test_dark_of_gaussians_of_hardly_a_cell(points, sigma):
    found, _ = decode(gaussians(points, sigma), "dark", sigma)
    assert np.abs(found[0] - points).max() < 0.3


def test_dark_on_a_map_that_is_no_square():
    points = np.array([[-0.3, 11.2], [19.4, -0.2], [0.1, 0.4], [18.8, 10.7]])
    y, x = np.indices((12, 20))[..., None]
    maps = np.exp(-((x - points[:, 0]) ** 2 + (y - points[:, 1]) ** 2) / (2 * 1.2**2))[None]
    np.testing.assert_allclose(decode(maps, "dark", 1.2)[0][0], points, atol=0.005)


def zhang(heatmap: np.ndarray, sigma: float) -> np.ndarray:
    """DARK as it is published, of one map ``[h, w]`` whose peak is inside: cell by cell, zeros outside."""
    reach = (round(8 * sigma + 1) | 1) // 2
    kernel = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    rows = [np.convolve(row, kernel / kernel.sum(), "same") for row in heatmap]
    smooth = np.stack([np.convolve(column, kernel / kernel.sum(), "same") for column in np.transpose(rows)], axis=1)
    y, x = np.unravel_index(smooth.argmax(), smooth.shape)
    p = np.log(np.maximum(smooth[y - 1 : y + 2, x - 1 : x + 2], 1e-6))
    slope = np.array([p[1, 2] - p[1, 0], p[2, 1] - p[0, 1]]) / 2
    cross = (p[2, 2] - p[2, 0] - p[0, 2] + p[0, 0]) / 4
    bend = np.array([[p[1, 2] + p[1, 0] - 2 * p[1, 1], cross], [cross, p[2, 1] + p[0, 1] - 2 * p[1, 1]]])
    return [x, y] - np.linalg.solve(bend, slope)


@few
@given(seed=st.integers(0, 10**6), noise=st.floats(0, 0.1), sigma=st.floats(0.9, 1.5), wider=st.floats(0.8, 1.4))
def test_dark_is_as_published_away_from_the_border(seed, noise, sigma, wider):
    rng = np.random.default_rng(seed)
    points = rng.uniform(12, SIZE - 13, (4, 2))
    maps = gaussians(points, wider * sigma) + noise * rng.standard_normal((1, SIZE, SIZE, 4))
    found, _ = decode(maps, "dark", sigma)
    expected = [zhang(maps[0, ..., channel], sigma) for channel in range(4)]
    np.testing.assert_allclose(found[0], expected, atol=1e-4)


def test_dark_at_the_border_bears_noise_and_a_second_smaller_peak(rng):
    """Root mean square of the distance: half again as much as inside; no leap to a second peak a quarter as high."""
    points, others = rng.uniform(-0.5, SIZE - 0.5, (2, 600, 2))
    points[:, 0] = rng.uniform(-0.5, 1.5, 600)
    away = np.linalg.norm(points - others, axis=1) > 7
    for noise, bound in ((0.02, 0.06), (0.05, 0.15), (0.1, 0.3)):
        speckle = noise * rng.standard_normal((1, SIZE, SIZE, 600))
        alone = decode(gaussians(points, 1.2) + speckle, "dark", 1.2)[0][0]
        assert np.sqrt((np.linalg.norm(alone - points, axis=1) ** 2).mean()) < bound
        pair = decode(gaussians(points, 1.2) + 0.25 * away * gaussians(others, 1.2) + speckle, "dark", 1.2)[0][0]
        assert (np.linalg.norm(pair - points, axis=1) > 2).mean() < 0.01


def test_dark_prefers_a_peak_inside_to_one_that_is_higher_only_by_its_fit():
    """Which peak it is stays as it was, by the smoothed map; a little one in a corner is not multiplied up."""
    maps = gaussians(np.array([[20.0, 16.0]]), 1.2) + 1.2 * gaussians(np.array([[-0.5, -0.5]]), 1.2)
    found, _ = decode(maps, "dark", 1.2)
    np.testing.assert_allclose(found[0, 0], [20, 16], atol=0.01)


@pytest.mark.parametrize("decoder", ["quarter", "argmax"])
@few
@given(cells=arrays(np.int64, (5, 2), elements=st.integers(0, SIZE - 1)))
def test_whole_pixels_are_found_exactly_also_on_the_border(decoder, cells):
    found, scores = decode(gaussians(cells.astype(float), 1.2), decoder)
    np.testing.assert_array_equal(found[0], cells)
    np.testing.assert_array_equal(scores, 1.0)


@pytest.mark.parametrize("offset, expected", [((0.2, -0.1), (0.25, -0.25)), ((-0.4, 0.3), (-0.25, 0.25))])
def test_quarter_goes_a_quarter_pixel_toward_the_higher_neighbour(offset, expected):
    centre = np.array([10.0, 20.0])
    found, _ = decode(gaussians(centre + [offset], 1.2), "quarter")
    np.testing.assert_array_equal(found[0, 0], centre + expected)


@every_decoder
def test_the_first_coordinate_is_the_column(decoder):
    maps = np.zeros((1, 12, 20, 1))
    maps[0, 5, 13, 0] = 1.0
    found, _ = decode(maps, decoder, 1.0)
    np.testing.assert_allclose(found[0, 0], [13, 5], atol=1e-6)


@every_decoder
def test_pictures_and_channels_are_decoded_each_for_itself(decoder, rng):
    points = rng.uniform(5, 26, (3, 4, 2))
    maps = np.concatenate([gaussians(picture, 1.2) for picture in points])
    together, _ = decode(maps, decoder, 1.2)
    for picture in range(3):
        for channel in range(4):
            alone, _ = decode(maps[picture : picture + 1, ..., channel : channel + 1], decoder, 1.2)
            np.testing.assert_allclose(together[picture, channel], alone[0, 0], atol=1e-6)


def test_dark_is_better_than_quarter_under_noise(rng):
    points = rng.uniform(6, 25, (60, 2))
    noisy = gaussians(points, 1.2) + rng.normal(0, 0.03, (1, SIZE, SIZE, 60))
    dark, quarter = (np.abs(decode(noisy, name, 1.2)[0][0] - points).mean() for name in ("dark", "quarter"))
    assert dark < 0.05 < quarter


@every_decoder
@pytest.mark.parametrize("level", [-1.0, 0.0, 0.4, 7.0])
def test_flat_maps_do_not_crash(decoder, level):
    found, scores = decode(np.full((2, 16, 16, 3), level), decoder, 1.2)
    assert (found >= 0).all() and (found <= 15).all()
    np.testing.assert_allclose(scores, np.clip(level, 0, 1))


@every_decoder
def test_the_middle_of_a_plateau_is_found_or_its_corner(decoder):
    maps = np.zeros((1, 16, 16, 1))
    maps[0, 6:9, 4:7, 0] = 1.0
    found, _ = decode(maps, decoder, 1.2)
    expected = {"dark": (5, 7), "quarter": (4.25, 6.25), "argmax": (4, 6)}
    np.testing.assert_allclose(found[0, 0], expected[decoder], atol=1e-3)


@every_decoder
@few
@given(seed=st.integers(0, 10**6), level=st.floats(-2, 2), noise=st.floats(0, 2))
def test_any_map_gives_points_inside_and_scores_of_its_maximum(decoder, seed, level, noise):
    maps = np.random.default_rng(seed).normal(level, noise, (1, 8, 8, 20)).astype(np.float32)
    found, scores = decode(maps, decoder, 1.0)
    assert (found >= -0.5).all() and (found <= 7.5).all()
    np.testing.assert_array_equal(scores[0], np.clip(maps[0].reshape(64, 20).max(axis=0), 0, 1))


@few
@given(st.floats(13, 18), st.floats(13, 18), st.floats(-0.6, 0.6), st.floats(1.2, 2.0), st.floats(1.2, 2.0))
def test_dark_finds_the_peak_of_slanted_maps(x, y, correlation, wide, high):
    columns, rows = (np.indices((SIZE, SIZE))[::-1] - np.array([x, y])[:, None, None]) / np.array([[[wide]], [[high]]])
    form = (columns**2 - 2 * correlation * columns * rows + rows**2) / (1 - correlation**2)
    found, _ = decode(np.exp(-form / 2)[None, ..., None], "dark", 1.0)
    np.testing.assert_allclose(found[0, 0], [x, y], atol=0.02)


@every_decoder
@pytest.mark.parametrize("landmarks", [1, 129, 300])
def test_any_number_of_landmarks_is_decoded(decoder, landmarks, rng):
    points = rng.uniform(5, 10, (landmarks, 2))
    found, scores = decode(gaussians(points, 1.0, 16), decoder, 1.0)
    assert scores.shape == (1, landmarks)
    assert np.abs(found[0] - points).max() <= 0.5


@few
@given(points=clouds(4.5, SIZE - 5.5), radius=st.floats(2.0, 3.0), logit=st.floats(5.0, 20.0))
def test_plateau_finds_the_middle_of_disks_of_logits(points, radius, logit):
    found, scores = decode(disk_logits(points, radius, logit), "plateau", radius)
    assert np.abs(found[0] - points).max() <= 0.4
    np.testing.assert_allclose(scores, 1.0 / (1.0 + np.exp(-logit)), rtol=1e-5)


@few
@given(cells=arrays(np.int64, (5, 2), elements=st.integers(5, SIZE - 6)))
def test_plateau_finds_whole_pixels_exactly(cells):
    found, _ = decode(disk_logits(cells.astype(float), 2.0, 20.0), "plateau", 2.0)
    np.testing.assert_allclose(found[0], cells, atol=1e-3)


def test_plateau_prefers_a_disk_to_a_brighter_single_pixel():
    logits = disk_logits(np.array([[20.0, 12.0]]), 2.0, 3.0)
    logits[0, 5, 6, 0] = 9.0
    found, _ = decode(logits, "plateau", 2.0)
    np.testing.assert_allclose(found[0, 0], [20, 12], atol=0.1)


@few
@given(seed=st.integers(0, 10**6), level=st.floats(-50, 50), noise=st.floats(0, 50))
def test_plateau_stays_inside_and_finite_on_any_map(seed, level, noise):
    maps = np.random.default_rng(seed).normal(level, noise, (2, 8, 8, 5))
    found, scores = decode(maps, "plateau", 2.0)
    assert (found >= 0).all() and (found <= 7).all()
    assert (scores >= 0).all() and (scores <= 1).all()


def test_unknown_decoder_is_refused_with_a_hint():
    with pytest.raises(CUNetError, match="--decoder=drak: Did you mean 'dark'. Known: dark, quarter, argmax"):
        decode(np.zeros((1, 8, 8, 1)), "drak")


# Mirrors and steps --------------------------------------------------------------------------


@st.composite
def beside_cells(draw, low: int, high: int):
    """Points on no cell and half-way between none, where rounding would decide."""
    cells = draw(arrays(np.int64, (5, 2), elements=st.integers(low, high)))
    return cells + draw(arrays(np.float64, (5, 2), elements=st.floats(0.05, 0.45))) * draw(st.sampled_from([-1, 1]))


@every_decoder
@few
@given(points=beside_cells(0, SIZE - 1))
def test_decoding_a_mirrored_or_transposed_map_mirrors_or_transposes_the_points(decoder, points):
    maps = gaussians(points, 1.2)
    found, scores = decode(maps, decoder, 1.2)
    for other, expected in (
        (maps[:, :, ::-1], [SIZE - 1, 0] + found * [-1, 1]),
        (maps[:, ::-1], [0, SIZE - 1] + found * [1, -1]),
        (maps.transpose(0, 2, 1, 3), found[..., ::-1]),
    ):
        again, same = decode(other, decoder, 1.2)
        np.testing.assert_allclose(again, expected, atol=2e-3)
        np.testing.assert_array_equal(same, scores)


@every_decoder
@few
@given(points=beside_cells(9, SIZE - 10), dx=st.integers(-3, 3), dy=st.integers(-3, 3), level=st.floats(0.2, 1.0))
def test_whole_steps_and_the_height_of_a_peak_pass_through(decoder, points, dx, dy, level):
    found, scores = decode(gaussians(points, 1.2), decoder, 1.2)
    moved, lower = decode(level * np.roll(gaussians(points, 1.2), (dy, dx), axis=(1, 2)), decoder, 1.2)
    np.testing.assert_allclose(moved, found + [dx, dy], atol=1e-3)
    np.testing.assert_allclose(lower, level * scores, rtol=1e-6)


@settings(deadline=None, max_examples=8)
@given(clouds(0.0, SIZE - 1.0))
def test_what_is_drawn_of_mirrored_points_is_the_mirror_image(points):
    points = points.round(1) + 0.03  # no point half-way between two cells, and no disk through one
    mirrored = points * [-1, 1] + [SIZE - 1, 0]
    for draw, size in ((gaussian_maps, 1.2), (reference_maps, REFERENCE_SIGMA), (disk_maps, 2.0)):
        there = drawn_by(draw, mirrored, size)
        np.testing.assert_allclose(there, drawn_by(draw, points, size)[:, :, ::-1], atol=1e-5)
        turned = drawn_by(draw, points[:, ::-1], size)
        np.testing.assert_allclose(turned, drawn_by(draw, points, size).transpose(0, 2, 1, 3), atol=1e-5)
