"""Closed-form values and properties of the quantizing functions."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cunet_tf.errors import CUNetError
from cunet_tf.quantize import functional as F

BITS = st.integers(2, 10)
RANGES = st.sampled_from([0.25, 1.0, 2.0, 8.0])
VALUES = arrays(np.float32, (4, 5), elements=st.floats(-9, 9, width=32))
KERNELS = arrays(np.float32, (3, 3, 4, 2), elements=st.floats(-2, 2, width=32, allow_subnormal=False))
FEW = settings(max_examples=60, deadline=None)
SLOW = settings(max_examples=20, deadline=None)  # of 60, a search over all steps takes 8 s


def gradient(function, x, upstream=None):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
        total = tf.reduce_sum(y * (1.0 if upstream is None else upstream))
    return tape.gradient(total, x).numpy()


@FEW
@given(KERNELS)
def test_binary_takes_two_values_and_keeps_signs(w):
    np.testing.assert_array_equal(F.binary(w), np.where(w >= 0, 1.0, -1.0))
    scaled = F.binary(w, alpha=True).numpy()
    alpha = np.abs(w).mean(axis=(0, 1, 2))
    np.testing.assert_allclose(scaled, np.where(w >= 0, 1.0, -1.0) * alpha, rtol=1e-5, atol=1e-30)


@SLOW
@given(KERNELS, st.sampled_from(F.KERNEL_BITS))
def test_uniform_kernels_are_whole_multiples_of_a_step(w, bits):
    integers, steps = (np.asarray(each) for each in F.uniform_integers(w, bits))
    assert (integers == np.rint(integers)).all() and np.abs(integers).max() < 2 ** (bits - 1)
    np.testing.assert_array_equal(F.uniform(w, bits), integers * steps)
    assert steps.shape == (1, 1, 1, 2) and (steps >= 0).all()


@pytest.mark.parametrize(
    "draw, arguments", [("normal", (0, 1)), ("laplace", (0, 1)), ("uniform", (-1, 1)), ("standard_t", (4,))]
)
@pytest.mark.parametrize("bits", [2, 4, 6])
def test_no_step_errs_much_less_than_the_one_found(draw, arguments, bits, rng):
    """A search over fine steps, filter by filter."""
    w, limit = getattr(rng, draw)(*arguments, (576, 16)).astype("float32"), 2 ** (bits - 1) - 1
    found = np.square(w - F.uniform(w, bits).numpy()).sum(0)
    steps = np.linspace(0.05, 1.0, 400)[:, None, None] * np.abs(w).max(0) / limit
    least = np.square(w - steps * np.clip(np.rint(w / steps), -limit, limit)).sum(1).min(0)
    assert (found / least).mean() <= 1.08


@pytest.mark.parametrize("bits", F.KERNEL_BITS)
def test_steps_of_normal_filters(bits, rng):
    """The table is the optimum of a normal distribution, and the search ends there."""
    x, limit = np.linspace(-8, 8, 40_001), 2 ** (bits - 1) - 1
    density = np.exp(-x * x / 2) / np.exp(-x * x / 2).sum()

    def error(step):
        return ((x - step * np.clip(np.rint(x / step), -limit, limit)) ** 2 * density).sum()

    step = F.NORMAL_STEPS[bits]
    assert error(step) <= min(error(0.97 * step), error(1.03 * step))
    _, found = F.uniform_integers(rng.normal(size=(40_000, 1)).astype("float32"), bits)
    assert abs(float(found[0, 0]) / step - 1) < 0.06


def test_uniform_restores_what_it_made(rng):
    integers = rng.integers(-7, 8, (5, 5, 4, 3))
    integers[0, 0, 0] = 7
    w = (integers * np.float32([0.5, 0.01, 2.0])).astype("float32")
    np.testing.assert_array_equal(F.uniform_integers(w, 4)[0], integers)
    np.testing.assert_allclose(F.uniform(w, 4), w, rtol=1e-6)


def test_uniform_passes_the_gradient_everywhere(rng):
    upstream = rng.normal(size=(3, 2)).astype("float32")
    w = np.float32([[3.0, 0.0], [0.2, 0.0], [-0.1, 0.0]])
    np.testing.assert_array_equal(gradient(lambda x: F.uniform(x, 4), w, upstream), upstream)
    assert not F.uniform(w, 4).numpy()[:, 1].any()
    with pytest.raises(CUNetError, match="2 to 8"):
        F.uniform(w, 1)


@FEW
@given(KERNELS)
def test_ternary_takes_three_values(w):
    size = np.abs(w)
    threshold = np.float32(0.7) * size.mean(axis=(0, 1, 2), dtype=np.float64)
    clear = np.abs(size - threshold) > 1e-5  # float32 sums may fall on either side of the threshold
    expected = np.sign(w) * (size > threshold)
    np.testing.assert_array_equal(F.ternary(w).numpy()[clear], expected[clear])
    scaled = F.ternary(w, alpha=True).numpy()
    for index in range(w.shape[-1]):
        assert len(np.unique(np.abs(scaled[..., index]))) <= 2


def test_ternary_by_hand():
    w = np.float32([0.9, -0.5, 0.1, 0.0])[:, None]  # mean |w| 0.375, t = 0.2625, alpha = 0.7
    np.testing.assert_array_equal(F.ternary(w).numpy().ravel(), [1, -1, 0, 0])
    np.testing.assert_allclose(F.ternary(w, alpha=True).numpy().ravel(), [0.7, -0.7, 0, 0], rtol=1e-6)


def test_sign_of_zero_is_plus_one():
    np.testing.assert_array_equal(F.binary(np.zeros((1, 1, 2, 2), "float32")), 1.0)
    np.testing.assert_array_equal(F.binary(np.float32([[-0.0]])), 1.0)


@pytest.mark.parametrize("function", [F.binary, F.ternary])
def test_kernels_are_idempotent(function, rng):
    w = rng.normal(size=(3, 3, 300, 40)).astype("float32")
    np.testing.assert_array_equal(function(function(w)), function(w))
    once = function(w, alpha=True)
    np.testing.assert_array_equal(function(once, alpha=True), once)


@pytest.mark.parametrize("function", [F.binary, F.ternary])
@pytest.mark.parametrize("alpha", [False, True])
def test_kernel_gradient_passes_inside_one_only(function, alpha):
    w = np.float32([-1.5, -1.0, -0.2, 0.0, 0.3, 1.0, 1.01])[:, None]
    upstream = np.float32([1, 2, 3, 4, 5, 6, 7])[:, None]
    found = gradient(lambda x: function(x, alpha), w, upstream)
    np.testing.assert_array_equal(found.ravel(), [0, 2, 3, 4, 5, 6, 0])


def test_centering_is_over_the_input_channels(rng):
    w = rng.normal(1.0, 1.0, (3, 3, 5, 2)).astype("float32")
    np.testing.assert_allclose(F.center(w).numpy().mean(axis=2), 0.0, atol=1e-6)


@FEW
@given(VALUES, BITS, RANGES, st.booleans(), st.booleans())
def test_features_lie_on_the_grid_and_stay(x, bits, r, signed, narrow):
    y = F.linear(x, bits, r, signed, narrow).numpy()
    step = r * 2.0 ** ((1 if signed else 0) - bits)
    integers = y / step
    lowest = (-(2 ** (bits - 1)) + (1 if narrow else 0)) if signed else 0
    highest = 2 ** (bits - 1) - 1 if signed else 2**bits - 1
    np.testing.assert_array_equal(integers, np.round(integers))
    assert integers.min() >= lowest and integers.max() <= highest
    inside = (x > lowest * step) & (x < highest * step)
    assert np.all(np.abs(y - x)[inside] <= step / 2 + 1e-5 * r)
    np.testing.assert_array_equal(F.linear(y, bits, r, signed, narrow), y)


def test_features_by_hand():
    x = np.float32([-5, -1, -0.3, 0.3, 0.9, 5])
    np.testing.assert_array_equal(F.linear(x, 3), [-1, -1, -0.25, 0.25, 0.75, 0.75])
    np.testing.assert_array_equal(F.linear(x, 3, narrow=True), [-0.75, -0.75, -0.25, 0.25, 0.75, 0.75])
    np.testing.assert_array_equal(F.linear(x, 2, r=4.0, signed=False), [0, 0, 0, 0, 1, 3])


def test_feature_gradient_is_masked_outside_the_range():
    x = np.float32([-1.01, -1.0, 0.0, 0.875, 0.99])
    np.testing.assert_array_equal(gradient(lambda t: F.linear(t, 4), x), [0, 1, 1, 1, 0])


def test_features_and_gradient_in_bfloat16(rng):
    x = tf.cast(rng.normal(size=(4, 6)), tf.bfloat16)
    y = F.linear(x, 8, r=2.0)
    assert y.dtype == tf.bfloat16
    np.testing.assert_array_equal(tf.cast(y, tf.float32), F.linear(tf.cast(x, tf.float32), 8, r=2.0))


@FEW
@given(arrays(np.float32, (6,), elements=st.floats(-100, 100, width=32)), BITS, st.sampled_from([1e-8, 1.0, 1e6]))
def test_scaled_gradient_keeps_scale_and_grid(g, bits, factor):
    g = (g * factor).astype("float32")
    largest = np.abs(g).max()
    q = F.scaled_gradient(g, bits, stochastic=False).numpy()
    if largest < 1e-30:
        np.testing.assert_array_equal(q, 0.0)
        return
    s = 2.0 ** np.round(np.log2(np.float64(largest)))
    step = s * 2.0 ** (1 - bits)
    integers = q / step
    np.testing.assert_allclose(integers, np.round(integers), atol=1e-3)
    assert np.abs(integers).max() <= 2 ** (bits - 1) - 1 + 1e-3
    inside = np.abs(g) < s - step
    assert np.all(np.abs(q - g)[inside] <= step * 0.5001)


def test_scaled_gradient_of_zeros_is_zero():
    np.testing.assert_array_equal(F.scaled_gradient(np.zeros(3, "float32"), 8), 0.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_gradient_that_is_no_number_stays_visible(bad):
    g = np.full((1, 2, 2, 2), 0.3, "float32")
    g.flat[1] = bad
    assert np.isnan(F.scaled_gradient(g, 8)).all()


def test_stochastic_rounding_keeps_the_mean():
    for shape in [(20_000,), (8, 10, 10, 25)]:
        g = np.full(shape, 0.3, "float32")
        g.flat[0] = 1.0
        q = F.scaled_gradient(g, 4).numpy()
        np.testing.assert_array_equal(F.scaled_gradient(g, 4), q)  # the same numbers for the same gradient
        q = q.ravel()[1:]
        assert set(np.unique(q)) == {0.25, 0.375}
        assert q.mean() == pytest.approx(0.3, abs=0.004)


def test_random_numbers_differ_between_pictures_and_channels():
    g = np.full((4, 6, 6, 8), 0.3, "float32")
    g[0, 0, 0, 0] = 1.0
    up = F.scaled_gradient(g, 4).numpy() > 0.3
    assert all((up[0] != other).any() for other in up[1:])
    assert all((up[..., 0] != up[..., channel]).any() for channel in range(1, 8))


def test_feature_gradient_goes_through_the_given_quantizer():
    upstream = np.float32([1.0, 0.3, 0.01, 0.5])
    x = np.float32([0.0, 0.1, 0.2, 7.0])
    found = gradient(
        lambda t: F.linear(t, 8, gradient=lambda g: F.scaled_gradient(g, 3, stochastic=False)), x, upstream
    )
    np.testing.assert_array_equal(found, [0.75, 0.25, 0, 0])


def test_quantized_gradient_is_the_identity_forward():
    x, upstream = np.float32([1.234, -5.0]), np.float32([1.0, 0.3])
    np.testing.assert_array_equal(F.quantized_gradient(x, 3), x)
    np.testing.assert_array_equal(
        gradient(lambda t: F.quantized_gradient(t, 3, stochastic=False), x, upstream), [0.75, 0.25]
    )


@pytest.mark.parametrize("bits, r", [(1, 1.0), (17, 1.0), (8.0, 1.0), (8, 3.0), (8, 0.0), (8, -2.0)])
def test_bad_grids_are_refused(bits, r):
    with pytest.raises(CUNetError):
        F.linear(np.float32([0.0]), bits, r)
