import numpy as np
import pytest

from cunet_tf.config_baselines import HourglassConfig
from cunet_tf.errors import CUNetError
from cunet_tf.export.deploy import deploy
from cunet_tf.models.build import build_network
from tests.networks import SHAPES, TERNARY, crops, network, spec_of


def last_maps(model, images):
    return np.asarray(model(images)[-1])


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "small"])
def test_float_twin_computes_the_network(shape):
    """Without grids only the rounding of kernels to int8 and of constants to float16 remains."""
    model = network(shape=shape)
    twin = deploy(model, spec_of(shape=shape))
    assert np.corrcoef(twin(crops()).ravel(), last_maps(model, crops()).ravel())[0, 1] > 0.999
    assert {each.name for each in twin.grid_tensors.tensors.values() if each.grid} == {"image"}


def test_calibration_gives_every_tensor_a_grid_and_reports():
    twin = deploy(network(), spec_of())
    rows = {row["tensor"]: row for row in twin.calibrate(crops())}
    assert not twin.grid_tensors.open() and len(rows) == len(twin.grid_tensors.tensors)
    assert all(row["clipped"] < 0.3 for row in rows.values())
    assert not rows["unet0_down0/ahead output"]["trained"] and rows["image"]["trained"]
    assert np.corrcoef(twin(crops()).ravel(), last_maps(network(), crops()).ravel())[0, 1] > 0.98


def test_quantized_network_keeps_the_grids_of_training():
    model = network(TERNARY)
    twin = deploy(model, model.spec)
    assert {grid_tensor.name for grid_tensor in twin.grid_tensors.open()} == {"unet1_head input", "unet1_head output"}
    rows = {row["tensor"]: row for row in twin.calibrate(crops())}
    assert rows["unet1_up0/ahead output"]["scale"] == 1 / 8 and rows["unet1_up0/ahead output"]["trained"]
    assert rows["unet1_up0/ahead input"]["scale"] == 1 / 16
    expected = last_maps(model, crops())
    assert np.abs(twin(crops()) - expected).mean() < 0.05 * np.abs(expected).max()


@pytest.mark.parametrize("quant", ["W4", "W4-QIG(848)"])
def test_kernels_of_few_bits_keep_their_integers(quant):
    """Also where a normalisation is folded in, which may turn their signs."""
    model = network(quant)
    block, conv = model.get_layer("unet1_up0"), model.get_layer("unet1_up0").bottleneck
    trained = np.asarray(conv.kernel_quantizer.integers(conv.kernel)[0])
    twin = deploy(model, model.spec).model.get_layer("unet1_up0")
    _, bottleneck, features = twin.passes[0]
    signs = np.where(np.asarray(block.features.bn[0][0]) < 0, -1, 1)
    np.testing.assert_array_equal(bottleneck.kernel, trained * signs)
    assert 1 < np.abs(features.kernel.astype(int)).max() <= 7


def test_an_hourglass_is_refused(tiny_spec):
    spec = tiny_spec.replace(config=HourglassConfig(1, 8, 1, 68, 64))
    with pytest.raises(CUNetError, match="hourglass has no deploy twin"):
        deploy(build_network(spec), spec)
