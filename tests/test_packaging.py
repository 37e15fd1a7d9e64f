"""The wheel holds what runs outside the clone."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cunet_tf.cli import VERBS

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return next(out.glob("*.whl"))


def test_wheel_has_packages_weights_and_command(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        entry = next(name for name in names if name.endswith("entry_points.txt"))
        assert "cunet = cunet_tf.cli:main" in archive.read(entry).decode()
    shipped = {f"cunet_tf/weights/{name}.{end}" for name in ("face-mobile", "pose-mobile") for end in ("cunet", "md")}
    assert shipped <= names
    assert {f"cunet_tf/commands/{verb}.py" for verb in VERBS} <= names
    assert {"trainers/fit.py", "export/tflite.py"} <= names
    assert not any(name.startswith(("tests/", "docs/", "android_demo/")) for name in names)


def test_wheel_predicts_outside_the_clone(wheel, tmp_path):
    """The unpacked wheel, ahead of the clone on the path, with the shipped model."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    picture = ROOT / "docs/pictures/drawn/face_0.png"
    code = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); import cunet_tf; "
    code += f"assert cunet_tf.__file__.startswith({str(tmp_path)!r}); from cunet_tf.cli import main; "
    code += f"sys.exit(main(['predict', '--model=face-mobile', '--out=found', {str(picture)!r}]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "found" / "face_0.json").exists()
