import csv
import json

import numpy as np
import pytest
from cunet_tf.export.benchmark import Candidate, compare, latencies, peak_memory
from cunet_tf.export.formats import export_model

from cunet_tf.cli import main
from tests.test_deploy import network


@pytest.fixture(scope="module")
def files(tiny_spec, tmp_path_factory):
    """A float and a packed file of the same tiny network."""
    folder = tmp_path_factory.mktemp("models")
    model = network(tiny_spec, "BW-a-QIG(818)")
    crops = np.random.default_rng(0).random((1, 64, 64, 3), dtype=np.float32)
    for fmt, name in (("float32", "float.tflite"), ("packed", "low.cunet")):
        (folder / name).write_bytes(export_model(model, model.spec, fmt, crops).data)
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


def test_presets_run_untrained_and_are_kept(tmp_path, capsys):
    flags = ["--yardstick=", "--runs=1", f"--cache={tmp_path}"]
    assert main(["benchmark", "pose-mobile+BW-QIG(818):packed", *flags]) == 0
    assert "(untrained)" in capsys.readouterr().out
    assert [file.name for file in tmp_path.iterdir()] == ["pose-mobile+BW-QIG(818)-14-packed.cunet"]


@pytest.mark.parametrize("name, words", [("face-9", "face-9"), ("face-8:int7", "--format=int7")])
def test_unknown_names(name, words, tmp_path, capsys):
    assert main(["benchmark", name, "--yardstick=", f"--cache={tmp_path}"]) == 2
    assert words in capsys.readouterr().err
