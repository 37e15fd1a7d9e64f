"""The small network in the words of each package; packages that are not here are played by layers of Keras."""

import contextlib
import sys
from types import ModuleType, SimpleNamespace

import keras
import numpy as np
import pytest

from cunet_tf.export.peers import networks, tiny

CONVOLUTIONS = len(tiny.CONVOLUTIONS) + 1  # with the one that makes the heat map


def played(monkeypatch, **parts):
    """Put modules into ``sys.modules``; dots are written as two underscores."""
    for name, values in parts.items():
        module = ModuleType(name.replace("__", "."))
        vars(module).update(values)
        monkeypatch.setitem(sys.modules, module.__name__, module)


def convolution(asked):
    """A layer of convolution that keeps what it is asked beyond Keras' own arguments."""

    def make(filters, size, stride, padding, use_bias, **own):
        asked.append(own)
        return keras.layers.Conv2D(filters, size, stride, padding=padding, use_bias=use_bias)

    return make


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]


def test_the_float_network_makes_heat_maps_without_a_bias():
    model = networks.float_network(keras.layers, keras.Model)
    assert model.output_shape == (None, tiny.MAP_SIDE, tiny.MAP_SIDE, 1)
    block = ["Conv2D", "BatchNormalization", "ReLU"]
    assert kinds(model) == ["InputLayer", *block * len(tiny.CONVOLUTIONS), "Conv2D"]
    assert not any(layer.use_bias for layer in model.layers if isinstance(layer, keras.layers.Conv2D))


@pytest.mark.parametrize("kernels, values", [("w4", 16), ("binary", 2)])
def test_ours_puts_kernels_and_features_on_grids(kernels, values):
    model = networks.ours(kernels)
    convolutions = [layer for layer in model.layers if hasattr(layer, "kernel_quantizer")]
    assert len(convolutions) == CONVOLUTIONS
    first = convolutions[1]
    kernel = np.asarray(first.kernel_quantizer(first.kernel))
    assert max(len(np.unique(kernel[..., each])) for each in range(kernel.shape[-1])) <= values
    grids = [layer.settled() for layer in model.layers if hasattr(layer, "settled")]
    assert [grid.limits for grid in grids] == [(0.0, 255 / 256)] + [(0.0, 4 * 255 / 256)] * len(tiny.CONVOLUTIONS)


@pytest.mark.parametrize("kernels, quantizer", [("w4", "quantized_bits(4, 0, 1, alpha='auto')"),
                                                ("binary", "binary(alpha='auto')")])  # fmt: skip
def test_qkeras_gets_its_names_of_the_same_bits(monkeypatch, kernels, quantizer):
    asked, features = [], []
    activation = lambda name: features.append(name) or keras.layers.Activation("linear")  # noqa: E731
    played(monkeypatch, qkeras={"QConv2D": convolution(asked), "QActivation": activation})
    model = networks.qkeras(kernels)
    assert asked == [{"kernel_quantizer": quantizer}] * CONVOLUTIONS
    assert features == ["quantized_relu(8, 0)", *["quantized_relu(8, 2)"] * len(tiny.CONVOLUTIONS)]
    assert 2.0**networks.RANGE_BITS == tiny.FEATURE_RANGE and "ReLU" not in kinds(model)


@pytest.mark.parametrize("kernels", networks.KERNELS)
def test_larq_takes_dorefa_or_its_own_signs(monkeypatch, kernels):
    asked, grids = [], []

    def dorefa(bits, mode):
        grids.append((bits, mode))
        return keras.layers.Activation("linear") if mode == "activations" else "grid of kernels"

    layers = SimpleNamespace(QuantConv2D=convolution(asked))
    played(monkeypatch, larq={"layers": layers, "quantizers": SimpleNamespace(DoReFa=dorefa)},
           tf_keras={"layers": keras.layers, "Model": keras.Model})  # fmt: skip
    networks.larq(kernels)
    features = [grid for grid in grids if grid[1] == "activations"]
    assert features == [(8, "activations")] * (1 + len(tiny.CONVOLUTIONS))
    if kernels == "binary":
        own = {"kernel_quantizer": "magnitude_aware_sign", "kernel_constraint": "weight_clip"}
    else:
        own = {"kernel_quantizer": "grid of kernels", "kernel_constraint": None}
        assert grids.count((4, "weights")) == CONVOLUTIONS
    assert asked == [own] * CONVOLUTIONS


def test_hgq_holds_its_bits_and_counts_none(monkeypatch):
    asked, scopes, inside = [], [], []

    @contextlib.contextmanager
    def scope(**options):
        scopes.append(options)
        yield

    def conv(*arguments, **options):
        inside.append(len(scopes))
        return convolution(asked)(*arguments, **options)

    config = {"LayerConfigScope": scope, "QuantizerConfig": lambda *kind, **values: {"kind": kind, **values}}
    played(monkeypatch, hgq__config=config, hgq__constraints={"Constant": lambda bits: ("held", bits)},
           hgq__layers={"QConv2D": conv})  # fmt: skip
    networks.hgq2("w4")
    assert scopes == [{"enable_ebops": False}] * CONVOLUTIONS and inside == [1, 2, 3, 4]
    assert {(each["kq_conf"]["kind"], each["kq_conf"]["bc"]) for each in asked} == {(("kbi", "weight"), ("held", 3))}
    grids = [each["iq_conf"] for each in asked]
    assert [grid["ic"] for grid in grids] == [("held", 0), ("held", 2), ("held", 2), ("held", 2)]
    assert all(grid["bc"] == ("held", 8) and not grid["k0"] for grid in grids)


def test_hgq_has_no_binary_kernels():
    with pytest.raises(NotImplementedError, match="not tried: its numbers are fixed-point ones"):
        networks.hgq2("binary")
