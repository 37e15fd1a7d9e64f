"""Hostile files: what is written for each, and what is said of what the commands answer."""

import zipfile

import cv2
import numpy as np
import pytest

from cunet_tf.cli import main
from cunet_tf.data.picture_header import picture_size
from cunet_tf.files.shipped import WEIGHTS
from cunet_tf.trainers.study.reliability import hostile
from cunet_tf.trainers.study.reliability.processes import Ended

# Of the cases, those that need no network and no process, and what the refusal has to be about.
REASONS = {
    "JSON nested 100,000 deep": "landmarks.json",
    "JSON: a number of 5,000 digits": "landmarks.json",
    "JSON: NaN": "landmarks.json",
    "JSON: a name outside the folder": "../../a.png",
    "JSON: a device as picture": "/dev/zero",
    "CSV: a NUL byte": "landmarks.csv",
    "CSV: a field of 200,000 characters": "landmarks.csv",
    "`.keras`: text": "m.keras",
    "YAML: nine levels of aliases": "data.yaml",
}


@pytest.mark.parametrize("name", REASONS)
def test_a_hostile_file_is_refused_by_its_name(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(hostile.CASES[name](tmp_path)) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert "error: " in said and REASONS[name] in said


@pytest.mark.parametrize("name", hostile.CASES)
def test_each_command_is_given_the_files_of_its_case(name, tmp_path, monkeypatch):
    monkeypatch.setattr(hostile, "BOMB", 1 << 10)
    verb, *words = hostile.CASES[name](tmp_path)
    given = [word.rpartition("=")[2] for word in words if not word.startswith(("--out=", "--split=", "--data="))]
    assert verb in ("info", "predict", "check", "evaluate")
    assert all((tmp_path / word).exists() for word in given if word != "face-mobile")
    assert {file.name for file in tmp_path.rglob("*") if not file.is_dir()} - {"a.png"} or "a.png" in given


def test_a_poisoned_model_is_whole_but_for_its_config(tmp_path):
    hostile._keras_config("[]")(tmp_path)
    with zipfile.ZipFile(WEIGHTS / "face-mobile.keras") as sound, zipfile.ZipFile(tmp_path / "m.keras") as other:
        assert sound.namelist() == other.namelist()
        changed = {name for name in sound.namelist() if sound.read(name) != other.read(name)}
        assert changed == {"config.json"} and other.read("config.json") == b"[]"


def test_the_huge_picture_is_a_sound_one_but_for_its_size():
    assert picture_size(hostile._png(60_000, 50_000)) == (60_000, 50_000)
    rows, columns = 1 << 10, ((1 << 10) - 1) // 3  # the mebibyte that is in it, to the last byte
    fitting = np.frombuffer(hostile._png(columns, rows), np.uint8)
    picture = cv2.imdecode(fitting, cv2.IMREAD_COLOR)
    assert picture.shape == (rows, columns, 3) and not picture.any()


def rows_of(tmp_path, monkeypatch, code, err):
    """The rows of one case whose command ends so."""
    asked = []

    def run(arguments, scratch):
        assert (scratch / "file").exists()
        asked.append((arguments, scratch))
        return Ended(code, "", err.replace("HOME", str(scratch)), 1.26, 99.5)

    def case(home):
        (home / "file").touch()
        return ["info", home.name]

    monkeypatch.setattr(hostile, "run", run)
    monkeypatch.setattr(hostile, "CASES", {"one": case, "two": case})
    rows = hostile.refusals(tmp_path)
    assert [arguments for arguments, _ in asked] == [["info", "0"], ["info", "1"]]  # each in a folder of its own
    assert [row["figure"] for row in rows] == ["one", "two"]
    return {row["value"] for row in rows}


def test_a_refusal_is_quoted_without_the_folders_name(tmp_path, monkeypatch):
    (tmp_path / "hostile" / "old").mkdir(parents=True)
    found = rows_of(tmp_path, monkeypatch, 2, "notice\ncunet info: error: HOME/a.png: no picture\n")
    assert found == {"a.png: no picture [code 2, 1.3 s, 100 MiB]"}
    assert not (tmp_path / "hostile" / "old").exists()


@pytest.mark.parametrize(
    "code, err, fine",
    [(1, "skipped a.png: no picture", True), (0, "skipped a.png: no picture", False),
     (1, "something: no picture", False), (0, "", False), (-9, "", False),
     (2, "Traceback (most recent call last):\nValueError: error: no", False)],
)  # fmt: skip
def test_what_is_no_refusal_is_shown(tmp_path, monkeypatch, code, err, fine):
    (value,) = rows_of(tmp_path, monkeypatch, code, err)
    assert value.endswith("MiB]" if fine else "MiB] (NOT A REFUSAL)") and f"[code {code}, " in value
