"""Float, then quantized, under JAX; the processes are replaced here."""

import csv
import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
from absl import flags

from cunet_tf.errors import CUNetError
from cunet_tf.trainers import devices
from cunet_tf.trainers.study import train_gpu


def test_a_gpu_trains_twice_and_tells_what_it_took(tmp_path, monkeypatch, capsys):
    calls = []

    def run_process(words, module, capture=False):
        calls.append((module, words))
        if capture:
            return 'noise\n{"pictures_per_second": 100.0, "peak_bytes": 5, "device": "jax: some"}\n'
        folder = tmp_path / ("quantized" if any("quantized" in word for word in words) else "float")
        folder.mkdir()
        (folder / "history.csv").write_text("epoch,val_loss,val_nme\n1,3,9.5\n2,2,7.5\n")
        return ""

    monkeypatch.setattr(train_gpu, "run_process", run_process)
    words = ["", "--preset=face-mobile", f"--workdir={tmp_path}", "--devices=2", "--", "--data=synthetic", "--stacks=1"]
    assert train_gpu.main(words) == 0
    rows = list(csv.DictReader((tmp_path / "gpu.csv").read_text().splitlines()))
    assert [row["memory"] for row in rows[:2]] == ["none", "recompute"] and rows[0]["peak_bytes"] == "5"
    assert [(row["quant"], row["error"]) for row in rows[2:]] == [("float", "7.5"), ("TW-a-QIG(8,2,32)", "7.5")]
    (first, second) = [words for module, words in calls if module == "cunet_tf"]
    assert {"--data=synthetic", "--stacks=1", "--strategy=mirrored", "--devices=2"} <= set(first)
    assert f"--init={tmp_path / 'float'}" in second and "--quant=TW-a-QIG(8,2,32)" in second
    assert json.loads(calls[0][1][1].removeprefix("--part="))["network"] == ["--data=synthetic", "--stacks=1"]
    assert "cunet export --model=best.keras" in capsys.readouterr().out


def test_a_process_that_fails_is_named(tmp_path):
    with pytest.raises(CUNetError, match="cunet_tf nonsense ended with code 2"):
        train_gpu.run_process(["nonsense"], "cunet_tf")


@pytest.fixture
def values(tmp_path):
    values = flags.FlagValues()
    train_gpu.define(values)
    values(["", f"--workdir={tmp_path}", "--batch_size=4"])
    return values


@pytest.mark.parametrize("stopped", [False, True])
def test_a_stopped_training_goes_on(tmp_path, monkeypatch, values, stopped):
    calls = []
    monkeypatch.setattr(train_gpu, "run_process", lambda words, module: calls.append((module, words)))
    (tmp_path / "float").mkdir()
    if stopped:
        (tmp_path / "float" / "last.keras").touch()
    train_gpu.train(tmp_path / "float", "float", None, values, ["--data=synthetic"])
    ((module, words),) = calls
    assert module == "cunet_tf" and words[0] == "train" and ("--resume" in words) is stopped
    assert not any(word.startswith(("--init", "--strategy", "--devices")) for word in words)


def test_a_process_computes_with_jax(monkeypatch):
    asked = []

    def run(command, env, stdout, text):
        asked.append((command[1:], env["KERAS_BACKEND"], stdout))
        return subprocess.CompletedProcess(command, 0, None if stdout is None else "told\n")

    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    monkeypatch.setattr(train_gpu.subprocess, "run", run)
    assert train_gpu.run_process(["train"], "cunet_tf") == ""
    assert train_gpu.run_process(["--part=1"], "some.module", capture=True) == "told\n"
    assert asked == [
        (["-m", "cunet_tf", "train"], "jax", None), (["-m", "some.module", "--part=1"], "jax", subprocess.PIPE),
    ]  # fmt: skip


def test_a_table_of_somebody_else_is_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(train_gpu, "run_process", None)
    (tmp_path / "gpu.csv").write_text("mine")
    assert train_gpu.main(["", f"--workdir={tmp_path}"]) == 2
    assert "gpu.csv exists and was not written by cunet" in capsys.readouterr().err


@pytest.fixture
def steps(monkeypatch):
    """Steps of half a second of a network that is played, on a JAX that is; what it was given."""
    state = SimpleNamespace(now=0.0, batches=[], heads=1, memory=[{"peak_bytes_in_use": 7}, None], built=[])

    def step(images, targets):
        state.now += 0.5
        state.batches.append((images, targets))

    def build(spec, memory):
        state.built.append((spec.name, spec.config.stacks, memory))
        return SimpleNamespace(outputs=[None] * state.heads, train_on_batch=step)

    local = lambda: [SimpleNamespace(memory_stats=lambda each=each: each) for each in state.memory]  # noqa: E731
    monkeypatch.setitem(sys.modules, "jax", SimpleNamespace(local_devices=local))
    monkeypatch.setattr("cunet_tf.models.build.build_network", build)
    monkeypatch.setattr("cunet_tf.trainers.fit.compile_model", lambda *_: None)
    monkeypatch.setattr(devices, "device_name", lambda: "jax: played")
    monkeypatch.setattr(train_gpu, "time", SimpleNamespace(monotonic=lambda: state.now))
    return state


PART = {"preset": "face-mobile", "batch_size": 4, "devices": 1, "memory": "recompute",
        "network": ["--data=synthetic", "--stacks=1", "--epochs=3"]}  # fmt: skip


def test_pictures_a_second_leave_out_the_steps_that_trace(steps, tmp_path, capsys):
    assert train_gpu.main(["", f"--workdir={tmp_path}", f"--part={json.dumps(PART)}"]) == 0
    assert json.loads(capsys.readouterr().out) == {"pictures_per_second": 8.0, "peak_bytes": 7, "device": "jax: played"}
    assert len(steps.batches) == train_gpu.WARM_UP + train_gpu.STEPS
    images, points = steps.batches[0]
    assert images.shape == (4, 128, 128, 3) and points.shape == (4, 68, 3) and (points == 16.0).all()
    assert [each[1:] for each in steps.built] == [(1, "recompute")]  # of the flags of cunet train, the network's


def test_each_head_has_its_targets_and_a_processor_no_peak(steps):
    steps.heads, steps.memory = 2, [None]
    assert train_gpu.timed(PART)["peak_bytes"] == ""
    assert [len(points) for _, points in steps.batches] == [2] * len(steps.batches)
