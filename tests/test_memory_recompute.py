import keras
import numpy as np
import pytest
import tensorflow as tf

from cunet_tf.errors import CUNetError
from cunet_tf.memory import recompute
from cunet_tf.memory.names import MemoryConfig

RECOMPUTE = MemoryConfig("recompute")


@pytest.fixture
def x(rng):
    return tf.constant(rng.normal(size=(2, 4, 4, 3)), tf.float32)


@pytest.fixture
def scale(rng):
    return keras.Variable(rng.normal(size=3).astype("float32"))


def curve(x, scale):
    return tf.sin(x * scale), tf.reduce_mean(x)


def gradients(function, *args):
    with tf.GradientTape() as tape:
        tensors = [tf.convert_to_tensor(arg) for arg in args]
        tape.watch(tensors)
        total = tf.reduce_sum(tf.square(function(*tensors)))
    return tape.gradient(total, tensors)


def test_recomputed_has_value_and_gradient_of_its_function(x, scale):
    ours = recompute.recomputed(curve, RECOMPUTE)
    np.testing.assert_array_equal(ours(x, scale)[0], curve(x, scale)[0])
    expected = gradients(lambda *args: curve(*args)[0], x, scale)
    for a, b in zip(gradients(lambda *args: ours(*args)[0], x, scale), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)


def test_a_deferred_function_is_differentiated_by_its_reader(x, scale):
    def ours(x, scale):
        middle, _ = recompute.deferred(curve, RECOMPUTE)(x, scale)
        return recompute.recomputed(tf.exp, RECOMPUTE)(middle)

    expected = gradients(lambda *args: tf.exp(curve(*args)[0]), x, scale)
    for a, b in zip(gradients(ours, x, scale), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


def test_a_foreign_reader_of_a_deferred_result_is_refused(x, scale):
    with pytest.raises(CUNetError, match="memory='none'"):
        gradients(lambda *args: tf.exp(recompute.deferred(curve, RECOMPUTE)(*args)[0]), x, scale)


def test_resampled_keeps_the_form_of_its_argument(x):
    def ours(x):
        recompute.recipe_of(x, RECOMPUTE)
        y = recompute.resampled(lambda v: tf.repeat(v, 2, axis=1), RECOMPUTE, x)
        assert y.shape[1] == 8
        np.testing.assert_array_equal(recompute.attached(y).rebuild(tf.zeros([]))[0], y)
        return y

    (gradient,) = gradients(ours, x)
    np.testing.assert_allclose(gradient, 4 * x, rtol=1e-6)


def test_keep_exactly_never_rounds(x):
    recompute.keep_exactly(x)
    recipe = recompute.recipe_of(x, MemoryConfig("both"))
    assert not recipe.lossy
    np.testing.assert_array_equal(recipe.rebuild(tf.zeros([]))[0], x)


def test_held_back_is_the_identity(x):
    assert recompute.held_back([x]) == [x]
    expected = gradients(lambda x: x + 2 * x, x)[0]
    held = gradients(lambda x: tf.add_n(recompute.held_back([x, 2 * x])), x)[0]
    np.testing.assert_allclose(held, expected, rtol=1e-6)


def test_the_zero_waits_for_its_gradient_and_is_zero():
    for value in (-3.0, 0.0, 1e30):
        assert float(recompute.zero_of(tf.constant([value, 1.0]))) == 0.0
    assert np.isnan(recompute.zero_of(tf.constant([np.nan])))
