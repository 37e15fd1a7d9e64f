import csv
import json
import shutil
import time

import pytest

from cunet_tf.cli import main
from cunet_tf.errors import CUNetError
from cunet_tf.export import benchmark
from cunet_tf.export.benchmark import Candidate, clock_of, compare, latencies, peak_memory
from cunet_tf.export.packed.writer import pack
from cunet_tf.processor import processor
from tests.networks import BINARY, float_file, integer_file
from tests.onnx_network import small_network


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A float and a packed file of tiny networks."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "float.tflite").write_bytes(float_file())
    (folder / "low.cunet").write_bytes(pack(integer_file(BINARY)))
    return folder


def test_models_run_in_turn_and_rows_are_complete(files):
    data = (files / "float.tflite").read_bytes()
    candidates = [Candidate("a", "float32", data, len(data)), Candidate("b", "float32", data, len(data), False)]
    times = latencies(candidates, threads=1, runs=4)
    assert [len(values) for values in times] == [4, 4] and min(map(min, times)) > 0
    rows = compare(candidates, threads=1, runs=3)
    assert rows[0]["ratio"] == 1.0 and rows[1]["yardstick"] == "a float32" and not rows[1]["trained"]
    assert rows[0]["min_ms"] <= rows[0]["median_ms"] <= rows[0]["p90_ms"] and rows[0]["bytes"] == len(data)
    assert rows[0]["clock"] == "processor" and rows[0]["cpu"] == processor()


class Steps:
    """A clock that has moved on by the next of these steps at every second look."""

    def __init__(self, *steps):
        self.steps, self.now, self.looks = iter(steps), 0, 0

    def __call__(self):
        self.now += next(self.steps) if self.looks % 2 else 0
        self.looks += 1
        return self.now


def test_ratios_are_those_of_rounds(monkeypatch):
    rounds = [(9, 1), (9, 1), (9, 1), (2, 4), (30, 30), (4, 4), (3, 6)]  # three to warm up; then ratios 2, 1, 1, 2
    clock = Steps(*(1_000_000 * step for pair in rounds for step in pair))
    monkeypatch.setitem(benchmark.CLOCKS, "wall", clock)
    monkeypatch.setattr(benchmark, "_prepare", lambda candidate, threads: lambda: None)
    monkeypatch.setattr(benchmark, "peak_memory", lambda *_: 1.0)
    monkeypatch.setattr(benchmark, "delegation", lambda _: {"operations": 2, "operations_delegated": 1})
    first, second = compare([Candidate(name, "int8", b"", 0) for name in "ab"], threads=2, runs=4)
    assert (first["median_ms"], first["min_ms"], first["clock"]) == (3.5, 2.0, "wall")
    assert second["median_ms"] == 5.0 and second["ratio"] == 1.5 != second["median_ms"] / first["median_ms"]


def test_one_thread_is_timed_by_its_own_work():
    assert clock_of(1) == "processor" and clock_of(2) == "wall"
    start, wall = benchmark.CLOCKS["processor"](), benchmark.CLOCKS["wall"]()
    time.sleep(0.05)
    assert benchmark.CLOCKS["processor"]() - start < 0.5 * (benchmark.CLOCKS["wall"]() - wall)


def test_peak_memory_covers_the_weights(files):
    data = (files / "float.tflite").read_bytes()
    assert len(data) / 2**20 < peak_memory(data) < 200


def test_command_compares_files_with_their_metric(files, tmp_path, capsys):
    out = tmp_path / "report"
    code = main(
        ["benchmark", str(files / "low.cunet"), "--yardstick=" + str(files / "float.tflite"), "--runs=3", "--json"]
        + ["--data=synthetic", "--split=1:4", f"--out={out}"]
    )
    assert code == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["format"] for row in rows] == ["tflite", "packed"]
    assert rows[1]["bytes"] < rows[0]["bytes"] / 2 and rows[1]["metric"] == "nme_interocular"
    with (out / "benchmark.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 2
    page = (out / "benchmark.md").read_text()
    assert "| low | packed |" in page and "processor time, 1 thread, 3 rounds" in page and processor() in page
    assert (out / "benchmark.png").stat().st_size > 1000


def test_an_onnx_file_beside_the_others(files, tmp_path, capsys):
    (tmp_path / "float.onnx").write_bytes(small_network())
    names = [str(files / "float.tflite"), str(tmp_path / "float.onnx")]
    assert main(["benchmark", *names, "--runs=3", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["format"] for row in rows] == ["tflite", "onnx"] and rows[1]["operations"] is None
    assert rows[1]["median_ms"] > 0 and 1 < rows[1]["peak_mib"] < 200
    assert main(["benchmark", *names, "--runs=1"]) == 0
    assert capsys.readouterr().out.rstrip().endswith("-")


def test_names_by_the_flag_and_behind_the_verb(files, tmp_path, capsys):
    names = [str(files / "float.tflite"), str(files / "low.cunet")]
    assert main(["benchmark", f"--model={names[0]}", names[1], "--runs=1", "--threads=2"]) == 0
    printed = capsys.readouterr().out
    assert (
        "wall-clock time, 2 threads, 1 rounds" in printed and "of float tflite" in printed and "low packed" in printed
    )
    shutil.copy(names[1], tmp_path)
    assert main(["benchmark", f"--model={names[1]},{tmp_path}/low.cunet", "--runs=1"]) == 2
    assert "two models are called low packed" in capsys.readouterr().err


def test_presets_run_untrained_and_are_kept(tmp_path, capsys):
    small = ["--stacks=1", "--levels=1", "--growth=4", "--input_size=64"]
    flags = ["--runs=1", f"--cache={tmp_path}"]
    names = ["pose-mobile+BW-QIG(818):packed", "pose-mobile,norm_order=conv_first,main_channels=16+BW-QIG(818):packed"]
    assert main(["benchmark", *names, *small, *flags]) == 0
    assert "(untrained)" in capsys.readouterr().out
    file, other = sorted(tmp_path.iterdir(), key=lambda path: len(path.name))
    assert file.name.startswith("pose-mobile+BW-QIG(818),stacks=1,") and file.name.endswith("-14-packed.cunet")
    assert other.name.startswith("pose-mobile,norm_order=conv_first,") and other.stat().st_size < file.stat().st_size


@pytest.mark.parametrize(
    "name, words", [("face-9", "face-9"), ("face-8,stack=2", "stack"), ("face-8:int7", "--format=int7")]
)
def test_unknown_names(name, words, tmp_path, capsys):
    assert main(["benchmark", name, f"--cache={tmp_path}"]) == 2
    assert words in capsys.readouterr().err


def told(monkeypatch, **found):
    """Rows of two candidates whose runs take no time; of ``onnx`` nothing is known but time and memory."""
    monkeypatch.setattr(benchmark, "_prepare", lambda candidate, threads: lambda: None)
    monkeypatch.setattr(benchmark, "peak_memory", lambda data, threads, script: 2.0 if "onnxruntime" in script else 1.0)
    monkeypatch.setattr(benchmark, "delegation", lambda _: {"operations": 8, "operations_delegated": 6})
    return [Candidate("a", "int8", b"", 5), Candidate("b", "onnx", b"", 7, trained=False)]


def test_of_onnx_files_no_delegation_is_made_up(monkeypatch):
    first, second = compare(told(monkeypatch), threads=2, runs=1)
    assert (first["delegated_share"], first["peak_mib"], first["bytes"]) == (0.75, 1.0, 5)
    assert (second["operations"], second["delegated_share"], second["peak_mib"]) == (None, None, 2.0)
    assert first["yardstick"] == second["yardstick"] == "a int8" and second["trained"] is False


def test_rounds_are_counted_with_those_that_warm_up(monkeypatch):
    seen = []
    latencies(told(monkeypatch), 2, 2, progress=lambda done, total: seen.append((done, total)))
    total = benchmark.WARM_UP + 2
    assert seen == [(done, total) for done in range(1, total + 1)]


@pytest.mark.parametrize(
    "script, words",
    [
        ("import sys; print('first\\nthe last word', file=sys.stderr); sys.exit(3)", "does not run: .*the last word"),
        ("import sys; sys.exit(3)", "the model does not run: 3"),
        ("print('peak 5'); raise SystemExit(1)", "the model does not run"),
        ("print('nothing')", "the model does not run"),
    ],
)
def test_a_process_that_measures_nothing_is_a_sentence(script, words):
    with pytest.raises(CUNetError, match=words):
        peak_memory(b"", script=script)


def test_the_process_gets_file_and_threads_and_tells_kibibytes():
    script = (
        "import sys; data = open(sys.argv[1], 'rb').read(); print('noise'); print('peak', len(data) * int(sys.argv[2]))"
    )
    assert peak_memory(bytes(512), threads=4, script=script) == 2.0


def test_a_file_that_litert_does_not_prepare_is_named():
    with pytest.raises(CUNetError, match="^mine int8: LiteRT cannot prepare this model"):
        benchmark._prepare(Candidate("mine", "int8", b"nonsense", 8), 1)
