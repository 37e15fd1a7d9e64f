"""What the process of a package writes; models and converters are played."""

import json
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from cunet_tf.export.peers import networks, tiny, worker


class Model:
    """Answers with the pictures' means; its weights are what training makes of them."""

    def __init__(self):
        self.weights, self.asked = [0.0], []

    def compile(self, optimizer, loss, jit_compile):
        self.asked.append((float(optimizer.learning_rate), loss, jit_compile))

    def fit(self, pictures, maps, batch_size, epochs, verbose):
        self.asked.append((len(pictures), len(maps), batch_size, epochs))
        return SimpleNamespace(history={"loss": [np.float32(3.0), np.float32(2.0), np.float32(1.0)]})

    def predict(self, pictures, verbose):
        return pictures.mean(axis=(1, 2, 3))

    def train_on_batch(self, pictures, maps):
        self.weights = [self.weights[0] + 1.0]

    def get_weights(self):
        return list(self.weights)

    def set_weights(self, weights):
        self.weights = weights

    def save(self, file):
        file.write_bytes(b"trained")


@pytest.fixture
def model(monkeypatch):
    """The network that every builder gives, on few pictures."""
    found = Model()
    monkeypatch.setattr(tiny, "TRAINING", 40)
    monkeypatch.setattr(worker, "version", lambda name: f"version of {name}")
    monkeypatch.setattr(networks, "BUILDERS", {"cunet-tf": lambda kernels: found, "other": lambda kernels: found})
    monkeypatch.setattr(worker, "_float", lambda keras: found)
    return found


def result_of(folder, *arguments):
    worker.main(folder, *arguments)
    return json.loads((folder / "result.json").read_text())


def test_keras_has_no_step_ratio_and_says_what_it_changed(model, tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "_converted", lambda folder, model, conversion: "no" * (conversion == "dynamic"))
    monkeypatch.setattr(worker, "_quantized", lambda keras, model, mode: f"changed by {mode}")
    found = result_of(tmp_path, "keras", "int8")
    assert found["files"] == {"as it is": "", "dynamic": "no", "calibrated int8": ""}
    assert (found["version"], found["keras"]) == ("version of keras", f"keras {keras.__version__}")
    assert (found["note"], found["loss_first"], found["loss_last"]) == ("changed by int8", 3.0, 1.0)
    assert "step_ratio" not in found and not (tmp_path / "trained.keras").exists()
    expected = tiny.test_pictures().mean(axis=(1, 2, 3))
    np.testing.assert_array_equal(np.load(tmp_path / "expected.npy"), expected)
    assert result_of(tmp_path, "keras", "float")["note"] == ""


def test_our_network_is_kept_for_our_own_command(model, tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "_step_ratio", lambda keras, model, xla: 2.0 if xla else 1.5)
    found = result_of(tmp_path, "cunet-tf", "w4")
    assert (found["step_ratio"], found["step_ratio_xla"], found["files"]) == (1.5, 2.0, {})
    assert (tmp_path / "trained.keras").read_bytes() == b"trained"


def test_what_a_package_found_before_it_failed_is_kept(model, tmp_path, monkeypatch):
    def fail(keras, model, xla):
        raise ValueError("one\ntwo\n\n  ")

    monkeypatch.setattr(worker, "_step_ratio", fail)
    found = result_of(tmp_path, "other", "w4")
    assert (found["error"], found["loss_last"], found["files"]) == ("ValueError: two", 1.0, {})
    assert worker._words(RuntimeError()) == "RuntimeError: no message"


def test_all_train_with_the_same_recipe(model):
    assert worker._train(keras, model) == {"loss_first": 3.0, "loss_last": 1.0}
    assert model.asked == [(pytest.approx(3e-3), "mse", False), (40, 40, tiny.BATCH, tiny.EPOCHS)]


@pytest.mark.parametrize("xla", [False, True])
def test_timed_steps_leave_the_model_as_it_was(monkeypatch, xla):
    ours, yardstick = Model(), Model()
    monkeypatch.setattr(worker, "_float", lambda keras: yardstick)

    def ratio(one, other, rounds, calls):
        one(), one(), other()
        return ours.weights[0] / yardstick.weights[0]

    monkeypatch.setattr(worker, "time_ratio", ratio)
    assert worker._step_ratio(keras, ours, xla) == 2.0
    assert ours.weights == [0.0] and {each.asked[0][2] for each in (ours, yardstick)} == {xla}


def test_a_step_that_only_xla_cannot_compile_has_no_ratio(monkeypatch):
    def fail(ours, *_):
        ours()
        raise ValueError("no kernel")

    model = Model()
    monkeypatch.setattr(worker, "_float", lambda keras: Model())
    monkeypatch.setattr(worker, "time_ratio", fail)
    assert worker._step_ratio(keras, model, xla=True) is None and model.weights == [0.0]
    with pytest.raises(ValueError, match="no kernel"):
        worker._step_ratio(keras, model, xla=False)


def test_larq_gets_legacy_keras(monkeypatch):
    legacy = SimpleNamespace(__name__="tf_keras")
    monkeypatch.setitem(sys.modules, "tf_keras", legacy)
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", "0")
    assert worker._keras("hgq2") is keras and worker.os.environ["TF_USE_LEGACY_KERAS"] == "0"
    assert worker._keras("larq") is legacy and worker.os.environ["TF_USE_LEGACY_KERAS"] == "1"


@pytest.mark.parametrize("conversion, grids", [("as it is", False), ("dynamic", False), ("calibrated int8", True)])
def test_a_conversion_asks_for_no_more_than_its_name_says(tmp_path, monkeypatch, conversion, grids):
    converter = SimpleNamespace(optimizations=[], target_spec=SimpleNamespace(), convert=lambda: b"file")
    monkeypatch.setattr(tf.lite.TFLiteConverter, "from_keras_model", lambda model: converter)
    monkeypatch.setattr(tiny, "TRAINING", 80)
    assert worker._converted(tmp_path, "model", conversion) == ""
    assert (tmp_path / f"{conversion}.tflite").read_bytes() == b"file"
    assert converter.optimizations == ([] if conversion == "as it is" else [tf.lite.Optimize.DEFAULT])
    assert hasattr(converter, "representative_dataset") == hasattr(converter.target_spec, "supported_ops") == grids
    if grids:
        pictures = [picture for (picture,) in converter.representative_dataset()]
        assert len(pictures) == tiny.CALIBRATION and pictures[0].shape == (1, tiny.SIDE, tiny.SIDE, 3)


def test_a_conversion_that_fails_leaves_no_file(tmp_path, monkeypatch):
    def fail():
        raise RuntimeError("failed:\nno such operation")

    converter = SimpleNamespace(convert=fail)
    monkeypatch.setattr(tf.lite.TFLiteConverter, "from_keras_model", lambda model: converter)
    assert worker._converted(tmp_path, "model", "as it is") == "RuntimeError: no such operation"
    assert not list(tmp_path.iterdir())
