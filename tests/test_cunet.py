import keras
import numpy as np
import pytest

from cunet_tf.config import CUNetConfig
from cunet_tf.models.convolution import ConvBNReLU
from cunet_tf.models.cunet import build_cunet

SMALL = CUNetConfig(3, 2, 8, 4, 5, levels=2, input_size=32)


@pytest.fixture(scope="module")
def model():
    return build_cunet(SMALL)


def inputs_of(model, layer):
    """Names of the layers that feed ``layer``, in the order of concatenation."""
    node = model.get_layer(layer)._inbound_nodes[0]
    return [tensor._keras_history.operation.name for tensor in node.input_tensors]


def test_block_inputs_are_main_then_history_oldest_first(model):
    assert inputs_of(model, "unet0_down0") == ["stem"]
    assert inputs_of(model, "unet2_down1") == ["unet2_pool0", "unet0_down1", "unet1_down1"]
    assert inputs_of(model, "unet2_up0") == ["unet2_resize0", "unet2_down0", "unet0_up0", "unet1_up0"]
    assert inputs_of(model, "unet2_neck") == ["unet2_pool1", "unet0_neck", "unet1_neck"]
    assert inputs_of(model, "unet1_input") == ["unet0_up0", "stem"]
    assert inputs_of(model, "unet2_input") == ["unet1_up0", "stem", "unet1_input"]


def test_only_new_features_are_handed_on_and_skips_stay_inside(model):
    for position, main in (("down0", 8), ("up1", 16), ("neck", 8)):
        for index in range(3):
            kernel = model.get_layer(f"unet{index}_{position}").bottleneck.kernel
            assert kernel.shape[2] == main + min(index, 2) * 4


def test_order_0_is_a_plain_stack_with_adapters():
    model = build_cunet(SMALL.replace(order=0))
    assert inputs_of(model, "unet2_up0") == ["unet2_resize0", "unet2_down0"]
    assert inputs_of(model, "unet1_input") == ["unet0_up0"]


@pytest.mark.parametrize("supervisions", [1, 2, 3])
def test_output_is_always_a_list_of_float32_maps(supervisions):
    model = build_cunet(SMALL.replace(supervisions=supervisions, levels=1))
    outputs = model(np.zeros((2, 32, 32, 3), "float32"))
    assert isinstance(outputs, list) and isinstance(model.outputs, list)
    assert [tuple(o.shape) for o in outputs] == [(2, 8, 8, 5)] * supervisions
    heads = [name for name in (layer.name for layer in model.layers) if name.endswith("head")]
    assert heads[-1] == "unet2_head" and len(heads) == supervisions


def test_heads_are_not_fed_back(model):
    for layer in model.layers:
        if layer._inbound_nodes and layer._inbound_nodes[0].input_tensors:
            assert not any(name.endswith("head") for name in inputs_of(model, layer.name))


def test_stem_pads_three_on_each_side():
    """A lone bright pixel at (x, y) = (8, 8) must be seen symmetrically by the 7x7 kernel."""
    config = build_cunet(SMALL.replace(stacks=1)).get_layer("stem").get_config()
    stem = ConvBNReLU.from_config({**config, "pool": False})
    stem.build((None, 32, 32, 3))
    stem.kernel.assign(np.ones((7, 7, 3, 8), "float32"))
    image = np.zeros((1, 32, 32, 3), "float32")
    image[0, 8, 8] = 1.0
    seen = np.argwhere(np.asarray(stem(image))[0, :, :, 0] > 0)
    assert seen.min(axis=0).tolist() == [3, 3] and seen.max(axis=0).tolist() == [5, 5]


def test_uniform_gamma_is_an_option():
    model = build_cunet(SMALL.replace(gamma_init="uniform", stacks=1, levels=1))
    gamma = np.asarray(model.get_layer("unet0_head").bn[0][0])
    assert 0 <= gamma.min() < gamma.max() <= 1


def test_mixed_precision_keeps_float32_heat_maps():
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = build_cunet(SMALL.replace(stacks=1))
    finally:
        keras.mixed_precision.set_global_policy("float32")
    (maps,) = model(np.zeros((1, 32, 32, 3), "float32"), training=True)
    assert keras.backend.standardize_dtype(maps.dtype) == "float32"
    block = model.get_layer("unet0_down0")
    assert block.ahead.compute_dtype == "float16" and block.ahead.kernel.dtype == "float32"
