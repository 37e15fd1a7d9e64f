"""The commands of docs/light-install.md, in an environment of their own: prediction without TensorFlow."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "light-install.md").read_text()
PARTS = ("cunet_tf", "trainers", "export", "setup.py", "pyproject.toml", "README.md", "LICENSE", "NOTICE",
         "requirements-light.txt", "docs/pictures")  # fmt: skip
LARGEST = 310e6
OFFLINE = ("(from versions: none)", "NewConnectionError", "Max retries", "timed out", "ConnectionError", "HTTPError",
           "Could not fetch", "No such option: --python", "no such option: --python")  # fmt: skip


def block(language: str = "") -> str:
    """The page's first code block of a language."""
    return next(code for kind, code in re.findall(r"```(\w*)\n(.*?)```", PAGE, re.DOTALL) if kind == language)


def call(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of the page; what this process adds to its own path is kept away from it."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    command = [sys.executable if word == "python3" else word for word in words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


INSTALLED = pytest.mark.slow  # pip fetches packages and installs them


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A copy of what is installed, in which the page's block has run; its last call is a prediction."""
    folder = tmp_path_factory.mktemp("light") / "clone"
    for part in PARTS:
        source, target = ROOT / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, target)
    for line in block().strip().splitlines():
        done = call(line.split(), folder)
        if done.returncode and any(sign in done.stderr for sign in OFFLINE):
            pytest.skip("packages cannot be fetched here (or pip is older than 22.3): no light installation")
        assert done.returncode == 0, f"{line}: {done.stderr[-300:]}"
    return folder


@INSTALLED
def test_the_page_predicts_the_astronaut(clone):
    result = json.loads((clone / "found" / "astronaut.json").read_text())
    (face,) = result["objects"]
    assert len(face["landmarks"]) == 68 and face["found"] is True and face["box_from"] == "detector"
    assert (clone / "found" / "astronaut_found.jpg").exists()


@INSTALLED
def test_no_framework_is_there_and_it_is_small(clone):
    code = "import importlib.util as u; print([n for n in ('tensorflow', 'keras', 'scipy') if u.find_spec(n)])"
    assert call(["light/bin/python", "-P", "-c", code], clone).stdout == "[]\n"
    for name in ("tensorflow", "keras"):
        assert "ModuleNotFoundError" in call(["light/bin/python", "-P", "-c", f"import {name}"], clone).stderr
    (site,) = clone.glob("light/lib/python3*/site-packages")
    assert sum(file.lstat().st_size for file in site.rglob("*") if file.is_file()) < LARGEST


@INSTALLED
@pytest.mark.parametrize(
    "words",
    ["train --data=synthetic --preset=face-mobile --workdir=run", "export --model=face-mobile --out=face.tflite",
     "memory --preset=face-mobile",
     "predict --model=cunet_tf/weights/face-mobile.keras --out=k docs/pictures/astronaut.jpg"],
)  # fmt: skip
def test_what_needs_tensorflow_says_so_in_one_sentence(clone, words):
    verb = words.split()[0]
    done = call(["light/bin/cunet", *words.split()], clone)
    shown = next(line for line in PAGE.splitlines() if line.startswith("cunet train: error: "))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == shown.replace("cunet train", f"cunet {verb}") + "\n"
    assert not any((clone / name).exists() for name in ("run", "face.tflite", "k"))


@INSTALLED
@pytest.mark.parametrize(
    "words",
    ["info face-mobile", "check --data=synthetic --preset=face-mobile --split=7:5 --out=checked",
     "evaluate --model=pose-mobile --data=synthetic --split=7:5",
     "pack --data=synthetic --preset=face-mobile --split=7:5 --out=packed",
     "evaluate --model=face-mobile --data=packed --root=packed --split=7:5"],
)  # fmt: skip
def test_other_verbs_work(clone, words):
    done = call(["light/bin/cunet", *words.split()], clone)
    assert done.returncode == 0, done.stderr


@INSTALLED
def test_from_python_and_names_that_need_keras(clone):
    done = call(["light/bin/python", "-P", "-c", block("python")], clone)
    assert done.returncode == 0 and done.stdout.startswith("(68, 2) ") and done.stdout.endswith("True\n"), done.stderr
    done = call(["light/bin/python", "-P", "-c", "import cunet_tf; cunet_tf.build_network"], clone)
    assert done.stderr.strip().splitlines()[-1].startswith("cunet_tf.errors.MissingPackage: this needs TensorFlow")


def test_versions_are_those_of_the_whole_installation():
    def pins(name):
        lines = (ROOT / name).read_text().splitlines()
        return dict(line.lower().replace("_", "-").split("==") for line in lines if "==" in line)

    light, whole = pins("requirements-light.txt"), pins("constraints.txt")
    whole["opencv-python-headless"] = whole.pop("opencv-python")
    assert {name: whole[name] for name in light if name in whole} == {n: v for n, v in light.items() if n in whole}
    assert {"numpy", "ai-edge-litert", "opencv-python-headless", "absl-py", "tqdm", "protobuf"} <= set(light) & set(
        whole
    )
    assert "tensorflow" not in light and "keras" not in light
