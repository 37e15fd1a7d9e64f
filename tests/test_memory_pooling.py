"""Max-pooling: the values and the gradient of TensorFlow's own, in both forms."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from cunet_tf.memory import pooling


@settings(max_examples=25)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(0, 10**6))
def test_corners_pool_as_tensorflow_does_ties_included(batch, half, channels, seed):
    rng = np.random.default_rng(seed)
    x = tf.constant(rng.integers(-2, 3, (batch, 2 * half, 4, channels)).astype("float32"))  # many ties
    dy = tf.constant(rng.normal(size=(batch, half, 2, channels)).astype("float32"))
    found = []
    for pool in (pooling._of_corners, lambda value: tf.nn.max_pool2d(value, 2, 2, "VALID"), pooling.max_pool):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = pool(x)
        found.append((y.numpy(), tape.gradient(y, x, dy).numpy()))
    for values, gradient in found[1:]:
        np.testing.assert_array_equal(values, found[0][0])
        np.testing.assert_array_equal(gradient, found[0][1])


def test_corners_stand_row_by_row():
    x = np.arange(8.0, dtype="float32").reshape(1, 2, 4, 1)
    assert [corner.ravel().tolist() for corner in pooling.corners(x)] == [[0, 2], [1, 3], [4, 6], [5, 7]]


@pytest.mark.parametrize("shape", [(0, 4, 4, 2)])
def test_no_picture_is_no_error(shape):
    assert pooling._of_corners(tf.zeros(shape)).shape == (0, 2, 2, 2)
