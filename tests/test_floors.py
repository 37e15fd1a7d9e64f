"""import-linter's contracts hold the floors of the house; here it is shown that they can fail."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def tree(tmp_path):
    """The package as it is installed, trainers and export in their places."""
    command = [sys.executable, "setup.py", "--quiet", "build_py", f"--build-lib={tmp_path}"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return tmp_path


def lint(tree):
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", str(ROOT / "pyproject.toml")]
    done = subprocess.run(command, cwd=tree, env={**os.environ, "PYTHONPATH": "."}, capture_output=True, text=True)
    return done.returncode, done.stdout


def test_the_floors_hold_and_a_planted_arrow_is_found(tree):
    assert lint(tree)[0] == 0
    planted = {"errors": "cunet_tf.commands.info", "engines": "cunet_tf.trainers.fit", "trainers/fit": "cunet_tf.cli"}
    for module, above in planted.items():
        with (tree / f"cunet_tf/{module}.py").open("a") as file:
            file.write(f"import {above}\n")
    code, text = lint(tree)
    assert code == 1
    assert "cunet_tf.errors -> cunet_tf.commands.info" in text
    assert "cunet_tf.engines -> cunet_tf.trainers.fit" in text
    assert "cunet_tf.trainers.fit -> cunet_tf.cli" in text
