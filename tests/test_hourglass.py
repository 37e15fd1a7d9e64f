"""Newell, Yang and Deng 2016; the counts are in test_counts.py."""

import csv
import json

import keras
import numpy as np
import pytest

from cunet_tf.cli import main
from cunet_tf.config_baselines import HourglassConfig
from cunet_tf.errors import CUNetError
from cunet_tf.models.hourglass import build_hourglass
from cunet_tf.models.saved import load_keras
from cunet_tf.presets import preset
from tests.test_cunet import inputs_of

SMALL = HourglassConfig(2, 8, 2, 5, input_size=32)
TINY_HOURGLASS = ["--preset=hourglass-4", "--stacks=1", "--channels=8", "--depth=1", "--input_size=64"]


@pytest.fixture(scope="module")
def small():
    return build_hourglass(SMALL)


def part(model, first, last):
    """The graph between the outputs of two layers."""
    return keras.Model(model.get_layer(first).output, model.get_layer(last).output)


def test_positions_of_one_hourglass(small):
    assert inputs_of(small, "stack0_side0") == inputs_of(small, "stack0_pool0") == ["stem_residual2"]
    assert inputs_of(small, "stack0_side1") == inputs_of(small, "stack0_pool1") == ["stack0_down0"]
    assert inputs_of(small, "stack0_bottom") == ["stack0_down1"]
    assert inputs_of(small, "stack0_up1") == ["stack0_bottom"]
    assert inputs_of(small, "stack0_add1") == ["stack0_side1", "stack0_resize1"]
    assert inputs_of(small, "stack0_up0") == ["stack0_add1"]
    assert inputs_of(small, "stack0_out") == ["stack0_add0"]


def test_features_and_heat_maps_are_fed_back_but_for_the_last(small):
    added = inputs_of(small, "stack0_merge")
    assert added == ["stem_residual2", "stack0_remap_features", "stack0_remap_heatmaps"]
    assert inputs_of(small, "stack0_remap_heatmaps") == ["stack0_head"]
    assert inputs_of(small, "stack0_remap_features") == inputs_of(small, "stack0_head") == ["stack0_lin"]
    assert inputs_of(small, "stack1_side0") == ["stack0_merge"]
    assert not any(layer.name.startswith("stack1_remap") for layer in small.layers)


def test_hourglass_of_identities_adds_the_enlarged_maximum_of_each_level(rng):
    """With zero kernels at their ends all residuals pass x on: x + up(p + up(pool(p))), p = pool(x)."""
    model = build_hourglass(SMALL)
    for layer in model.layers:
        if hasattr(layer, "expand"):
            layer.expand.kernel.assign(np.zeros(layer.expand.kernel.shape))
    x = rng.normal(size=(1, 8, 8, 8)).astype("float32")

    def pool(y):
        return y.reshape(1, y.shape[1] // 2, 2, y.shape[2] // 2, 2, 8).max(axis=(2, 4))

    def up(y):
        return y.repeat(2, axis=1).repeat(2, axis=2)

    expected = x + up(pool(x) + up(pool(pool(x))))
    np.testing.assert_allclose(part(model, "stem_residual2", "stack0_add0")(x), expected, rtol=1e-6)


def test_output_is_always_a_list_of_float32_maps():
    for stacks in (1, 2):
        model = build_hourglass(SMALL.replace(stacks=stacks))
        outputs = model(np.zeros((2, 32, 32, 3), "float32"))
        assert isinstance(outputs, list) and [tuple(maps.shape) for maps in outputs] == [(2, 8, 8, 5)] * stacks
        assert model.output_names == list(SMALL.replace(stacks=stacks).head_names)


def test_channels_of_the_stem_follow():
    model = build_hourglass(SMALL.replace(channels=32))
    names = ["stem", *(f"stem_residual{index}" for index in range(3))]
    shapes = [tuple(model.get_layer(name).output.shape[1:]) for name in names]
    assert shapes == [(16, 16, 64), (16, 16, 16), (8, 8, 16), (8, 8, 32)]


def test_mixed_precision_keeps_float32_heat_maps():
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = build_hourglass(SMALL)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    outputs = model(np.zeros((1, 32, 32, 3), "float32"), training=True)
    assert {keras.backend.standardize_dtype(maps.dtype) for maps in outputs} == {"float32"}
    block = model.get_layer("stack1_out")
    assert block.expand.compute_dtype == "bfloat16" and block.expand.kernel.dtype == "float32"


@pytest.mark.slow  # sixteen stacks are slow to build
def test_the_sixteen_stack_preset_builds_with_one_output():
    """As the exporter asks for it; Keras walks the graph by recursion."""
    model = build_hourglass(HourglassConfig(16, 8, 4, 5, input_size=64))
    assert keras.Model(model.inputs[0], model.outputs[-1]).count_params() == model.count_params()


def test_saved_and_loaded(tmp_path, rng):
    spec = preset("hourglass-4").replace(config=SMALL.replace(stacks=1, depth=1, landmarks=16))
    model = build_hourglass(spec)
    model.save(tmp_path / "m.keras")
    again = load_keras(tmp_path / "m.keras")
    assert again.spec == model.spec == spec
    images = rng.random((2, 32, 32, 3), dtype=np.float32)
    np.testing.assert_array_equal(model(images)[0], again(images)[0])


def test_quantization_is_refused(tmp_path, capsys):
    with pytest.raises(CUNetError, match=r"--quant=BW-a: a stacked hourglass cannot be quantized: use --quant=float"):
        build_hourglass(SMALL, quant="BW-a")
    assert main(["train", "--data=synthetic", *TINY_HOURGLASS, "--quant=TW", f"--workdir={tmp_path / 'w'}"]) == 2
    assert main(["info", "--preset=hourglass-4", "--quant=TW"]) == 2
    common = ["--data=synthetic", "--preset=hourglass-4", "--quants=float,TW", f"--workdir={tmp_path / 'w'}"]
    assert main(["sweep", *common]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 3 and all("--quant=TW: a stacked hourglass" in line for line in errors)
    assert not (tmp_path / "w").exists()


@pytest.mark.slow  # three commands; each has tests of its own
def test_command_trains_and_evaluates_and_exports(eagerly, tmp_path, capsys):
    """One hourglass on drawn figures: the same verbs and files as CU-Net's."""
    run = tmp_path / "run"
    flags = ["--data=synthetic", "--split=5:36", *TINY_HOURGLASS, "--epochs=1", "--batch_size=16", "--val_share=0.06"]
    assert main(["train", *flags, f"--workdir={run}"]) == 0
    with (run / "history.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert {"loss", "val_pck"} <= set(row)
    model = f"--model={run / 'best.keras'}"
    capsys.readouterr()
    assert main(["evaluate", model, "--data=synthetic", "--split=6:8", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["images"] == 8
    export = ["--format=float32", "--parity_pictures=1", f"--out={tmp_path / 'h.tflite'}"]
    assert main(["export", model, *export]) == 0
