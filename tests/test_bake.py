import keras
import numpy as np
import pytest

import cunet_tf as cu
from cunet_tf.engines import LiteRTEngine
from cunet_tf.errors import CUNetError
from cunet_tf.export.bake import bake, bake_with_steps
from cunet_tf.export.own_parity import integer_operations
from cunet_tf.export.tflite import convert, operator_names
from cunet_tf.models.quant_layers import QuantActivation, QuantConv2D
from cunet_tf.models.saved import load_keras
from cunet_tf.quantize.quantizers import Linear, Uniform
from tests.networks import crops, network
from tests.own_models import mobile, squares, trained, with_every_grid

_L = keras.layers


@pytest.mark.parametrize("quant", ["BW-a", "TW-a-QIG(626)", "W5"])
def test_twin_has_plain_kernels_and_computes_the_same(quant):
    model = network(quant)
    twin = bake(model)
    assert twin.spec.quant.startswith(("FW", "float"))
    np.testing.assert_array_equal(twin(crops())[-1], model(crops())[-1])


def test_float_model_is_its_own_twin():
    assert bake(network()) is network()
    plain = keras.Sequential([keras.Input((8, 8, 1)), _L.Conv2D(2, 3, activation="relu")])
    assert bake(plain) is plain


def test_binary_network_converts_with_constant_kernels():
    """The converter leaves a comparison of real kernels in the graph; the twin has none."""
    model = network("BW-a")
    data = convert(model, model.spec)
    assert not {"SELECT_V2", "GREATER_EQUAL", "SIGN"} & set(operator_names(data))
    np.testing.assert_allclose(LiteRTEngine(data)(crops()), model(crops())[-1], atol=1e-4)


def test_own_model_is_the_same_function_without_quantized_kernels_and_normalisations(tmp_path):
    model, (x, _) = trained(), squares()
    twin = cu.bake(model)
    kinds = [type(layer).__name__ for layer in twin.layers]
    assert "QuantConv2D" not in kinds and "BatchNormalization" not in kinds
    assert kinds.count("DepthwiseConv2D") == 1  # the normalisation behind the concatenation
    assert len(np.unique(np.abs(twin.get_layer("binary").get_weights()[0][..., 0]).round(6))) == 1
    np.testing.assert_allclose(twin.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-4)
    twin.save(tmp_path / "twin.keras")
    again = load_keras(tmp_path / "twin.keras")
    np.testing.assert_array_equal(again.predict(x[:4], verbose=0), twin.predict(x[:4], verbose=0))


def test_tensorflows_own_converter_makes_integers_of_the_twin():
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(cu.bake(with_every_grid()))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    found = integer_operations(converter.convert())
    assert found["integer_convolutions"] == found["convolutions"] == 2


def uneven(model):
    """Variables that are not all alike."""
    rng = np.random.default_rng(0)
    for variable in model.variables:
        if "variance" in variable.path:
            variable.assign(rng.uniform(0.5, 2.0, variable.shape))
        else:
            variable.assign(rng.normal(0, 0.5, variable.shape))
    return model


def nested():
    """A Sequential model inside a functional one, called twice, operations and a shared normalisation."""
    inner = keras.Sequential([keras.Input((8, 8, 4)), QuantConv2D(4, 3, padding="same"), _L.BatchNormalization()])
    norm, image = _L.BatchNormalization(), keras.Input((8, 8, 4))
    x = inner(inner(image)) + 0.5 * norm(image)
    x = norm(_L.DepthwiseConv2D(3)(x))  # shared: it stays a layer of its own
    x = _L.BatchNormalization()(_L.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False)(x))
    x = _L.BatchNormalization()(_L.Conv2D(3, 1, activation="relu")(x))  # behind a ReLU: not folded
    return keras.Model(image, _L.BatchNormalization(scale=False)(_L.Dense(5)(_L.Flatten()(x))))


def sequential():
    return keras.Sequential([
        keras.Input((8, 8, 4)),
        QuantConv2D(6, 3, strides=2, kernel_quantizer=Uniform(3), input_quantizer=Linear(4, 1.0), activation="gelu"),
        QuantActivation(Linear(5, 2.0, signed=True, narrow=True)),
        _L.Conv2DTranspose(4, 3), _L.BatchNormalization(center=False), _L.Dropout(0.5),
        QuantConv2D(2, 1, kernel_quantizer="ternary", groups=2), _L.BatchNormalization(),
    ])  # fmt: skip


def test_mobile_networks(rng):
    model = mobile()
    twin, x = bake(model), rng.random((4, 16, 16, 3), dtype=np.float32) * 255
    for ours, theirs in zip(model(x), twin(x), strict=True):
        np.testing.assert_allclose(theirs, ours, atol=1e-4 * float(np.ptp(ours)))
    kinds = {type(layer).__name__ for layer in twin.layers}
    assert not kinds & {"SeparableConv2D", "UpSampling2D", "Rescaling", "BatchNormalization"}


@pytest.mark.parametrize("make", [nested, sequential])
def test_models_of_all_kinds(make, rng):
    model = uneven(make())
    twin, x = bake(model), rng.normal(size=(4, 8, 8, 4)).astype(np.float32)
    ours, theirs = model(x), twin(x)
    np.testing.assert_allclose(theirs, ours, atol=1e-4 * float(np.abs(ours).max()))
    assert not any(isinstance(layer, (QuantConv2D, keras.Sequential)) for layer in twin.layers)


def test_steps_of_k_bit_kernels():
    model = uneven(sequential())
    twin, steps = bake_with_steps(model)
    ((name, step),) = steps.items()
    multiples = twin.get_layer(name).get_weights()[0] / step
    np.testing.assert_allclose(multiples, np.rint(multiples), atol=1e-4)
    assert np.abs(multiples).max() <= 4


def test_twin_of_a_model_in_mixed_precision_is_float32():
    layers = [QuantConv2D(2, 3, dtype="mixed_bfloat16"), QuantActivation(Linear(4, 1.0), dtype="mixed_bfloat16")]
    twin = bake(keras.Sequential([keras.Input((8, 8, 1)), *layers]))
    assert {layer.compute_dtype for layer in twin.layers} == {"float32"}


class Own(keras.Model):
    def call(self, x):
        return x


class Hiding(_L.Layer):
    def build(self, shape):
        self.conv = QuantConv2D(2, 3)
        self.conv.build(shape)

    def call(self, x):
        return self.conv(x)


def test_what_cannot_be_followed_is_named():
    with pytest.raises(CUNetError, match=r"'own' \(Own\) is a subclassed one"):
        bake(Own(name="own"))
    with pytest.raises(CUNetError, match="begin it with keras.layers.Input"):
        bake(keras.Sequential([QuantConv2D(2, 3)]))
    with pytest.raises(CUNetError, match="layer hiding: Hiding holds quantized layers"):
        bake(keras.Sequential([keras.Input((8, 8, 1)), Hiding(name="hiding"), QuantConv2D(2, 3)]))
    with pytest.raises(CUNetError, match="range is learned in training"):
        bake(keras.Sequential([keras.Input((8, 8, 1)), QuantActivation(bits=4)]))
