"""Names of layers, as other tools read them from float files."""

import keras
import pytest

from cunet_tf.engines import prepare_interpreter
from cunet_tf.export.formats import to_format
from cunet_tf.export.layer_names import layer_names
from cunet_tf.export.weight_only import with_int8_weights
from cunet_tf.models.counts import list_convs
from cunet_tf.models.quant_layers import QuantConv2D
from tests.networks import TINY, float_file, integer_file, network

_L = keras.layers


def names_in(tflite: bytes) -> set[str]:
    return {detail["name"] for detail in prepare_interpreter(tflite)[0].get_tensor_details()}


@pytest.mark.parametrize("make", [
    float_file, lambda: float_file(fmt="float16"), lambda: with_int8_weights(float_file()), lambda: float_file("BW-a"),
])  # fmt: skip
def test_every_convolution_names_its_layer(make):
    names, paths = names_in(make()), {conv.layer for conv in list_convs(TINY)} - {"unet0_head"}
    assert {f"{path}/kernel" for path in paths} <= names
    assert paths - {"unet1_head"} <= names and {"image", "heatmaps"} <= names


def test_a_layer_that_runs_twice():
    model = network(shape="two passes")
    names = names_in(to_format(model, model.spec, "float32", None).data)
    assert {"unet0_neck/ahead", "unet0_neck/ahead#2", "unet0_neck/bottleneck#2/kernel", "refine0"} <= names


def test_own_names_and_nested_models():
    inner = keras.Sequential([keras.Input((8, 8, 4)), QuantConv2D(4, 3, name="conv2d_1")], name="encoder")
    image = keras.Input((8, 8, 4), name="photo")
    x = _L.DepthwiseConv2D(3, name="conv2d")(_L.Conv2D(4, 1, name="conv2d_2")(inner(image)))
    model = keras.Model(image, _L.Dense(3, name="score")(_L.Flatten()(x)))
    names = names_in(to_format(model, None, "float32", None).data)
    assert {"photo", "encoder_conv2d_1", "conv2d_2", "conv2d", "conv2d/kernel", "score/kernel", "score"} <= names
    assert layer_names(model) >= {"encoder", "conv2d_1", "score"}


def test_integer_files_have_none():
    assert not any("/" in name for name in names_in(integer_file("BW-a-QIG(818)")))
