import numpy as np
import pytest
import tensorflow as tf

from cunet_tf.memory import storage
from cunet_tf.quantize.quantizers import Linear

ZERO = tf.zeros([])


@pytest.fixture
def x(rng):
    return tf.constant(rng.normal(0.3, 1.0, (2, 8, 6, 5)), tf.float32)


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("channels", [1, 4, 7])
def test_packed_integers_come_back(bits, channels, rng):
    codes = tf.constant(rng.integers(0, 2**bits, (2, 3, 5, channels)), tf.uint8)
    packed = storage.pack(codes, bits)
    assert packed.shape[-1] == -(-channels * bits // 8)
    np.testing.assert_array_equal(storage.unpack(packed, bits, channels), codes)


@pytest.mark.parametrize("size", [1, 8, 13])
def test_packed_flags_come_back(size, rng):
    flags = tf.constant(rng.random(size) > 0.5)
    packed = storage.pack_flags(flags)
    assert packed.shape == (-(-size // 8),)
    np.testing.assert_array_equal(storage.unpack_flags(packed, [size], tf.float32), tf.cast(flags, tf.float32))


def test_exact_storage_is_exact(x):
    np.testing.assert_array_equal(storage.exact(x)(ZERO), x)


@pytest.mark.parametrize("bits", [4, 8])
def test_rounding_stays_within_a_step_and_is_right_in_the_mean(bits, x):
    step = (tf.reduce_max(x, [0, 1, 2]) - tf.reduce_min(x, [0, 1, 2])) / (2**bits - 1)
    error = (storage.rounded(x, bits)(ZERO) - x) / step
    assert np.abs(error).max() < 1.01
    assert np.abs(np.mean(error)) < 4 * np.std(error) / np.sqrt(x.shape.num_elements())
    np.testing.assert_array_equal(storage.rounded(x, bits)(ZERO), storage.rounded(x, bits)(ZERO))


def test_a_constant_channel_survives():
    constant = tf.fill([1, 2, 2, 3], -1.5)
    np.testing.assert_array_equal(storage.rounded(constant, 8)(ZERO), constant)


@pytest.mark.parametrize(
    "grid", [Linear(8, 2.0), Linear(8, 4.0, signed=False), Linear(4, 1.0), Linear(6, 1.0, narrow=True)]
)
def test_a_tensor_on_a_grid_is_stored_without_loss(grid, x):
    y = grid(x)
    np.testing.assert_array_equal(storage.on_grid(y, grid)(ZERO), y)
