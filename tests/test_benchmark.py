import csv
import json
import re

import pytest

from cunet_tf.cli import main
from cunet_tf.commands import benchmark


def test_speeds_are_printed_and_kept(tmp_path, capsys):
    network = [
        "--preset=face-mobile",
        "--stacks=1",
        "--main_channels=8",
        "--growth=4",
        "--input_size=64",
        "--levels=1",
        "--batch_size=4",
    ]
    file = tmp_path / "speed.csv"
    arguments = ["benchmark", "--data=synthetic", "--split=0:16", *network, "--seconds=0.2", f"--csv={file}"]
    assert main([*arguments, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["images_per_second"]
    assert "consumed by training face-mobile" in rows and all(value > 0 for value in rows.values())
    with file.open() as stream:
        assert [row["what"] for row in csv.DictReader(stream)] == list(rows)


@pytest.mark.parametrize(
    "flags, words",
    [
        (["--data=synthetic"], "name a --preset: face-mobile"),
        (["--preset=face-mobile"], "name a data set with --data"),
        (["--preset=face-mobile", "--data=synthetic", "--seconds=0"], "--seconds"),
        (["--preset=face-mobile", "--data=synthetic", "--batch_size=0"], "--batch_size"),
        (["--preset=face-mobile", "--data=synthetic", "--split=x"], "SEED:COUNT"),
        (["--preset=face-mobile", "--data=synthetic", "--csv={}"], "is a folder, .* choose another --csv"),
        (["--preset=face-mobile", "--data=synthetic", "--packed={}/none"], "none: no such folder"),
        (["--preset=face-mobile", "--data=synthetic", "--packed={}", "--workers="], "--workers=: give numbers"),
        (["--preset=face-mobile", "--data=synthetic", "--packed={}", "--workers=1,-1"], "--workers=1,-1: give numbers"),
        (["--preset=face-mobile", "--data=synthetic", "--packed={}", "--csv={}"], "choose another --csv"),
        (["face-mobile", "--threads=0"], "--threads"),
        (["face-mobile", "--out={}/file/x"], "file is not a folder: --out"),
    ],
)
def test_bad_flags_stop_before_anything_is_measured(flags, words, tmp_path, monkeypatch, capsys):
    for name in (
        "cunet_tf.input_speed.reading_speed",
        "cunet_tf.records_speed.speeds",
        "cunet_tf.export.benchmark.compare",
    ):
        monkeypatch.setattr(name, lambda *_, **options: pytest.fail("measured"))
    (tmp_path / "file").write_text("mine")
    assert main(["benchmark", *(flag.format(tmp_path) for flag in flags)]) == 2
    assert re.search(words, capsys.readouterr().err)
    assert [file.name for file in tmp_path.iterdir()] == ["file"] and (tmp_path / "file").read_text() == "mine"


def test_the_kinds_of_a_result_are_told_apart():
    speeds = {"data": "300w", "input_size": 128, "cores": 2, "images_per_second": {"one thread": 1234.5, "two": 7.0}}
    lines = benchmark.describe(speeds).splitlines()
    assert lines[0].startswith("300w at 128 px, 2 cores") and lines[0].endswith("pictures/s")
    assert [line.split()[-1] for line in lines[1:]] == ["1234", "7"]
