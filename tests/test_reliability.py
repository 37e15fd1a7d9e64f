"""The measures of docs/reliability.md, on a small scale; the training is a stand-in, which is killed all the same."""

import csv
import random
import sys

import pytest

from cunet_tf.trainers.study.reliability import __main__ as command
from cunet_tf.trainers.study.reliability import calls, disk, hostile, kills, pictures, processes
from cunet_tf.writing import TEMPORARY

# Prints as Keras does, writes a checkpoint slowly, and ends; the kill comes before.
TRAINING = f"""
import pathlib, sys, time
folder = pathlib.Path(next(word for word in sys.argv if word.startswith("--workdir=")).removeprefix("--workdir="))
folder.mkdir(parents=True, exist_ok=True)
print("Epoch 1/3", flush=True)
time.sleep(0.3)
(folder / "{TEMPORARY}1-last.keras").touch()
if "kept" in sys.argv:
    (folder / "{TEMPORARY}1-last.keras").rename(folder / "last.keras")
time.sleep(20)
"""


@pytest.fixture
def stand_in(monkeypatch):
    import subprocess

    def start(arguments, largest_file=None, **options):
        return subprocess.Popen([sys.executable, "-c", TRAINING, *arguments], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, start_new_session=True)  # fmt: skip

    monkeypatch.setattr(kills, "start", start)


def test_a_refusal_is_code_2_and_one_line():
    def ended(code, err):
        return processes.Ended(code, "", err, 0.0, 0.0)

    assert ended(2, "notice: a\ncunet train: error: b\n").is_refusal
    assert ended(2, "cunet train: error: b\n").message == "cunet train: error: b"
    assert not ended(1, "cunet train: error: b").is_refusal
    assert not ended(2, "Traceback (most recent call last):\nValueError: error: b").is_refusal
    assert not ended(-9, "").is_refusal and ended(-9, "").message == ""


def test_rows_of_other_measures_stay(tmp_path, capsys):
    call = ["reliability", f"--out={tmp_path}", f"--workdir={tmp_path / 'work'}"]
    assert command.main([*call, "--measures=memory", "--calls=100"]) == 0
    assert command.main([*call, "--measures=threads", "--calls=100", "--threads=2"]) == 0
    rows = list(csv.DictReader((tmp_path / "reliability.csv").read_text().splitlines()))
    assert [row["measure"] for row in rows] == ["threads"] * 3 + ["memory"] * 2
    assert rows[2] == {"measure": "threads", "figure": "results that differ in a bit", "value": "0"}
    assert "## Threads" in (tmp_path / "reliability.md").read_text()
    assert command.main([*call, "--measures=thread"]) == 2
    assert "Did you mean 'threads'" in capsys.readouterr().err


def test_threads_would_be_found_out(monkeypatch):
    count = iter(range(10_000))
    monkeypatch.setattr(calls, "_bytes", lambda *_: bytes([next(count) % 7]))
    source = command.load_source("synthetic", command.Request(None, "1:3", command.FACE68))
    assert calls.threads("face-mobile", source, 100, 2)[-1]["value"] > 50


def test_one_bad_picture_in_a_hundred(tmp_path):
    rows = {row["figure"]: row["value"] for row in pictures.bad_pictures(tmp_path, 100)}
    assert (rows["results"], rows["of them bad"], rows["bad pictures named"], rows["exit code"]) == (99, 1, 1, 1)
    assert rows["peak MiB, 100 pictures"] > 30


@pytest.mark.parametrize("inside, place", [(True, "inside"), (False, "elsewhere")])
def test_where_a_kill_falls(inside, place, stand_in, tmp_path, monkeypatch):
    monkeypatch.setattr(kills, "LATEST", 0.01)
    monkeypatch.setattr(kills, "PATIENCE", 5.0)
    assert kills._kill([] if inside else ["kept"], tmp_path, inside, random.Random(0)) == place


def test_a_full_disk(tmp_path, monkeypatch):
    """One verb at two limits: nothing fits, and everything."""
    monkeypatch.setattr(disk, "LIMITS", (1000, 10**7))
    monkeypatch.setattr(disk, "_calls", lambda *_: {"info": ["info", "--preset=face-mobile"], "predict": [
        "predict", "--model=face-mobile", "--out={out}/found", str(tmp_path / "full" / "face.png")]})  # fmt: skip
    rows = {row["figure"]: row["value"] for row in disk.full_disk([], tmp_path)}
    assert rows["info: done, the files are smaller"] == 2 and rows["info: halves"] == 0
    assert rows["predict: refused in one sentence"] == 1 == rows["predict: done, the files are smaller"]
    assert rows["predict: message"].endswith(
        "cannot be written (File too large): make room there, or choose another place."
    )


def test_halves_are_counted(tmp_path):
    (tmp_path / f"{TEMPORARY}1-a").touch()
    (tmp_path / "b").write_bytes(bytes(10))
    (tmp_path / "c").write_bytes(bytes(9))
    assert disk._halves(tmp_path, 10) == 2


def test_hostile_files_are_refused_or_shown_not_to_be(tmp_path, monkeypatch):
    case = "JSON nested 100,000 deep"
    fine = lambda home: ["info", "--preset=face-mobile"]  # noqa: E731
    monkeypatch.setattr(hostile, "CASES", {case: hostile.CASES[case], "fine": fine})
    refused, read = (row["value"] for row in hostile.refusals(tmp_path))
    assert "landmarks.json" in refused and "[code 2," in refused and "NOT A REFUSAL" not in refused
    assert read.endswith("(NOT A REFUSAL)")
