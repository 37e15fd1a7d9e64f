"""Training steps in processes of their own: who is asked when, and what is read of a process and of a GPU."""

import ctypes
import io
import json
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from cunet_tf.errors import CUNetError
from cunet_tf.memory.names import MemoryConfig
from cunet_tf.trainers.study.memory import process
from tests.networks import TINY

MODES = [MemoryConfig(), MemoryConfig.parse("recompute")]


@pytest.fixture
def children(monkeypatch):
    """Processes that are played; the order of what happens to them, and what the second one does."""
    state = SimpleNamespace(events=[], tasks=[], second=None)

    class Child:
        def __init__(self, task, name):
            self.memory, self.steps = task["memory"], 0
            state.tasks.append((task, name))

        def answer(self):
            return {"memory": self.memory, "kept_bytes": 5}

        def ask(self):
            state.events.append(self.memory)
            self.steps += 1
            if state.second and self.memory != "none":
                raise state.second
            return {"step_seconds": [99.0, 1.0, 7.0, 2.0][self.steps - 1], "processor_seconds": 10.0 * self.steps}

        def end(self):
            state.events.append(f"end {self.memory}")

    monkeypatch.setattr(process, "_Child", Child)
    return state


def test_modes_step_in_turn_and_the_first_round_is_not_timed(children):
    rows = process.measure(TINY, MODES, 2, steps=3)
    assert children.events == ["none", "recompute"] * 4 + ["end none", "end recompute"]
    for row, mode in zip(rows, ("none", "recompute"), strict=True):
        assert row == {"memory": mode, "kept_bytes": 5, "step_seconds": 2.0, "processor_seconds": 30.0}
    assert [name for _, name in children.tasks] == [f"2 U-Nets, memory {mode}, batch size 2" for mode in MODES]
    assert children.tasks[0][0] == {"config": TINY.to_dict(), "batch_size": 2, "steps": 3, "quant": "float",
                                    "memory": "none"}  # fmt: skip


def test_counting_alone_takes_no_step(children):
    assert process.measure(TINY, MODES[:1], 2, steps=0) == [{"memory": "none", "kept_bytes": 5}]
    assert children.events == ["end none"]


def test_all_processes_end_where_one_fails(children):
    children.second = CUNetError("out of memory")
    with pytest.raises(CUNetError, match="out of memory"):
        process.measure(TINY, MODES, 2, steps=3)
    assert children.events[-2:] == ["end none", "end recompute"]


@pytest.fixture
def child(tmp_path, monkeypatch):
    """A function that starts a script of the shell in Python's place."""
    made = []

    def start(script):
        shell = tmp_path / "python"
        shell.write_text(f"#!/bin/sh\n{script}\n")
        shell.chmod(0o755)
        monkeypatch.setattr(process.sys, "executable", str(shell))
        made.append(process._Child({"steps": 1}, "this"))
        return made[-1]

    yield start
    for each in made:
        each.end()


def test_a_process_answers_once_and_then_when_it_is_asked(child):
    asked = child("""echo "{\\"task\\": $3, \\"own\\": $TF_ONEDNN_USE_SYSTEM_ALLOCATOR}"
read line
echo "{\\"line\\": \\"$line\\"}"
""")
    assert asked.answer() == {"task": {"steps": 1}, "own": 1}
    assert asked.ask() == {"line": "step"}


@pytest.mark.parametrize(
    "script, words",
    [("exit 3", "ended with code 3, probably out of memory"), ("echo first >&2; echo last >&2; exit 1", "last")],
)
def test_a_process_that_ends_between_steps_is_quoted(child, script, words):
    asked = child(f"echo '{{}}'\n{script}")
    asked.answer()
    with pytest.raises(CUNetError, match=f"^measuring this failed: {words}$"):
        asked.ask()


@pytest.mark.parametrize("steps", [0, 2])
def test_a_task_says_of_which_network_it_is(monkeypatch, steps):
    built = []
    monkeypatch.setattr("cunet_tf.models.build.build_network", lambda *given: built.append(given) or "model")
    monkeypatch.setattr("cunet_tf.trainers.study.memory.kept.kept_bytes", lambda model, size: 100 * size)
    watched = lambda model, config, size: (lambda: built.append("step"), {"peak_bytes": 7})  # noqa: E731
    monkeypatch.setattr(process, "_watched_step", watched)
    task = {"config": TINY.to_dict(), "quant": "BW-a", "memory": "both", "steps": steps, "batch_size": 3}
    row, timed = process.run_task(task)
    head = {"stacks": 2, "main_channels": 8, "growth": 4, "input_size": 64, "order": 1, "quant": "BW-a"}
    peak = {"peak_bytes": 7} if steps else {}
    assert row == {**head, "memory": "both", "batch_size": 3, "kept_bytes": 300, **peak}
    assert set(timed()) == {"step_seconds", "processor_seconds"}
    assert built == [(TINY, "BW-a", "both"), *["step"] * bool(steps)]


def test_a_step_is_timed_by_both_clocks(monkeypatch):
    now = {"wall": 5.0, "processor": 50.0}
    clocks = SimpleNamespace(perf_counter=lambda: now["wall"], process_time=lambda: now["processor"])
    monkeypatch.setattr(process, "time", clocks)
    assert process._timed(lambda: now.update(wall=5.5, processor=52.0)) == {"step_seconds": 0.5,
                                                                            "processor_seconds": 2.0}  # fmt: skip


def test_the_watch_begins_after_the_step_that_traces(eagerly, monkeypatch):
    events = []
    weight, moment = np.zeros((2, 3), np.float32), np.zeros(4, np.float16)

    class Model:
        outputs, updates_per_step, variables, trainable_variables = [1, 2], 2, [weight], [weight]

        def compile(self, optimizer, loss):
            self.optimizer = SimpleNamespace(build=lambda variables: events.append("built"), variables=[moment])

        def train_step(self, batch):
            images, points = batch
            assert len(points) == len(self.outputs)
            events.append(len(images))
            return {"loss": tf.reduce_sum(images) * 0.0 + 1.5}

    gauge = SimpleNamespace(start=lambda: events.append("start"), read=lambda: (1000, 1700))
    monkeypatch.setattr(process, "_gauge", lambda: gauge)
    step, found = process._watched_step(Model(), TINY, 6)
    assert events == ["built", 2, "start", 6]
    assert found == {"variable_bytes": 6 * 4 + 4 * 2, "idle_bytes": 1000, "peak_bytes": 1700, "peak_over_idle": 700,
                     "loss": 1.5}  # fmt: skip
    assert step() == 1.5 and events[-1] == 6


def test_points_of_a_batch_are_shown_and_lie_in_the_heat_map():
    images, points = (np.asarray(each) for each in process._batch(TINY, 3))
    assert images.shape == (3, 64, 64, 3) and points.shape == (3, 68, 3)
    assert (points[..., 2] == 1.0).all() and points[..., :2].min() >= 0 and 12 < points[..., :2].max() < 16
    np.testing.assert_array_equal(process._batch(TINY, 3)[1], points)


def test_the_peak_of_a_process_is_what_linux_says_since_the_start(tmp_path, monkeypatch):
    calls = []
    library = SimpleNamespace(mallopt=lambda *given: calls.append(given), malloc_trim=lambda pad: calls.append("trim"))
    status, references = tmp_path / "status", tmp_path / "clear_refs"
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    monkeypatch.setattr(process, "STATUS", status)
    monkeypatch.setattr(process, "REFERENCES", references)
    gauge = process.ResidentSet()
    status.write_text("Name:\tpython\nVmHWM:\t  999 kB\nVmRSS:\t  100 kB\n")
    gauge.start()
    assert references.read_text() == "5"  # forgets the peak, see proc(5)
    status.write_text("Name:\tpython\nVmHWM:\t  300 kB\nVmRSS:\t  200 kB\n")
    assert gauge.read() == (100 * 1024, 300 * 1024)
    assert calls == [(-3, 2**16), "trim", (-3, 2**25)]


def test_the_peak_of_a_gpu_is_its_allocators(monkeypatch):
    info, calls = {"current": 5, "peak": 50}, []

    def reset(name):
        calls.append(name)
        info["peak"] = info["current"]

    monkeypatch.setattr(tf.config.experimental, "reset_memory_stats", reset)
    monkeypatch.setattr(tf.config.experimental, "get_memory_info", lambda name: info)
    gauge = process.DeviceAllocator()
    gauge.start()
    info.update(current=6, peak=20)
    assert gauge.read() == (5, 20) and calls == ["GPU:0"]


def test_what_watches_is_what_the_machine_has(tmp_path, monkeypatch):
    monkeypatch.setattr(process.ResidentSet, "_mallopt", lambda self, threshold: None)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    monkeypatch.setattr(process, "REFERENCES", tmp_path)
    assert isinstance(process._gauge(), process.ResidentSet)
    monkeypatch.setattr(process, "REFERENCES", tmp_path / "none")
    with pytest.raises(CUNetError, match=re.escape("use Linux or a GPU, or --steps=0 to count only")):
        process._gauge()
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["one"])
    assert isinstance(process._gauge(), process.DeviceAllocator)


def test_what_libraries_print_is_no_answer(monkeypatch, capsys):
    def run(task):
        print("noise")
        return {"task": task}, lambda: print("more noise") or {"step_seconds": 1.0}

    monkeypatch.setattr(process, "run_task", run)
    monkeypatch.setattr(sys, "stdin", io.StringIO("step\nstep\n"))
    assert process.main('{"steps": 2}') == 0
    said = capsys.readouterr()
    assert [json.loads(line) for line in said.out.splitlines()] == [
        {"task": {"steps": 2}},
        *[{"step_seconds": 1.0}] * 2,
    ]
    assert said.err == "noise\nmore noise\nmore noise\n"


def test_a_task_that_is_refused_has_no_answer(monkeypatch, capsys):
    def run(task):
        raise CUNetError("no such memory mode")

    monkeypatch.setattr(process, "run_task", run)
    assert process.main("{}") == 2
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "no such memory mode\n")
