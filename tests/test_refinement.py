"""Two passes: the same convolutions, batch normalisation of their own, separate updates."""

import csv

import keras
import numpy as np
import pytest

from cunet_tf.cli import main
from cunet_tf.codec import codecs_of_heads, parse_codecs
from cunet_tf.config import CUNetConfig
from cunet_tf.engines import KerasEngine, LiteRTEngine
from cunet_tf.export.tflite import convert
from cunet_tf.models.build import build_network
from cunet_tf.models.counts import count
from cunet_tf.models.saved import load_keras
from cunet_tf.presets import preset
from tests.conftest import TINY_FLAGS
from tests.networks import TINY

SMALL = CUNetConfig(2, 1, 8, 4, 3, levels=1, input_size=32, refinement=4)


def losses_of(names, config=SMALL):
    return [codec.loss() for codec in codecs_of_heads(parse_codecs(names), config)]


def compiled(config):
    keras.utils.set_random_seed(0)
    model = build_network(config)
    model.compile(keras.optimizers.RMSprop(1e-2), losses_of("disk,gaussian", config), jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    return model


@pytest.fixture
def model():
    return compiled(SMALL)


@pytest.fixture
def batch(rng):
    points = np.concatenate([rng.random((4, 3, 2)) * 8, np.ones((4, 3, 1))], axis=-1).astype("float32")
    return rng.random((4, 32, 32, 3), dtype=np.float32), [points, points]


def moved(model, step, *batch):
    before = {v.path: np.array(v) for v in model.variables}
    step(*batch)
    return {path for path, old in before.items() if np.any(np.array(model_variable(model, path)) != old)}


def model_variable(model, path):
    return next(v for v in model.variables if v.path == path)


def is_second(path):
    return "pass2_" in path or path.startswith("refine")


def test_counts_are_the_papers_and_the_built_models(model):
    face = preset("iterative-4").config
    assert count(face)["conv_parameters"] == 4_130_688  # the paper prints 4.1M
    assert count(face.replace(refinement=32))["conv_parameters"] == 4_327_808
    assert count(SMALL)["trainable_parameters"] == sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    assert count(SMALL)["total_parameters"] == sum(int(np.prod(v.shape)) for v in model.variables)


def test_a_step_on_batch_a_moves_nothing_of_pass_2(model, batch):
    paths = moved(model, model.step_first, *batch)
    assert not any(is_second(path) for path in paths)
    assert {v.path for v in model.variables if not is_second(v.path)} == paths


def test_a_step_on_batch_b_moves_kernels_and_pass_2_only(model, batch):
    paths = moved(model, model.step_second, *batch)
    kernels = {v.path for v in model.variables if v.path.endswith("kernel") and not v.path.startswith("stem")}
    second = {v.path for v in model.variables if is_second(v.path)}
    assert paths == kernels | second  # no normalisation and no statistics of pass 1, no stem


def test_pass_1_does_not_depend_on_the_second_normalisation(model, rng):
    images = rng.random((2, 32, 32, 3), dtype=np.float32)
    before = [np.array(maps) for maps in model(images)]
    for variable in model.variables:
        if is_second(variable.path) and variable.path.endswith("gamma"):
            variable.assign(2.0 * variable)
    after = [np.array(maps) for maps in model(images)]
    np.testing.assert_array_equal(before[:2], after[:2])
    assert np.abs(before[3] - after[3]).max() > 1e-3


def test_fit_counts_two_updates_a_step(batch):
    """Traced, as a user's is; of one U-Net, as tracing two takes twice the time."""
    model = compiled(SMALL.replace(stacks=1, order=0))
    images, targets = batch
    model.fit(images, targets, batch_size=2, epochs=1, verbose=0)
    assert int(model.optimizer.iterations) == 2 * 2


@pytest.mark.parametrize("quant", ["float", "BW-a-QIG(818)"])
def test_one_file_holds_both_passes(quant, rng, tmp_path):
    spec = preset("face-mobile").replace(config=TINY.replace(levels=1, refinement=4), quant=quant)
    model = build_network(spec)
    images = rng.random((1, 64, 64, 3), dtype=np.float32)
    expected = KerasEngine(model)(images)
    model.save(tmp_path / "m.keras")
    np.testing.assert_array_equal(KerasEngine(load_keras(tmp_path / "m.keras"))(images), expected)
    tolerance = 1e-4 if quant == "float" else 0.2
    np.testing.assert_allclose(LiteRTEngine(convert(model, spec))(images), expected, atol=tolerance)


@pytest.mark.slow  # two trainings; resuming has tests of its own
def test_command_trains_and_resumes(tmp_path, capsys, eagerly):
    flags = ["train", "--data=synthetic", "--split=5:12", *TINY_FLAGS, "--levels=1", "--refinement=4"]
    flags += ["--targets=disk,gaussian", "--batch_size=4", f"--workdir={tmp_path}", "--val_share=0.2"]
    assert main([*flags, "--epochs=1"]) == 0
    with (tmp_path / "history.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert float(row["val_nme"]) > 0
    assert load_keras(tmp_path / "best.keras").spec.decoder == "dark"
    assert main([*flags, "--epochs=1", "--resume"]) == 0  # nothing is left to do
