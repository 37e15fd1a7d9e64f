import numpy as np
import pytest
import tensorflow as tf

from cunet_tf.memory import compressed, recompute
from cunet_tf.memory.names import MemoryConfig
from cunet_tf.quantize.quantizers import Linear

BOTH = MemoryConfig("both")
ZERO = tf.zeros([])


@pytest.fixture
def x(rng):
    return tf.constant(rng.normal(0.3, 1.0, (2, 8, 6, 5)), tf.float32)


def value_and_gradient(function, x, dy):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return y, tape.gradient(y, x, dy)


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("channels", [1, 4, 7])
def test_packed_integers_come_back(bits, channels, rng):
    codes = tf.constant(rng.integers(0, 2**bits, (2, 3, 5, channels)), tf.uint8)
    packed = compressed.pack(codes, bits)
    assert packed.shape[-1] == -(-channels * bits // 8)
    np.testing.assert_array_equal(compressed.unpack(packed, bits, channels), codes)


@pytest.mark.parametrize("size", [1, 8, 13])
def test_packed_flags_come_back(size, rng):
    flags = tf.constant(rng.random(size) > 0.5)
    packed = compressed.pack_flags(flags)
    assert packed.shape == (-(-size // 8),)
    np.testing.assert_array_equal(compressed.unpack_flags(packed, [size], tf.float32), tf.cast(flags, tf.float32))


@pytest.mark.parametrize("bits", [4, 8])
def test_rounding_stays_within_a_step_and_is_right_in_the_mean(bits, x):
    step = (tf.reduce_max(x, [0, 1, 2]) - tf.reduce_min(x, [0, 1, 2])) / (2**bits - 1)
    error = (compressed.rounded(x, bits)(ZERO) - x) / step
    assert np.abs(error).max() < 1.01
    assert np.abs(np.mean(error)) < 4 * np.std(error) / np.sqrt(x.shape.num_elements())
    np.testing.assert_array_equal(compressed.rounded(x, bits)(ZERO), compressed.rounded(x, bits)(ZERO))


def test_a_constant_channel_survives():
    constant = tf.fill([1, 2, 2, 3], -1.5)
    np.testing.assert_array_equal(compressed.rounded(constant, 8)(ZERO), constant)


@pytest.mark.parametrize(
    "grid", [Linear(8, 2.0), Linear(8, 4.0, signed=False), Linear(4, 1.0), Linear(6, 1.0, narrow=True)]
)
def test_a_tensor_on_a_grid_is_stored_without_loss(grid, x):
    y = grid(x)
    np.testing.assert_array_equal(compressed.on_grid(y, grid)(ZERO), y)


def test_fits():
    assert compressed.fits(Linear(8), BOTH) and compressed.fits(Linear(4), MemoryConfig("both", bits=4))
    assert not compressed.fits(Linear(8), MemoryConfig("both", bits=4))
    assert not compressed.fits(Linear(8), MemoryConfig("recompute")) and not compressed.fits(None, BOTH)


@pytest.mark.parametrize("mode", ["recompute", "both"])
def test_pooling_equals_tensorflows_with_ties(mode, rng):
    x = tf.constant(np.round(2 * rng.normal(size=(2, 8, 6, 5))) / 2, tf.float32)
    dy = tf.constant(rng.normal(size=(2, 4, 3, 5)), tf.float32)
    memory = MemoryConfig(mode)

    def pooled(value):
        recompute.recipe_of(value, memory)
        return compressed.pooled(value, memory)

    expected = value_and_gradient(lambda value: tf.nn.max_pool2d(value, 2, 2, "VALID"), x, dy)
    for ours, theirs in zip(value_and_gradient(pooled, x, dy), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("quantizer", [Linear(8, 1.0), Linear(8, 1.0, signed=False), Linear(4, 0.5, narrow=True)])
def test_quantizer_that_keeps_bits_equals_the_plain_one(quantizer, x, rng):
    dy = tf.constant(rng.normal(size=x.shape), tf.float32)
    expected = value_and_gradient(quantizer, x, dy)
    ours = value_and_gradient(lambda value: compressed.quantized(value, quantizer, BOTH), x, dy)
    for a, b in zip(ours, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_relu_equals_tensorflows(x, rng):
    dy = tf.constant(rng.normal(size=x.shape), tf.float32)
    for a, b in zip(value_and_gradient(compressed.relu, x, dy), value_and_gradient(tf.nn.relu, x, dy), strict=True):
        np.testing.assert_array_equal(a, b)


def test_remembered_relu_follows_its_first_call(x):
    relu = compressed.RememberedReLU()
    np.testing.assert_array_equal(relu(x), tf.nn.relu(x))
    moved = x + 0.5
    np.testing.assert_array_equal(relu(moved), moved * tf.cast(x > 0, tf.float32))
