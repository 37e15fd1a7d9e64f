"""Every command of docs/own-landmarks.md, in its order, on its own drawn data; only pictures and epochs are fewer."""

import json
import re
import runpy
import shlex
import shutil
from pathlib import Path

import pytest

from cunet_tf.cli import main
from cunet_tf.export import parity
from tests.networks import run_eagerly

pytestmark = pytest.mark.slow  # all commands of a page, a training among them; each has tests of its own

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/own-landmarks.md").read_text()
SHORTER = {"--epochs=150": "--epochs=1"}
ELSEWHERE = ("make android", "mkdir -p android_demo/models")  # tests/test_android.py runs what make android runs


def blocks(language):
    return [
        text for name, text in re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE) if name == language
    ]


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """The folder in which the page's commands have run."""
    folder = tmp_path_factory.mktemp("page")
    (script,) = blocks("python")
    lines = [line for block in blocks("") for line in block.splitlines()]
    assert sum(line.startswith("cunet ") for line in lines) == 5
    with pytest.MonkeyPatch.context() as patch, run_eagerly():
        patch.chdir(folder)
        patch.setitem(parity.TOLERANCE, "int8", (0.5, 200.0, 100.0))  # after one epoch maps have no peaks
        (folder / "draw_mine.py").write_text(script.replace('"3:50"', '"3:24"'))
        (folder / "android_demo/models").mkdir(parents=True)
        for line in lines:
            follow(line)
    return folder


def follow(line):
    program, *words = shlex.split(line)
    if program == "cunet":
        assert main([SHORTER.get(word, word) for word in words]) == 0, line
    elif program == "python":
        runpy.run_path(words[0])
    elif program == "cp":
        shutil.copy(*words)
    else:
        assert line in ELSEWHERE, f"a command that this test does not know: {line}"


def test_the_pictures_are_checked_and_the_json_is_that_of_the_page(followed):
    (shown,) = blocks("json")
    written = json.loads((followed / "mine/landmarks.json").read_text())
    assert json.loads(shown)["skeleton"] == written["skeleton"] and len(written["images"]) == 24
    rounded = [[round(value, 1) for value in point] for point in written["images"][0]["points"]]
    assert json.loads(shown)["images"] == [{"file": "00000.png", "points": rounded}]
    assert (followed / "report/contact_sheet.png").stat().st_size > 100_000


def test_the_file_is_small_and_finds_five_points_in_both_pictures(followed):
    assert (followed / "mine.cunet").stat().st_size < 130_000
    assert (followed / "android_demo/models/mine.cunet").read_bytes() == (followed / "mine.cunet").read_bytes()
    for name in ("00003", "00007"):
        (found,) = json.loads((followed / f"found/{name}.json").read_text())["objects"]
        assert len(found["landmarks"]) == 5 and (followed / f"found/{name}_found.jpg").is_file()


def test_the_run_shows_an_error_without_a_normalizer(followed):
    header, row = (followed / "runs/mine/history.csv").read_text().splitlines()
    assert "val_nme" in header.split(",") and row.startswith("1,")
    assert json.loads((followed / "runs/mine/evaluation.json").read_text())["normalizer"] == "box"
