import keras
import numpy as np
import pytest

from cunet_tf.config_baselines import DenseUNetConfig
from cunet_tf.models.counts import list_convs
from cunet_tf.models.dense_unet import build_dense_unet
from cunet_tf.models.health import quantized_kernels
from cunet_tf.models.saved import load_keras
from cunet_tf.models.size_report import report
from cunet_tf.presets import preset
from cunet_tf.quantize.names import QuantConfig
from tests.test_cunet import inputs_of

SMALL = DenseUNetConfig(2, 8, 4, 5, levels=1, input_size=32)
SPEC = preset("dense-unet-4").replace(config=SMALL.replace(landmarks=16))


def test_dense_layers_read_everything_before_them():
    model = build_dense_unet(SMALL)
    up = ["unet0_resize0", "unet0_down0_skip"]
    assert inputs_of(model, "unet0_up0_bottleneck0") == up
    assert inputs_of(model, "unet0_up0_bottleneck1") == [*up, "unet0_up0_features0"]
    assert inputs_of(model, "unet0_up0_features1") == ["unet0_up0_bottleneck1"]
    assert inputs_of(model, "unet0_up0_ahead") == [*up, "unet0_up0_features0", "unet0_up0_features1"]
    assert inputs_of(model, "unet0_down0_bottleneck0") == ["stem"]
    assert inputs_of(model, "unet0_neck_bottleneck0") == ["unet0_pool0"]
    assert inputs_of(model, "unet0_pool0") == ["unet0_down0_ahead"]
    assert inputs_of(model, "unet0_head") == ["unet0_up0_ahead"]


def test_output_is_a_list_of_one_float32_map():
    model = build_dense_unet(SMALL)
    outputs = model(np.zeros((2, 32, 32, 3), "float32"))
    assert isinstance(outputs, list) and [tuple(maps.shape) for maps in outputs] == [(2, 8, 8, 5)]
    assert model.output_names == ["unet0_head"]


def test_saved_and_loaded(tmp_path, rng):
    model = build_dense_unet(SPEC)
    model.save(tmp_path / "m.keras")
    again = load_keras(tmp_path / "m.keras")
    assert again.spec == model.spec == SPEC
    images = rng.random((2, 32, 32, 3), dtype=np.float32)
    np.testing.assert_array_equal(model(images)[0], again(images)[0])


@pytest.mark.parametrize("quant", ["BW-a", "TW-QIG(626)"])
def test_inner_convolutions_are_quantized(quant, rng):
    keras.utils.set_random_seed(0)
    model = build_dense_unet(SPEC, quant=quant)
    inner = [conv.layer for conv in list_convs(SPEC.config) if conv.part not in ("stem", "heads")]
    assert sorted(quantized_kernels(model)) == sorted(inner)
    assert [v.path for v in model.variables] == [v.path for v in build_dense_unet(SPEC).variables]
    bits = {row["layer"]: row["bits"] for row in report(SPEC.config, QuantConfig.parse(quant))["layers"]}
    assert {path for path in bits if bits[path] == 32} == {"stem", "unet0_head"}
    assert np.isfinite(np.asarray(model(rng.random((1, 32, 32, 3), dtype=np.float32), training=True)[0])).all()


def test_every_concatenated_tensor_is_on_one_grid(rng):
    keras.utils.set_random_seed(0)
    model = build_dense_unet(SPEC, quant="BW-QIG(818)")
    names = [layer.name for layer in model.layers if layer.name.endswith(("ahead", "skip", "grid"))]
    names += [layer.name for layer in model.layers if "features" in layer.name]
    grid = model.get_layer("unet0_neck_ahead").output_quantizer
    assert model.get_layer("unet0_neck_bottleneck1").output_quantizer is None
    tensors = keras.Model(model.inputs[0], [model.get_layer(name).output for name in names])
    for values in tensors(rng.random((1, 32, 32, 3), dtype=np.float32)):
        steps = np.asarray(values) / grid.step
        assert np.array_equal(steps, np.round(steps))
