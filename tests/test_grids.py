import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cunet_tf.export.grids import PIXELS, Grid, half, half_above, range_grid, trained_grid
from cunet_tf.quantize.quantizers import Linear


def test_grids_of_training():
    assert trained_grid(Linear(8, 16.0)) == Grid(1 / 8, 0)
    assert trained_grid(Linear(8, 16.0, signed=False)) == Grid(1 / 16, -128)
    assert trained_grid(Linear(6, 16.0)).scale == 0.5
    assert trained_grid(None) is None


@pytest.mark.parametrize("quantizer", [Linear(8, 2.0), Linear(8, 4.0, signed=False)])
def test_int8_grid_is_the_trained_function(quantizer, rng):
    grid = trained_grid(quantizer)
    x = rng.normal(0, 2, 1000).astype("float32")
    np.testing.assert_array_equal(grid.dequantize(grid.quantize(x)), np.asarray(quantizer(x)))
    np.testing.assert_array_equal(np.asarray(grid.fake(x)), np.asarray(quantizer(x)))


def test_pixels_are_exact():
    pixels = np.arange(256)
    np.testing.assert_array_equal(PIXELS.quantize(pixels.astype("float32") / 255), pixels - 128)


@given(st.floats(-1000, 1000), st.floats(-1000, 1000))
def test_a_measured_range_is_covered_and_zero_is_on_the_grid(one, other):
    low, high = sorted((one, other))
    grid = range_grid(low, high)
    reach = grid.limits
    assert reach[0] <= low + grid.scale / 2 and reach[1] >= high - grid.scale / 2
    assert -128 <= grid.zero_point <= 127 and grid.scale == float(np.float16(grid.scale))
    assert grid.dequantize(np.int8([grid.zero_point]))[0] == 0.0


@given(st.floats(2.0**-14, 60000))
def test_float16_from_above(value):
    above = half_above(value)
    assert above >= value and above == float(np.float16(above)) and above <= value * (1 + 2.0**-10)


def test_half_keeps_what_float16_cannot_hold():
    np.testing.assert_array_equal(half(np.float32([0.0, 1.0, 1e6, 1e-6])), np.float32([0.0, 1.0, 1e6, 1e-6]))
    assert half(np.float32([1 / 3]))[0] == np.float32(np.float16(1 / 3))
