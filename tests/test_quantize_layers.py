"""The quantized layers in a model of one's own; what other backends are told is in test_jax.py."""

import keras
import numpy as np
import pytest

from cunet_tf.errors import CUNetError
from cunet_tf.models import quant_layers
from cunet_tf.models.concat_conv import ConcatBNReLUConv
from cunet_tf.models.quant_layers import QuantActivation, QuantConv2D
from cunet_tf.models.saved import load_keras
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


def learned(x, batches=1, **options):
    """A layer that has seen batches of ``x``."""
    layer = QuantActivation(r="auto", **options)
    for _ in range(batches):
        layer(x, training=True)
    return layer


@pytest.mark.parametrize("scale", [0.01, 1.0, 300.0])
@pytest.mark.parametrize("signed", [False, True])
def test_a_learned_range_is_that_of_the_least_error(scale, signed, rng):
    x = (scale * rng.normal(size=(4, 32, 32, 8))).astype(np.float32)
    layer = learned(x, bits=4, signed=signed)

    def error(r):
        kept = x if signed else np.maximum(x, 0)
        return float(np.mean(np.abs(np.asarray(Linear(4, r, signed)(x)) - kept)))

    r = layer.settled().r
    assert error(r) <= 1.05 * min(error(2.0**exponent) for exponent in range(-12, 14))
    np.testing.assert_array_equal(layer(x), Linear(4, r, signed)(x))
    assert len(np.unique(layer(x))) >= 12


def test_a_learned_range_is_a_mean_and_then_stands(monkeypatch, rng):
    monkeypatch.setattr(quant_layers, "SETTLING", 4)
    x = rng.random((2, 8, 8, 4), dtype=np.float32)  # 1 for 0..1
    layer = learned(x, 1, bits=6)
    assert layer.settled().r == 1.0
    layer(16.0 * x, training=True)
    assert layer.settled().r == 4.0  # the mean of the exponents 0 and 4
    layer(np.zeros_like(x), training=True)  # nothing to judge by
    assert float(layer.batches) == 2
    for _ in range(9):
        layer(16.0 * x, training=True)
    assert (float(layer.batches), layer.settled().r) == (4.0, 8.0)
    layer.trainable, layer.batches_before = False, float(layer.batches)
    layer(x, training=True)
    assert float(layer.batches) == layer.batches_before


def test_gradient_through_a_learned_range(rng):
    import tensorflow as tf

    x = tf.constant(rng.normal(size=(64, 4)).astype(np.float32) * 3)
    layer = learned(x, bits=4)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True)
    r = layer.settled().r
    inside = (x >= 0) & (x <= r * 15 / 16)
    np.testing.assert_array_equal(tape.gradient(y, x), np.where(inside, 1.0, 0.0))


def test_learned_ranges_in_files_and_mixed_precision(tmp_path, rng):
    x = rng.random((8, 8, 8, 3), dtype=np.float32) * 5
    layers = [keras.Input((8, 8, 3)), QuantActivation(bits=4, dtype="mixed_bfloat16", name="grid")]
    model = keras.Sequential([*layers, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1)])
    model.compile("sgd", "mse", jit_compile=False)
    model.fit(x, np.zeros((8, 1)), batch_size=4, epochs=2, verbose=0)
    grid = model.get_layer("grid")
    assert float(grid.batches) == 4 and grid.settled().r == 8.0
    model.save(tmp_path / "m.keras")
    again = load_keras(tmp_path / "m.keras")
    assert again.get_layer("grid").settled() == grid.settled()
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))


def test_ranges_by_hand():
    assert QuantActivation("signed8").settled() == Linear(8, 1.0)
    assert QuantActivation(bits=4, r=2.0).settled() == Linear(4, 2.0, signed=False)
    assert QuantActivation(Linear(5, 4.0, gradient_bits=8), r=0.5).settled() == Linear(5, 0.5, gradient_bits=8)
    assert QuantActivation(Linear(4, 4.0), r="auto").learned
    for wrong in (
        {"quantizer": "signed8", "bits": 4},
        {"quantizer": "binary", "r": 1.0},
        {"bits": 4, "r": 3.0},
        {"bits": 4, "r": "max"},
    ):
        with pytest.raises(CUNetError):
            QuantActivation(**wrong)
    layer = QuantActivation(bits=4)
    layer.build((None, 4))
    with pytest.raises(CUNetError, match="range is learned in training"):
        layer.settled()
