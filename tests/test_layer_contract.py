"""Every layer that a saved network can hold keeps the contract of tests/layer_contract.py."""

import importlib
from functools import partial
from pathlib import Path

import keras
import pytest

from cunet_tf.models.concat_conv import ConcatBNReLUConv, ConcatConvBNReLU
from cunet_tf.models.convolution import ConvBNReLU
from cunet_tf.models.layers import MaxPool, SemanticBlock, Upsample2x
from cunet_tf.models.quant_layers import QuantActivation, QuantConv2D
from cunet_tf.models.residual import Residual
from tests.layer_contract import check_layer

ONE, TWO = [(8, 8, 4)], [(8, 8, 4), (8, 8, 2)]
MODELS = Path(__file__).parents[1] / "cunet_tf/models"
LAYERS = {
    "concat, BN, ReLU, conv": (partial(ConcatBNReLUConv, 5, 3), TWO, 3),
    "the same, two sets of statistics": (partial(ConcatBNReLUConv, 5, 1, bn_sets=2), TWO, 5, 2),
    "concat, conv, BN, ReLU": (partial(ConcatConvBNReLU, 5), TWO, 3),
    "bare convolution": (partial(ConcatConvBNReLU, 5, normalize=False), ONE, 1),
    "stem": (partial(ConvBNReLU, 6, 7, strides=2, pool=True), [(16, 16, 3)], 3),
    "semantic block": (partial(SemanticBlock, 4, 2, with_skip=True), TWO, 12),
    "quantized block": (partial(SemanticBlock, 4, 2, quant="TW-a-QIG(8,2,32)"), TWO, 9),
    "block, conv first": (partial(SemanticBlock, 4, 2, norm_order="conv_first"), ONE, 9),
    "upsampling": (Upsample2x, ONE, 0),
    "pooling": (partial(MaxPool, 2), ONE, 0),
    "residual": (partial(Residual, 4), ONE, 9),
    "residual of other channels": (partial(Residual, 6), ONE, 10),
    "own convolution": (partial(QuantConv2D, 5, 3, padding="same", kernel_quantizer="ternary-a"), ONE, 2),
    "own activation": (partial(QuantActivation, bits=4), ONE, 0),
}


@pytest.mark.parametrize("name", LAYERS)
def test_the_contract_is_kept(name, tmp_path):
    make, shapes, trainable, *unused = LAYERS[name]
    check_layer(make, shapes, trainable, tmp_path, *unused)


def test_no_layer_is_forgotten():
    for file in MODELS.glob("*.py"):
        importlib.import_module(f"cunet_tf.models.{file.stem}")
    custom = keras.saving.get_custom_objects().values()
    ours = {each for each in custom if isinstance(each, type) and issubclass(each, keras.Layer)
            and not issubclass(each, keras.Model) and each.__module__.startswith("cunet_tf.models")}  # fmt: skip
    assert ours <= {make.func if isinstance(make, partial) else make for make, *_ in LAYERS.values()}
