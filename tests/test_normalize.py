import keras
import numpy as np
import pytest

from cunet_tf.models.normalize import EPSILON, batch_moments_norm, moving_norm


@pytest.fixture
def tensors(rng):
    x = rng.normal(1.5, 2.0, (4, 6, 5, 3)).astype("float32")
    return x, rng.uniform(0.5, 2, 3).astype("float32"), rng.normal(0, 1, 3).astype("float32")


def test_training_equals_the_definition_and_returns_biased_moments(tensors):
    x, gamma, beta = tensors
    y, mean, variance = (np.asarray(t) for t in batch_moments_norm(*tensors))
    np.testing.assert_allclose(mean, x.mean(axis=(0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(variance, x.var(axis=(0, 1, 2)), rtol=1e-4)
    expected = (x - x.mean(axis=(0, 1, 2))) / np.sqrt(x.var(axis=(0, 1, 2)) + EPSILON) * gamma + beta
    np.testing.assert_allclose(y, expected, atol=1e-4)


def test_inference_equals_keras_layer(tensors):
    x, gamma, beta = tensors
    layer = keras.layers.BatchNormalization(epsilon=EPSILON)
    layer.build(x.shape)
    mean, variance = np.array([0.3, -1, 2], "float32"), np.array([0.5, 2, 1], "float32")
    layer.set_weights([gamma, beta, mean, variance])
    np.testing.assert_allclose(moving_norm(x, gamma, beta, mean, variance), layer(x), atol=1e-5)


def test_half_precision_input_keeps_float32_moments(tensors):
    x, gamma, beta = tensors
    y, mean, _ = batch_moments_norm(keras.ops.cast(x, "float16"), gamma, beta)
    assert keras.backend.standardize_dtype(y.dtype) == "float16"
    assert keras.backend.standardize_dtype(mean.dtype) == "float32"
