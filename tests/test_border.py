import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cunet_tf.border import FINE, NARROWEST, corrected, fit_weights, pull, reach, share_inside, step_corrections

few = settings(deadline=None, max_examples=25)


@few
@given(st.floats(0.7, 3.0), st.integers(8, 40), st.floats(-1.0, 40.0))
def test_share_is_the_sum_by_the_definition(sigma, side, at):
    def summed(cells):
        return sum(np.exp(-((t - at) ** 2) / sigma**2) for t in cells)

    at = min(at, float(side))
    assert share_inside(at, sigma, side) == pytest.approx(summed(range(side)) / summed(range(-60, 100)), abs=1e-12)


def test_half_of_a_wide_gaussian_is_beyond_the_edge():
    assert share_inside(-0.5, 3.0, 64) == pytest.approx(0.5, abs=1e-9)


def test_half_the_share_of_two_gaussians_lies_around_their_middle():
    """The product of Gaussians around a and b, summed inside over everywhere, is the share around (a + b) / 2."""
    a, b, sigma = -0.3, 1.4, 1.2
    cells = np.arange(-40, 60)
    product = np.exp(-((cells - a) ** 2 + (cells - b) ** 2) / (2 * sigma**2))
    inside = product[(cells >= 0) & (cells < 16)].sum() / product.sum()
    assert share_inside((a + b) / 2, sigma, 16) == pytest.approx(inside, abs=1e-12)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 1.2, 2.12])
def test_nothing_is_changed_away_from_the_border(sigma):
    far = reach(sigma)
    np.testing.assert_array_equal(fit_weights(sigma, 64, 48)[far + 1 : -far - 1, far + 1 : -far - 1], 1.0)
    assert np.abs(step_corrections(sigma, 64)[far:-far]).max() < 1e-12


def test_very_narrow_gaussians_are_left_alone():
    np.testing.assert_array_equal(fit_weights(0.99 * NARROWEST, 16, 16), 1.0)
    assert np.abs(step_corrections(0.99 * NARROWEST, 16)).max() < 1e-12


@pytest.mark.parametrize("sigma", [0.8, 1.2, 3.0])
@pytest.mark.parametrize("side", [8, 16, 33])
def test_borders_are_mirror_images(sigma, side):
    weights, table = fit_weights(sigma, side, 16), step_corrections(sigma, side)
    np.testing.assert_allclose(weights, weights[::-1, ::-1], rtol=1e-6)
    np.testing.assert_allclose(table, -table[::-1, ::-1], atol=1e-12)


@pytest.mark.parametrize("sigma", [1.0, 1.2, 2.12])
def test_corrected_steps_grow_with_the_step_and_meet_the_table(sigma):
    steps = np.linspace(-1, 1, 2 * FINE + 1)
    for cell in range(4):
        found = corrected(steps, np.full(len(steps), cell), sigma, 16)
        np.testing.assert_allclose(found, steps + step_corrections(sigma, 16)[cell], atol=1e-12)
        assert (np.diff(found) >= 0).all()


def test_tables_are_shared_and_cannot_be_written():
    assert fit_weights(1.2, 32, 32) is fit_weights(1.2, 32, 32)
    for table in (fit_weights(1.2, 32, 32), step_corrections(1.2, 32)):
        with pytest.raises(ValueError, match="read-only"):
            table[0, 0] = 0.0


@pytest.mark.parametrize("sigma", [0.8, 1.2, 1.5, 2.12, 3.0])
def test_smoothing_pulls_no_farther_than_is_looked(sigma):
    """Of a Gaussian centred on the edge, the highest smoothed cell is that many cells inside at most."""
    cells = np.arange(40)
    profile = np.exp(-((cells + 0.5) ** 2) / (2 * sigma**2))
    smooth = np.exp(-((cells[:, None] - cells) ** 2) / (2 * sigma**2)) @ profile
    assert smooth.argmax() <= pull(sigma)
