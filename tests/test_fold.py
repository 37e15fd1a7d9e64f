import keras
import numpy as np

from cunet_tf.export.fold import batch_norm, fold, int8_kernel


def test_scale_and_offset_are_keras_batch_normalisation(rng):
    layer = keras.layers.BatchNormalization(epsilon=1e-5)
    layer.build((None, 3))
    for variable in layer.weights:
        variable.assign(rng.uniform(0.5, 2, 3))
    x = rng.normal(size=(4, 3)).astype("float32")
    scale, offset = batch_norm(layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance)
    np.testing.assert_allclose(x * scale + offset, np.asarray(layer(x)), rtol=1e-5, atol=1e-6)


def test_folding_scales_filters(rng):
    kernel, bias = fold(np.ones((1, 1, 2, 3)), np.float64([1, -2, 0.5]), np.float64([3, 4, 5]))
    np.testing.assert_array_equal(kernel[0, 0, 0], [1, -2, 0.5])
    np.testing.assert_array_equal(bias, [3, 4, 5])


def test_ternary_filters_are_exact(rng):
    signs = rng.integers(-1, 2, (3, 3, 4, 5))
    signs[0, 0, 0] = 1
    alpha = np.float64([0.1, -0.5, 3.0, 0.01, 1.0])
    values, peak = int8_kernel(signs * alpha)
    np.testing.assert_array_equal(values, 127 * signs * np.sign(alpha))
    np.testing.assert_allclose(peak, np.abs(alpha), rtol=2.0**-11)
    np.testing.assert_array_equal(peak, peak.astype("float16").astype("float32"))


def test_other_filters_err_by_half_a_step(rng):
    kernel = rng.normal(size=(3, 3, 4, 5))
    values, peak = int8_kernel(kernel)
    assert np.abs(values * (peak / 127.0) - kernel).max() <= 0.55 * peak.max() / 127


def test_a_filter_of_zeros_has_a_scale():
    values, peak = int8_kernel(np.zeros((1, 1, 2, 1)))
    assert not values.any() and peak[0] > 0
