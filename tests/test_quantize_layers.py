"""The quantized layers in a model of one's own; what other backends are told is in test_jax.py."""

import keras
import numpy as np
import pytest

from cunet_tf.errors import CUNetError
from cunet_tf.models.layers import ConcatBNReLUConv
from cunet_tf.models.quant_layers import QuantActivation, QuantConv2D
from cunet_tf.quantize.quantizers import Binary, Linear


def user_model():
    """Is there a bright square in the picture?"""
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.layers.Input((16, 16, 1)),
            keras.layers.Conv2D(8, 3, padding="same"),
            keras.layers.BatchNormalization(),
            QuantActivation(Linear(8, r=4.0, signed=False, gradient_bits=8)),
            QuantConv2D(8, 3, padding="same", kernel_quantizer="binary-a", input_quantizer=None),
            keras.layers.BatchNormalization(),
            QuantActivation("unsigned8"),
            QuantConv2D(1, 1, kernel_quantizer="ternary-a", use_bias=True),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )


def test_a_users_model_trains_saves_and_reloads(tmp_path, rng):
    x = rng.random((256, 16, 16, 1), dtype=np.float32) * 0.2
    y = np.arange(256) % 2
    x[y == 1, 4:12, 4:12] += 0.6
    model = user_model()
    before = np.asarray(model.layers[3].kernel)
    model.compile(keras.optimizers.RMSprop(3e-3), "binary_crossentropy", metrics=["accuracy"], jit_compile=False)
    history = model.fit(x, y, batch_size=32, epochs=8, verbose=0).history
    assert history["accuracy"][-1] > 0.9
    after = np.asarray(model.layers[3].kernel)
    assert (before != after).mean() > 0.2 and np.abs(after).max() <= 1.0
    model.save(tmp_path / "own.keras")
    again = keras.models.load_model(tmp_path / "own.keras")
    np.testing.assert_array_equal(again.predict(x[:8], verbose=0), model.predict(x[:8], verbose=0))
    assert again.layers[3].kernel_quantizer == Binary(alpha=True)


def test_quantized_convolution_is_a_convolution_with_the_quantized_kernel(rng):
    x = rng.random((1, 8, 8, 3), dtype=np.float32)
    layer = QuantConv2D(4, 3, strides=2, padding="valid", kernel_quantizer="binary", input_quantizer="unsigned6")
    found = layer(x)
    plain = keras.layers.Conv2D(4, 3, strides=2)
    plain.build(x.shape)
    plain.set_weights([np.where(np.asarray(layer.kernel) >= 0, 1.0, -1.0), np.asarray(layer.bias)])
    np.testing.assert_allclose(found, plain(Linear(6, signed=False)(x)), atol=1e-5)


def test_unknown_quantizer_is_named():
    with pytest.raises(CUNetError, match="binery"):
        QuantConv2D(4, 3, kernel_quantizer="binery")


def test_quantized_layer_in_mixed_precision(rng):
    """The kernel is quantized in float32; features on 8-bit grids are exact in bfloat16."""
    layer = ConcatBNReLUConv(
        4, 3, kernel_quantizer=Binary(alpha=True), output_quantizer=Linear(8, 2.0), dtype="mixed_bfloat16"
    )
    x = rng.normal(size=(2, 8, 8, 6)).astype("float32")
    output = layer(x, training=True)
    assert keras.backend.standardize_dtype(output.dtype) == "bfloat16"
    steps = np.asarray(keras.ops.cast(output, "float32")) * 64
    np.testing.assert_array_equal(steps, np.round(steps))
    assert layer.kernel.dtype == "float32"
