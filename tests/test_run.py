import json
from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
import pytest

from cunet_tf.errors import CUNetError
from cunet_tf.presets import preset
from cunet_tf.trainers import run
from cunet_tf.trainers.recipes import FACE_MOBILE
from cunet_tf.trainers.run import Recorder, RunFolder


class FakeModel:
    """Has what a recorder needs of a model."""

    class optimizer:
        learning_rate = 0.5

    def __init__(self):
        self.saved = []

    def save(self, path):
        self.saved.append(path.name.split("-", 3)[-1])  # without what makes it unique
        path.write_text(f"model {len(self.saved)}")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "plot_curves", lambda rows, path: path.write_text(f"{len(rows)} epochs"))
    monkeypatch.setattr(run, "monotonic", lambda: 0.0)
    folder = RunFolder(tmp_path / "run")
    folder.create({"seed": 1}, resume=False)
    return folder


def record(folder, values, start=0, higher=False):
    recorder = Recorder(folder, "val_loss", higher, start)
    recorder.set_model(FakeModel())
    recorder.set_params({"epochs": start + len(values)})
    for epoch, value in enumerate(values, start):
        recorder.on_epoch_end(epoch, {"loss": 1.0, "val_loss": value})
    return recorder


def test_best_is_the_lowest_and_last_the_latest(folder):
    recorder = record(folder, [3.0, 1.0, 2.0])
    names = recorder.model.saved
    assert names == ["best.keras", "last.keras", "best.keras", "last.keras", "last.keras"]
    assert folder.best.read_text() == "model 3" and folder.last.read_text() == "model 5"
    assert [row["val_loss"] for row in folder.history()] == ["3.0", "1.0", "2.0"]
    assert folder.curves.read_text() == "3 epochs" and not list(folder.path.glob(".tmp-*"))


def test_short_epochs_do_not_wait_for_the_disk(folder, monkeypatch):
    """A writing of 4 s is followed by 36 s without one; the last epoch is always written."""
    now = iter(range(0, 1000, 2))  # each look at the clock is 2 s later than the one before
    monkeypatch.setattr(run, "monotonic", lambda: float(next(now)))
    recorder = record(folder, [4.0, 3.0] + [3.5] * 20)
    assert recorder.model.saved == ["best.keras", "last.keras", "best.keras", "last.keras", "last.keras"]
    assert folder.curves.read_text() == "22 epochs" and len(folder.history()) == 22


def test_inside_an_epoch_the_last_checkpoint_follows_the_clock(folder, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(run, "monotonic", lambda: now[0])
    recorder = Recorder(folder, "val_loss", save_every=10)
    recorder.set_model(FakeModel())
    for step, minute in enumerate([3, 9, 11, 20, 21.5]):
        now[0] = 60.0 * minute
        recorder.on_train_batch_end(step)
    assert recorder.model.saved == ["last.keras"] * 2  # after 11 and after 21.5 minutes


def test_resume_drops_rows_beyond_the_checkpoint_and_remembers_the_best(folder):
    record(folder, [3.0, 1.0, 2.0])
    recorder = record(folder, [1.5], start=2)
    assert [row["epoch"] for row in folder.history()] == ["1", "2", "3"]
    assert [row["val_loss"] for row in folder.history()] == ["3.0", "1.0", "1.5"]
    assert recorder.model.saved == ["last.keras"]  # 1.5 does not beat 1.0


def test_resume_with_nothing_to_do_leaves_the_history_alone(folder):
    record(folder, [3.0, 1.0])
    before = folder.history_file.stat().st_mtime_ns
    record(folder, [], start=2)
    assert folder.history_file.stat().st_mtime_ns == before


def test_folder_of_another_run_is_refused(folder):
    record(folder, [3.0])
    with pytest.raises(CUNetError, match="add --resume"):
        folder.create({"seed": 1}, resume=False)
    with pytest.raises(CUNetError, match="seed was 1"):
        folder.create({"seed": 2}, resume=True)
    folder.create({"seed": 1}, resume=True)
    assert json.loads((folder.path / "config.json").read_text()) == {"written_by": "cunet-tf", "seed": 1}


def test_run_of_an_earlier_version_goes_on(folder):
    """Its configuration does not name the architecture: there was one only."""
    spec = preset("face-mobile").to_dict()
    folder.create({"spec": spec}, resume=False)
    record(folder, [3.0])
    del spec["config"]["architecture"]
    (folder.path / "config.json").write_text(json.dumps({"spec": spec}))
    folder.create({"spec": preset("face-mobile").to_dict()}, resume=True)
    with pytest.raises(CUNetError, match="spec was"):
        folder.create({"spec": preset("face-8").to_dict()}, resume=True)


def test_augmentation_of_an_earlier_version_had_no_full_turns(folder):
    now = {"recipe": {"name": "mobile", "augmentation": asdict(FACE_MOBILE.augmentation)}}
    folder.create(now, resume=False)
    record(folder, [3.0])
    old = json.loads((folder.path / "config.json").read_text())
    del old["recipe"]["augmentation"]["full_turns"]
    (folder.path / "config.json").write_text(json.dumps(old))
    other = {"recipe": {"name": "mobile", "augmentation": asdict(replace(FACE_MOBILE.augmentation, full_turns=0.3))}}
    with pytest.raises(CUNetError, match="recipe was"):
        folder.create(other, resume=True)
    folder.create(now, resume=True)


def test_best_can_be_the_highest(folder):
    record(folder, [3.0, 1.0, 2.0], higher=True)
    assert folder.best.read_text() == "model 1"


@pytest.mark.parametrize("values, best", [([np.nan, 5.0, np.nan, 4.0, np.nan], 6), ([np.nan] * 3, 3)])
def test_an_undefined_value_is_never_the_best(folder, values, best):
    """Where no epoch has one, the loss decides: here it falls, then rises."""
    recorder = Recorder(folder, "val_nme")
    recorder.set_model(FakeModel())
    for epoch, value in enumerate(values):
        recorder.on_epoch_end(epoch, {"val_nme": value, "val_loss": abs(epoch - 1.0)})
    assert folder.best.read_text() == f"model {best}"


def test_patience_counts_epochs_since_the_best_also_after_a_resume(folder):
    recorder = Recorder(folder, "val_loss", patience=2)
    recorder.set_model(FakeModel())
    for epoch, value in enumerate([1.0, 2.0]):
        recorder.on_epoch_end(epoch, {"val_loss": value})
    assert not hasattr(recorder.model, "stop_training")
    resumed = Recorder(folder, "val_loss", start=2, patience=2)
    resumed.set_model(FakeModel())
    resumed.on_epoch_end(2, {"val_loss": 1.5})
    assert resumed.model.stop_training


def test_resumed_run_of_an_earlier_version_has_one_column_for_the_metric(folder):
    """It named the metric after the last head."""
    folder.last.write_text("model")
    folder.history_file.write_text(
        "epoch,learning_rate,loss,nme,val_unet1_head_nme\n0,0.5,1.0,9.0,8.0\n1,0.5,1.0,9.0,7.0\n"
    )
    recorder = Recorder(folder, "val_nme", start=2)
    recorder.set_model(FakeModel())
    recorder.on_epoch_end(2, {"loss": 1.0, "nme": 9.0, "val_nme": 7.5})
    assert folder.history_file.read_text().splitlines()[0] == "epoch,learning_rate,loss,nme,val_nme"
    assert [row["val_nme"] for row in folder.history()] == ["8.0", "7.0", "7.5"]
    assert recorder.model.saved == ["last.keras"]  # 7.5 does not beat 7.0


def test_one_training_at_a_time(folder):
    other = RunFolder(folder.path)
    with pytest.raises(CUNetError, match="another training writes there"):
        other.create({"seed": 1}, resume=True)
    folder.release()
    (folder.path / ".tmp-9-abc-last.keras").touch()  # of a process that was killed
    other.create({"seed": 1}, resume=True)
    assert not list(folder.path.glob(".tmp-*"))
    other.release()


def test_a_run_remembers_every_device_that_trained_it(folder):
    def resumed_on(device):
        folder.release()
        folder.create({"seed": 1, "device": device}, resume=True)
        return json.loads((folder.path / "config.json").read_text())["device"]

    record(folder, [1.0])
    assert [resumed_on(device) for device in ("a GPU", "a GPU", "a CPU", "a CPU", "a GPU")] == [
        "a GPU", "a GPU", "a GPU, then a CPU", "a GPU, then a CPU", "a GPU, then a CPU, then a GPU"]  # fmt: skip
    folder.release()


def test_a_folder_that_is_refused_is_left_to_others(folder):
    record(folder, [3.0])
    folder.release()
    with pytest.raises(CUNetError, match="seed was 1"):
        folder.create({"seed": 2}, resume=True)
    other = RunFolder(folder.path)
    other.create({"seed": 1}, resume=True)
    other.release()
    assert not (folder.path / run.LOCK).exists()


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"spec": {}}', '{"spec": 3}'])
def test_what_no_run_has_written_is_no_run(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    assert not run.is_run(tmp_path / "config.json") and not run.is_run(tmp_path / "none.json")
    with pytest.raises(CUNetError, match="config.json exists and was not written by cunet: .*--workdir"):
        RunFolder(tmp_path).create({}, resume=True)
    assert (tmp_path / "config.json").read_text() == text and not (tmp_path / run.LOCK).exists()


def test_a_run_of_an_earlier_version_is_known_by_its_network(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"spec": preset("face-mobile").to_dict()}))
    assert run.is_run(tmp_path / "config.json")


def test_workers_agree_in_all_but_their_machines(folder):
    config = {"seed": 1, "tuple": (1, 2), "nan": float("nan"), "device": "a CPU", "command": "cunet train"}
    folder.create(config, resume=False)
    other = RunFolder(folder.path)
    other.require_shared({**config, "device": "another", "command": "", "versions": {}, "flags": {"a": 1}})
    for changed, place in (({**config, "seed": 2}, other), (config, RunFolder(folder.path / "elsewhere"))):
        with pytest.raises(CUNetError, match=f"--workdir={place.path}: worker 0 writes into another folder"):
            place.require_shared(changed)


def test_a_worker_that_does_not_write_stops_with_those_that_do(folder, capsys):
    recorder = Recorder(folder, "val_loss", patience=1, save_every=1e-9, writes=False)
    recorder.set_model(FakeModel())
    for epoch in range(2):
        recorder.on_train_batch_end(0)
        recorder.on_epoch_end(epoch, {"val_loss": 1.0 + epoch})
    assert recorder.model.saved == [] and recorder.model.stop_training
    assert "no better val_loss for 1 epochs" in capsys.readouterr().out
    assert {file.name for file in folder.path.iterdir()} == {"config.json", run.LOCK}


def test_averages_are_what_is_validated_and_kept_as_the_best_and_never_what_goes_on(folder):
    steps = []
    averages = SimpleNamespace(put_in=lambda: steps.append("in"), take_out=lambda: steps.append("out"))
    recorder = Recorder(folder, "val_loss", averages=averages)
    recorder.set_model(FakeModel())
    recorder.model.save = lambda path: path.write_text(str(steps.append(path.name.split("-", 3)[-1])))
    recorder.on_test_begin()
    recorder.on_test_end()
    recorder.on_epoch_end(0, {"val_loss": 1.0})
    assert steps == ["in", "out", "in", "best.keras", "out", "last.keras"]


def test_numbers_of_the_history_come_back_in_full(folder):
    record(folder, [1 / 3])
    assert float(folder.history()[0]["val_loss"]) == 1 / 3
    assert folder.history(before=0) == [] and len(folder.history(before=1)) == 1
