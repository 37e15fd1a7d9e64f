"""A finished run goes on with its optimizer's averages and a new schedule."""

import csv
import json
from pathlib import Path

import keras
import numpy as np
import pytest

from cunet_tf.cli import main
from cunet_tf.errors import CUNetError
from cunet_tf.models.build import build_network
from cunet_tf.models.pretrained import save_half
from cunet_tf.models.saved import load_keras, transfer_weights
from cunet_tf.trainers.extension import extended_file, load_with_optimizer, take_optimizer, updates_made
from cunet_tf.trainers.options import Options
from cunet_tf.trainers.recipes import FACE_MOBILE
from tests import networks
from tests.conftest import TINY_FLAGS

UPDATES, RATE = 6, 1e-3


def with_optimizer(start: int = 0, ema: float = 0.0, **changes) -> keras.Model:
    model = build_network(networks.spec_of().replace(config=networks.TINY.replace(stacks=1, levels=1, **changes)))
    options = Options(ema=ema).optimizer_options()
    optimizer = FACE_MOBILE.optimizer(100, 10, 0, start, **options)
    model.compile(optimizer)
    optimizer.build(model.trainable_variables)
    return model


def gradients(model: keras.Model, update: int) -> list[np.ndarray]:
    rng = np.random.default_rng(update)
    return [1e-4 * rng.normal(size=variable.shape).astype("float32") for variable in model.trainable_variables]


def values(variables) -> list[np.ndarray]:
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


@pytest.fixture(scope="module")
def trained() -> keras.Model:
    """A few updates, with an average of the weights."""
    model = with_optimizer(ema=0.9)
    for update in range(UPDATES):
        model.optimizer.apply(gradients(model, update))
    return model


@pytest.fixture(scope="module")
def steps(trained) -> dict[str, list[np.ndarray]]:
    """The next update's change of all weights: of the training itself, of its extension, of new averages."""
    found = {}
    extension, fresh = with_optimizer(UPDATES, ema=0.9), with_optimizer()
    for model in (extension, fresh):
        transfer_weights(trained, model)
    take_optimizer(trained, extension)
    for name, model in (("extension", extension), ("fresh", fresh), ("itself", trained)):
        before = values(model.trainable_variables)
        model.optimizer.apply(gradients(model, UPDATES))
        after = values(model.trainable_variables)
        found[name] = [new - old for new, old in zip(after, before, strict=True)]
    found["averages"] = [each for model in (trained, extension) for each in values(model.optimizer.variables[1:])]
    return found


def test_the_first_update_is_the_one_that_the_training_would_have_made(steps):
    """At update 6 of 1,000 the old rate is still within 0.1 % of the beginning, where the new schedule starts."""
    for own, extended in zip(steps["itself"], steps["extension"], strict=True):
        np.testing.assert_allclose(extended, own, rtol=2e-3, atol=1e-6)
    half = len(steps["averages"]) // 2
    for own, extended in zip(steps["averages"][:half], steps["averages"][half:], strict=True):
        np.testing.assert_allclose(extended, own, rtol=1e-3, atol=1e-6)


def test_without_the_averages_every_weight_moves_by_ten_times_the_rate(steps):
    sizes = {name: np.median(np.abs(np.concatenate([each.ravel() for each in steps[name]]))) for name in steps}
    assert sizes["fresh"] == pytest.approx(10 * RATE, rel=0.01)
    assert sizes["extension"] < 0.35 * sizes["fresh"]


def test_a_new_average_of_the_weights_starts_at_them(trained):
    source, target = with_optimizer(), with_optimizer(1, ema=0.9)
    source.optimizer.apply(gradients(source, 0))
    transfer_weights(source, target)
    take_optimizer(source, target)
    averages = [each for each in target.optimizer.variables if each.path.endswith("_average")]
    for weight, average in zip(target.trainable_variables, averages, strict=True):
        np.testing.assert_array_equal(weight, average)


def test_another_network_is_refused(trained):
    with pytest.raises(CUNetError, match="another network"):
        take_optimizer(trained, with_optimizer(growth=6))


def test_updates_of_the_present_training_also_from_a_file(tmp_path, trained):
    model = with_optimizer(updates_made(trained.optimizer))
    take_optimizer(trained, model)
    assert updates_made(model.optimizer) == 0
    model.optimizer.apply(gradients(model, 0))
    assert updates_made(model.optimizer) == 1
    assert float(model.optimizer.learning_rate) == pytest.approx(RATE, rel=1e-4)
    model.save(tmp_path / "last.keras")
    assert updates_made(load_with_optimizer(tmp_path / "last.keras").optimizer) == 1


def test_what_cannot_be_extended(tmp_path):
    with pytest.raises(CUNetError, match="needs --init"):
        extended_file(None)
    model = with_optimizer()
    model.save(tmp_path / "untrained.keras")
    save_half(model, tmp_path / "half.keras")  # as the shipped networks, without what the optimizer knows
    for name in ("untrained", "half"):
        with pytest.raises(CUNetError, match="holds no averages"):
            load_with_optimizer(tmp_path / f"{name}.keras")


def test_a_run_is_extended_by_the_command(trained_run, tmp_path, eagerly, capsys):
    """From the run's last network, not its best; with a schedule of its own, no warm-up, and epochs from 1."""
    work = tmp_path / "more"
    flags = ["train", "--data=synthetic", "--split=5:18", *TINY_FLAGS, "--epochs=1", "--batch_size=16",
             "--val_share=0.1"]  # fmt: skip
    assert main([*flags, f"--workdir={work}", "--init_optimizer"]) == 2
    assert "needs --init" in capsys.readouterr().err and not work.exists()
    flags += [f"--workdir={work}", f"--init={trained_run}", "--init_optimizer", "--learning_rate=0.0005"]
    assert main(flags) == 0
    before, after = (load_keras(Path(run, "last.keras"), compile=True).optimizer for run in (trained_run, work))
    assert "averages of 8 updates were taken" in capsys.readouterr().out
    assert [int(each.iterations) for each in (before, after)] == [8, 9] and updates_made(after) == 1
    with (work / "history.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1"]
    assert json.loads((work / "config.json").read_text())["extras"]["init_optimizer"] is True
