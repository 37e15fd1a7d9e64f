import keras
import numpy as np
import pytest

from cunet_tf.export.bake_layers import copied, float_kernels, is_fused, kernel_of, quantized
from cunet_tf.models.quant_layers import QuantConv2D
from cunet_tf.quantize.names import QuantConfig
from tests.networks import network


def test_a_copy_is_fresh_changed_and_in_float32():
    layer = keras.layers.Conv2D(2, 1, dtype="mixed_bfloat16", name="a")
    made = copied(layer, name="b", filters=3)
    assert (made.name, made.filters, made.compute_dtype, made.built) == ("b", 3, "float32", False)


@pytest.mark.parametrize("name, built_in", [(None, True), ("relu", True), ("relu6", True), ("gelu", False)])
def test_activations_of_convolutions(name, built_in):
    assert is_fused(keras.activations.get(name)) == built_in


def test_kernels_as_they_compute():
    layer = QuantConv2D(2, 1, kernel_quantizer="binary")
    layer.build((None, 4, 4, 3))
    assert set(np.unique(kernel_of(layer))) <= {-1.0, 1.0} and quantized(layer) == [layer]
    plain = keras.layers.Dense(2)
    plain.build((None, 3))
    np.testing.assert_array_equal(kernel_of(plain), plain.kernel)
    assert not quantized(plain)


def test_quantized_kernels_of_a_block():
    assert len(quantized(network("BW-a").get_layer("unet0_neck"))) == 3
    assert not quantized(network().get_layer("unet0_neck"))


def test_features_stay():
    assert str(float_kernels(QuantConfig.parse("W4-QIG(848)"))).startswith("FW-QIG(8,32,8)")
