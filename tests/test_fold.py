import keras
import numpy as np

from cunet_tf.export.fold import Kernel, batch_norm


def test_scale_and_offset_are_keras_batch_normalisation(rng):
    layer = keras.layers.BatchNormalization(epsilon=1e-5)
    layer.build((None, 3))
    for variable in layer.weights:
        variable.assign(rng.uniform(0.5, 2, 3))
    x = rng.normal(size=(4, 3)).astype("float32")
    scale, offset = batch_norm(layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance)
    np.testing.assert_allclose(x * scale + offset, np.asarray(layer(x)), rtol=1e-5, atol=1e-6)


def test_scaling_filters_keeps_integers(rng):
    integers = rng.integers(-7, 8, (3, 3, 4, 4))
    steps, scale = np.float64([0.01, 0.02, 0.5, 1.0]), np.float64([1, -2, 0.37, 0.0])
    values, peak = Kernel(integers * steps, steps).scaled(scale).int8()
    np.testing.assert_array_equal(values, integers * np.sign(scale).astype(int))
    np.testing.assert_allclose(peak[:3], 127 * np.abs(steps * scale)[:3], rtol=2.0**-11)
    assert peak[3] > 0


def test_a_step_holds_where_no_weight_reaches_the_end():
    values, _ = Kernel(np.float64([[3.0], [-1.0]]), np.float64([0.5])).int8()
    np.testing.assert_array_equal(values[:, 0], [6, -2])


def test_ternary_filters_are_exact(rng):
    signs = rng.integers(-1, 2, (3, 3, 4, 5))
    signs[0, 0, 0] = 1
    alpha = np.float64([0.1, -0.5, 3.0, 0.01, 1.0])
    values, peak = Kernel(signs * alpha).int8()
    np.testing.assert_array_equal(values, 127 * signs * np.sign(alpha))
    np.testing.assert_allclose(peak, np.abs(alpha), rtol=2.0**-11)
    np.testing.assert_array_equal(peak, peak.astype("float16").astype("float32"))


def test_other_filters_err_by_half_a_step(rng):
    kernel = rng.normal(size=(3, 3, 4, 5))
    values, peak = Kernel(kernel).int8()
    assert np.abs(values * (peak / 127.0) - kernel).max() <= 0.55 * peak.max() / 127


def test_a_filter_of_zeros_has_a_scale():
    values, peak = Kernel(np.zeros((1, 1, 2, 1))).int8()
    assert not values.any() and peak[0] > 0
