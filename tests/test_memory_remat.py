import numpy as np
import pytest
import tensorflow as tf

from cunet_tf.memory import remat, storage
from cunet_tf.memory.remat import Kept
from cunet_tf.quantize.quantizers import Linear


@pytest.fixture
def x(rng):
    return tf.constant(rng.normal(0.3, 1.0, (2, 8, 6, 5)), tf.float32)


def value_and_gradient(function, x, dy):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return y, tape.gradient(y, x, dy)


def curve(x, scale, relu=tf.nn.relu):
    return relu(tf.sin(x * scale)), tf.reduce_mean(x)


def test_recomputed_has_value_and_gradient_of_its_function(x, rng):
    scale = tf.constant(rng.normal(size=5), tf.float32)
    kept = [Kept(storage.exact(each)) for each in (x, scale)]
    found = []
    for function in (curve, lambda *args: remat.recomputed(curve, args, kept)):
        with tf.GradientTape() as tape:
            tape.watch([x, scale])
            y, mean = function(x, scale)
            total = tf.reduce_sum(y**2)
        found.append([y, mean, *tape.gradient(total, [x, scale])])
    for plain, ours in zip(*found, strict=True):
        np.testing.assert_allclose(ours, plain, rtol=1e-5, atol=1e-6)


def test_what_passed_a_relu_is_remembered_where_values_are_restored_with_loss(x):
    moved = Kept(lambda zero: x - 0.2, lossy=True)  # values between 0 and 0.2 have changed sides

    def twice(value, relu=tf.nn.relu):
        return relu(value) + 2 * relu(-value)

    _, gradient = value_and_gradient(lambda value: remat.recomputed(twice, [value], [moved]), x, tf.ones_like(x))
    np.testing.assert_array_equal(gradient, np.where(x > 0, 1.0, -2.0))


def test_pooling_equals_tensorflows_with_ties(rng):
    x = tf.constant(np.round(2 * rng.normal(size=(2, 8, 6, 5))) / 2, tf.float32)
    dy = tf.constant(rng.normal(size=(2, 4, 3, 5)), tf.float32)
    expected = value_and_gradient(lambda value: tf.nn.max_pool2d(value, 2, 2, "VALID"), x, dy)
    for ours, theirs in zip(value_and_gradient(remat.pooled, x, dy), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("quantizer", [Linear(8, 1.0), Linear(8, 1.0, signed=False), Linear(4, 0.5, narrow=True)])
def test_a_masked_quantizer_equals_the_plain_one(quantizer, x, rng):
    dy = tf.constant(rng.normal(size=x.shape), tf.float32)
    low, high = quantizer.limits
    expected = value_and_gradient(quantizer, x, dy)
    ours = value_and_gradient(
        lambda value: remat.masked(value, quantizer, lambda v: (v >= low) & (v <= high), quantizer.gradient), x, dy
    )
    for a, b in zip(ours, expected, strict=True):
        np.testing.assert_array_equal(a, b)
