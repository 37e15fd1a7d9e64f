import keras
import numpy as np
import pytest
from cunet_tf.export.deploy import deploy

from cunet_tf.config_baselines import DenseUNetConfig, HourglassConfig
from cunet_tf.engines import KerasEngine
from cunet_tf.errors import CUNetError
from cunet_tf.models.build import build_network


def network(spec, quant="float", seed=0):
    """A fresh network whose batch normalisations are not all alike."""
    keras.utils.set_random_seed(seed)
    model = build_network(spec.replace(quant=quant))
    rng = np.random.default_rng(seed)
    for variable in model.variables:
        if "gamma" in variable.path or "variance" in variable.path:
            variable.assign(np.exp(rng.normal(0, 0.3, variable.shape)))
        elif "beta" in variable.path or "moving_mean" in variable.path:
            variable.assign(rng.normal(0, 0.3, variable.shape))
    return model


VARIANTS = {
    "plain": lambda spec: spec,
    "two passes": lambda spec: spec.replace(config=spec.config.replace(refinement=2)),
    "dense": lambda spec: spec.replace(config=DenseUNetConfig(2, 8, 4, 68, input_size=64)),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_float_twin_computes_the_network(name, tiny_spec, rng):
    """Without grids only the rounding of kernels to int8 and of constants to float16 remains."""
    spec = VARIANTS[name](tiny_spec)
    model = network(spec)
    twin = deploy(model, spec)
    images = rng.random((2, 64, 64, 3), dtype=np.float32)
    ours, theirs = twin(images), KerasEngine(model)(images)
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.999
    assert {each.name for each in twin.grid_tensors.tensors.values() if each.grid} == {"image"}


def test_calibration_gives_every_tensor_a_grid_and_reports(tiny_spec, rng):
    model = network(tiny_spec)
    twin = deploy(model, tiny_spec)
    images = rng.random((2, 64, 64, 3), dtype=np.float32)
    rows = {row["tensor"]: row for row in twin.calibrate(images)}
    assert not twin.grid_tensors.open() and len(rows) == len(twin.grid_tensors.tensors)
    assert all(row["clipped"] < 0.3 for row in rows.values())
    assert not rows["unet0_down0/ahead output"]["trained"] and rows["image"]["trained"]
    assert np.corrcoef(twin(images).ravel(), KerasEngine(model)(images).ravel())[0, 1] > 0.98


def test_quantized_network_keeps_the_grids_of_training(tiny_spec, rng):
    model = network(tiny_spec, "TW-QIG(828)")
    twin = deploy(model, model.spec)
    assert {grid_tensor.name for grid_tensor in twin.grid_tensors.open()} == {"unet1_head input", "unet1_head output"}
    images = rng.random((2, 64, 64, 3), dtype=np.float32)
    rows = {row["tensor"]: row for row in twin.calibrate(images)}
    assert rows["unet1_up0/ahead output"]["scale"] == 1 / 8 and rows["unet1_up0/ahead output"]["trained"]
    assert rows["unet1_up0/ahead input"]["scale"] == 1 / 16
    assert np.abs(twin(images) - KerasEngine(model)(images)).mean() < 0.05 * np.abs(KerasEngine(model)(images)).max()


def test_an_hourglass_is_refused(tiny_spec):
    spec = tiny_spec.replace(config=HourglassConfig(1, 8, 2, 68, 64))
    with pytest.raises(CUNetError, match="hourglass has no deploy twin"):
        deploy(network(spec), spec)
