"""cunet pack and the verbs that read what it has written."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from cunet_tf.cli import main
from cunet_tf.data.record_cut import Cut
from cunet_tf.data.records import load_records
from cunet_tf.data.records_write import Packing
from cunet_tf.data.w300 import load_300w
from cunet_tf.evaluation import evaluate
from cunet_tf.localizer import Localizer
from cunet_tf.presets import preset
from cunet_tf.trainers.recipe_views import FACE_CROPS, VIEWS, crop_factor, recipe_name
from cunet_tf.trainers.recipes import recipe_for
from tests.conftest import TINY_FLAGS
from tests.records_folder import packed

SPLIT = "--split=6:24"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Packed and used without a framework, in one process: pack, check, predict and evaluate."""
    out = tmp_path_factory.mktemp("packed")
    script = """
import sys
sys.modules["keras"] = sys.modules["tensorflow"] = sys.modules["jax"] = None
from cunet_tf.cli import main
out = sys.argv[1]
data = ["--data=packed", f"--root={out}", "--split=6:24"]
assert main(["pack", "--data=synthetic", "--split=6:24", "--preset=face-mobile", f"--out={out}", "--json"]) == 0
assert main(["check", *data, f"--out={out}/checked"]) == 0
assert main(["evaluate", "--model=face-tiny", *data, "--crops=2", "--json"]) == 0
assert main(["predict", "--model=face-tiny", *data, f"--out={out}/found"]) == 0
assert main(["evaluate", "--model=face-tiny", *data, "--box=whole"]) == 2
"""
    done = subprocess.run([sys.executable, "-c", script, str(out)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-1500:]
    assert "--box=whole looks at whole pictures" in done.stderr
    return out, [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_what_was_written_and_found(folder):
    out, (written, found) = folder
    assert (written["samples"], written["files"], written["reduced"]) == (24, 1, 0)
    assert written["margin"] == pytest.approx(2.228, abs=1e-3)  # 1.15 (cos 40 + sin 40) 1.1 / 0.8
    assert found["data"] == "packed" and found["split"] == "synthetic 6:24" and found["nme_interocular"] > 0
    assert len((out / "found" / "predictions.jsonl").read_text().splitlines()) == 24
    index = json.loads((out / "6_24.json").read_text())
    assert index["command"].startswith("cunet pack --data=synthetic --split=6:24") and index["finished"]


def test_training_on_records(folder, tmp_path, eagerly):
    words = ["train", "--data=packed", f"--root={folder[0]}", SPLIT, *TINY_FLAGS, "--stacks=1", "--epochs=1"]
    assert main([*words, "--batch_size=8", "--val_share=0.2", f"--workdir={tmp_path / 'run'}"]) == 0
    data = json.loads((tmp_path / "run" / "config.json").read_text())["data"]
    assert data["name"] == "packed" and data["split"] == "synthetic 6:24" and len(data["digest"]) == 64


def test_benchmark_shows_records_beside_pictures(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("cunet_tf.commands.benchmark_records.ROUNDS", 1)
    words = ["benchmark", "--data=synthetic", SPLIT, "--preset=face-mobile", f"--packed={folder[0]}", "--seconds=0.1"]
    assert main([*words, "--workers=0,1", "--batch_size=1", f"--csv={tmp_path / 'a.csv'}", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["difference"]["points_largest"] < 1e-4 and result["difference"]["levels_mean"] < 2.0
    how = ("one thread", "2 threads", "2 threads, here", "1 process", "1 process, here")
    assert set(result["speed"]) == {f"{name}, {each}" for name in ("pictures", "records") for each in how}
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 1 + 5 + 10
    assert main([*words, "--workers=some"]) == 2
    assert "--workers=some: give numbers of processes" in capsys.readouterr().err
    other = ["benchmark", "--data=synthetic", "--split=7:24", "--preset=face-mobile", f"--packed={folder[0]}"]
    assert main(other) == 2 and "split '7:24' is not packed there" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words, text",
    [
        (["--preset=face-mobile"], "name a folder for the records with --out"),
        (["--out=x"], "name a --preset, whose views and input size decide"),
        (["--out=x", "--preset=face-mobile", "--recipe=large"], "--recipe=large"),
        (["--out=x", "--preset=face-mobile", "--scale=0,1"], "--scale=0,1"),
        (["--out=README.md", "--preset=face-mobile"], "README.md is not a folder: --out needs one"),
    ],
)
def test_bad_input(words, text, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "README.md").write_text("mine")
    assert main(["pack", "--data=synthetic", "--split=6:2", *words]) == 2
    assert text in capsys.readouterr().err


@pytest.mark.parametrize("name", ["face-mobile", "face-4", "pose-mobile", "pose-2"])
def test_views_are_the_recipes(name):
    spec = preset(name)
    recipe = recipe_for(spec)
    assert recipe.name == recipe_name(spec) and recipe.augmentation == VIEWS[recipe.name]
    assert recipe.crop_factor == crop_factor(spec, recipe.name) and set(FACE_CROPS) == set(VIEWS)


def test_metrics_of_real_faces_stay(w300_root, tmp_path):
    source = load_300w(str(w300_root), "helen/testset").subset(range(0, 330, 11))
    localizer = Localizer.load("face-tiny")
    expected = evaluate(localizer, source)["nme_interocular"]
    for margin, bound in ((2.23, 1e-4), (1.3, 0.03)):  # whole files; parts of them, encoded again
        folder = tmp_path / str(margin)
        packed(replace(source, split="faces"), folder, Packing(Cut(margin, 139.0)))
        found = evaluate(localizer, load_records(folder, "faces"))["nme_interocular"]
        assert found == pytest.approx(expected, abs=bound)
