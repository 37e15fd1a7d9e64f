"""Every tensor that is concatenated, or read by a quantized convolution, lies on its grid."""

import keras
import numpy as np
import pytest

from cunet_tf.models.counts import list_convs
from cunet_tf.models.cunet import build_cunet
from cunet_tf.models.health import convolutions, quantized_kernels
from cunet_tf.models.saved import load_keras
from cunet_tf.quantize.names import QuantConfig
from cunet_tf.quantize.placement import conv_quantizers, output_grid
from cunet_tf.quantize.quantizers import Binary, Linear, Uniform
from tests.networks import TINY

QUANT = "BW-a-QIG(818)+narrow"


@pytest.fixture(scope="module")
def network(tiny_spec):
    keras.utils.set_random_seed(0)
    return build_cunet(tiny_spec, quant=QUANT)


def on_grid(x, grid):
    integers = np.asarray(x) / grid.step
    low, high = grid.limits
    return np.all(integers == np.round(integers)) and np.all((integers >= low / grid.step) & (x <= high))


def test_which_convolutions_get_which_quantizers():
    quant = QuantConfig.parse(QUANT)
    inner = conv_quantizers(quant, "unet0_up1/ahead")
    assert inner["kernel_quantizer"] == Binary(alpha=True, shift=True, bound=1.0)
    assert inner["input_quantizer"] == Linear(8, 16.0, signed=False, gradient_bits=8)
    assert inner["output_quantizer"] == output_grid(quant) == Linear(8, 16.0, narrow=True, gradient_bits=8)
    assert conv_quantizers(quant, "unet0_down0/bottleneck", concatenated=False)["output_quantizer"] is None
    assert set(conv_quantizers(QuantConfig.parse("BW+float_layers=a/b"), "a/b").values()) == {None}
    assert conv_quantizers(QuantConfig.parse("W4"), "a/b")["kernel_quantizer"] == Uniform(4)
    assert conv_quantizers(QuantConfig.parse("W4-QIG(848)"), "a/b")["kernel_quantizer"] == Uniform(4, bound=1.0)
    assert output_grid(QuantConfig.parse("BW-a")) is None
    assert output_grid(QuantConfig.parse("BW-QIG(8,1,32)")).gradient_bits is None


def test_all_inner_convolutions_and_no_others_are_quantized(network):
    inner = [conv.layer for conv in list_convs(TINY) if conv.part not in ("stem", "heads")]
    assert [path.removeprefix("cunet/") for path in quantized_kernels(network)] == inner


def test_float_and_quantized_networks_have_the_same_variables(network, tiny_spec):
    plain = build_cunet(tiny_spec)
    assert [v.path for v in plain.variables] == [v.path for v in network.variables]


def test_every_concatenated_tensor_is_on_the_signed_grid(network, rng):
    grid = output_grid(QuantConfig.parse(QUANT))
    producers = [layer for layer in network.layers if layer.name.startswith("unet")]
    tensors = [t for layer in producers if "head" not in layer.name and "resize" not in layer.name
               for t in (layer.output if isinstance(layer.output, list) else [layer.output])]  # fmt: skip
    tensors.append(network.get_layer("stem_grid").output)
    values = keras.Model(network.inputs[0], tensors)(rng.random((2, 64, 64, 3), dtype=np.float32), training=True)
    assert len(values) > 25
    assert all(on_grid(value, grid) for value in values)


@pytest.mark.parametrize("training", [False, True])
def test_every_quantized_convolution_reads_the_unsigned_grid(network, rng, training):
    seen = []

    class Spy:
        def __init__(self, grid):
            self.grid = grid

        def __call__(self, x):
            seen.append(on_grid(self.grid(x), self.grid))
            return self.grid(x)

    layers = [layer for layer in convolutions(network) if layer.input_quantizer is not None]
    for layer in layers:
        layer.input_quantizer = Spy(layer.input_quantizer)
    network(rng.random((1, 64, 64, 3), dtype=np.float32), training=training)
    for layer in layers:
        layer.input_quantizer = layer.input_quantizer.grid
    assert len(seen) == len(layers) and all(seen)


def test_saved_and_reloaded_network_is_identical(network, tmp_path, rng):
    images = rng.random((2, 64, 64, 3), dtype=np.float32)
    network.save(tmp_path / "q.keras")
    again = load_keras(tmp_path / "q.keras")
    assert again.spec.quant == QUANT
    for ours, theirs in zip(network(images), again(images), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert [layer.get_config() for layer in convolutions(network)] == [c.get_config() for c in convolutions(again)]
