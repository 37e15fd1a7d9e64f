"""Steps of several versions in turn; the processes are replaced here."""

import csv
import io
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import cunet_tf
from cunet_tf.errors import CUNetError
from cunet_tf.trainers.study import measure_step


def test_steps_of_versions_take_turns(tmp_path, monkeypatch, capsys):
    times = {"old": 0.4, "new": 0.3, "jax": 0.8}
    monkeypatch.setattr(measure_step, "commit", lambda version: version)
    monkeypatch.setattr(measure_step, "built", lambda version, folder: version)
    monkeypatch.setattr(measure_step, "step", lambda process, steps: times[process.name])
    monkeypatch.setattr(measure_step, "answer", lambda process: "ready")

    class Process:
        def __init__(self, build, backend, arguments):
            self.name = "jax" if backend == "jax" else build
            assert arguments == ["face-mobile", "float", "16", "3"]

        def kill(self):
            pass

    monkeypatch.setattr(measure_step, "started", Process)
    file = tmp_path / "step.csv"
    words = ["", "--versions=old,new", "--backends=tensorflow,jax", "--rounds=2", f"--csv={file}"]
    assert measure_step.main(words) == 0
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert [(row["version"], row["backend"]) for row in rows] == [
        ("old", "tensorflow"),
        ("new", "tensorflow"),
        ("new", "jax"),
    ]
    shares = [float(row["ceiling_share"]) for row in rows]
    assert shares[1] == pytest.approx(shares[0] * 4 / 3, rel=1e-3)
    assert [float(row["ratio"]) for row in rows] == [1.0, 0.75, 2.0]


def test_an_unknown_version_is_named():
    with pytest.raises(CUNetError, match="--versions=no-such-version: "):
        measure_step.commit("no-such-version")


def test_operations_are_those_of_three_passes_but_one_for_the_stem():
    macs = 199.4e6  # `cunet info --preset=face-mobile`: of them 38.5 million of the stem
    assert measure_step.operations("face-mobile", 2) == pytest.approx(2 * 2 * (3 * macs - 38.5e6), rel=2e-3)


def test_processes_end_where_one_does_not_train(monkeypatch, capsys):
    killed = []

    class Process:
        stdout, stderr = io.StringIO(""), io.StringIO("x" * 2000 + "no such preset")

        def kill(self):
            killed.append(self)

    monkeypatch.setattr(measure_step, "commit", lambda version: version)
    monkeypatch.setattr(measure_step, "built", lambda version, folder: folder)
    monkeypatch.setattr(measure_step, "started", lambda *_: Process())
    assert measure_step.main(["", "--versions=old,new"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("measure_step: error: a version does not train: xxx") and said.endswith("no such preset\n")
    assert len(said) < 1600 and len(set(killed)) == 2


def test_a_step_is_one_line_there_and_one_back():
    process = SimpleNamespace(stdin=io.StringIO(), stdout=io.StringIO("0.25\n0.5\n"), stderr=io.StringIO())
    assert [measure_step.step(process, 4), measure_step.step(process, 7)] == [0.25, 0.5]
    assert process.stdin.getvalue() == "4\n7\n"


def test_a_version_is_built_of_its_own_sources(tmp_path, monkeypatch):
    calls, codes = [], [0, 0, 0]

    def run(command, **options):
        calls.append((command, options))
        return subprocess.CompletedProcess(command, codes[len(calls) - 1], b"archive", "y" * 999 + "no compiler")

    monkeypatch.setattr(measure_step.subprocess, "run", run)
    target = measure_step.built("abc", tmp_path)
    (archive, _), (unpack, options), (build, where) = calls
    source = Path(unpack[-1])
    assert archive == ["git", "archive", "abc"] and options["input"] == b"archive" and source.is_dir()
    assert where["cwd"] == source and build[-2:] == ["--build-lib", str(target)] and target != source
    calls.clear()
    codes[2] = 1
    with pytest.raises(CUNetError, match="^--versions=def cannot be built: y{489}no compiler$"):
        measure_step.built("def", tmp_path)


def test_a_process_has_one_thread_and_the_build_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(measure_step.subprocess, "Popen", lambda command, **options: (command, options))
    command, options = measure_step.started(tmp_path, "jax", ["a", "b"])
    environment = options["env"]
    assert command[1] == "-c" and command[3:] == ["a", "b"]
    assert (environment["PYTHONPATH"], options["cwd"], environment["KERAS_BACKEND"]) == (str(tmp_path), tmp_path, "jax")
    threads = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
    assert {environment[name] for name in threads} == {"1"}
    assert "xla_cpu_multi_thread_eigen=false" in environment["XLA_FLAGS"]


def test_a_rate_is_of_two_operations_for_each_product(monkeypatch):
    clock = iter([10.0, 12.0])
    monkeypatch.setattr(measure_step, "SIDE", 8)
    monkeypatch.setattr(measure_step.time, "process_time", lambda: next(clock))
    assert measure_step.matrix_rate() == 3 * 2 * 8**3 / 2.0


@pytest.mark.parametrize("heads", [1, 2])
def test_what_a_process_runs_trains_as_often_as_it_is_asked(tmp_path, monkeypatch, capsys, heads):
    (tmp_path / "trainers").mkdir()  # as in a version that is built
    monkeypatch.setattr(cunet_tf, "__file__", str(tmp_path / "__init__.py"))
    batches = []
    step = lambda images, targets: batches.append((images, targets))  # noqa: E731
    model = SimpleNamespace(outputs=[None] * heads, train_on_batch=step)
    monkeypatch.setattr("cunet_tf.models.build.build_network", lambda spec: model)
    monkeypatch.setattr("cunet_tf.trainers.fit.compile_model", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["-c", "face-mobile", "BW-a", "2", "3"])
    monkeypatch.setattr(sys, "stdin", io.StringIO("1\n4\n"))
    exec(compile(measure_step.STEPPER, "stepper", "exec"), {})
    ready, *times = capsys.readouterr().out.split()
    assert ready == "ready" and len(times) == 2 and all(float(each) >= 0 for each in times)
    assert len(batches) == 3 + 1 + 4
    images, targets = batches[0]
    points = targets if heads == 1 else targets[-1]
    assert images.shape == (2, 128, 128, 3) and points.shape == (2, 68, 3) and (points[..., 2] == 1.0).all()
    assert heads == 1 or len(targets) == heads
