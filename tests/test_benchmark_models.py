import csv
import json

import pytest

from cunet_tf.cli import main
from cunet_tf.export.benchmark import Candidate, compare, latencies, peak_memory
from cunet_tf.export.packed.writer import pack
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
    assert {label: len(values) for label, values in times.items()} == {"a float32": 4, "b float32": 4}
    rows = compare(candidates, threads=1, runs=3)
    assert rows[0]["relative"] == 1.0 and rows[1]["relative_to"] == "a float32" and not rows[1]["trained"]
    assert rows[0]["median_ms"] <= rows[0]["p90_ms"] and rows[0]["bytes"] == len(data)


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
    assert "| low | packed |" in (out / "benchmark.md").read_text()
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


def test_presets_run_untrained_and_are_kept(tmp_path, capsys):
    small = ["--stacks=1", "--levels=1", "--growth=4", "--input_size=64"]
    flags = ["--runs=1", f"--cache={tmp_path}"]
    assert main(["benchmark", "pose-mobile+BW-QIG(818):packed", *small, *flags]) == 0
    assert "(untrained)" in capsys.readouterr().out
    (file,) = tmp_path.iterdir()
    assert file.name.startswith("pose-mobile+BW-QIG(818),stacks=1,") and file.name.endswith("-14-packed.cunet")


@pytest.mark.parametrize("name, words", [("face-9", "face-9"), ("face-8:int7", "--format=int7")])
def test_unknown_names(name, words, tmp_path, capsys):
    assert main(["benchmark", name, f"--cache={tmp_path}"]) == 2
    assert words in capsys.readouterr().err
