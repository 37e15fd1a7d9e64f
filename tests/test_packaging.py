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
        assert "cunet = cunet_tf.cli:command" in archive.read(entry).decode()
        top = next(name for name in names if name.endswith("top_level.txt"))
        assert archive.read(top).decode().split() == ["cunet_tf"]
    models, ends = ("face-mobile", "face-tiny", "face-large", "pose-mobile", "pose-large"), ("cunet", "keras", "md")
    shipped = {f"cunet_tf/weights/{name}.{end}" for name in models for end in ends}
    assert shipped <= names
    assert {f"cunet_tf/commands/{verb}.py" for verb in VERBS} <= names
    assert {"cunet_tf/trainers/fit.py", "cunet_tf/export/tflite.py"} <= names
    assert all(name.startswith("cunet_tf") for name in names)
    assert not any(name.startswith(("tests/", "docs/", "android_demo/")) for name in names)


HOSTILE = ("export.py", "trainers.py", "tests.py")  # names that a user may give to files of their own


@pytest.mark.slow  # pip installs a wheel
def test_wheel_works_beside_a_users_own_files(wheel, tmp_path):
    """The unpacked wheel, ahead of the clone on the path, in a folder whose modules must not be taken for ours."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    work = tmp_path / "work"
    work.mkdir()
    for name in HOSTILE:
        (work / name).write_text("raise RuntimeError('a file of the user was imported')\n")
    (work / "face.png").write_bytes((ROOT / "docs/pictures/drawn/face_0.png").read_bytes())
    calls = [["predict", "--model=face-mobile", "--out=found", "face.png"], ["info", "--preset=pose-2"],
             ["evaluate", "--model=face-mobile", "--data=synthetic", "--split=9:2"], ["sweep", "--help"],
             ["export", "--help"], ["tables", "--help"]]  # fmt: skip
    code = f"import sys; sys.path.insert(1, {str(tmp_path / 'site')!r}); import cunet_tf; "
    code += f"assert cunet_tf.__file__.startswith({str(tmp_path)!r}); from cunet_tf.cli import main; "
    code += "cunet_tf.Localizer.load('face-mobile'); "
    code += f"print([main(call) for call in {calls!r}])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=work)
    assert done.stdout.strip().endswith(str([0] * len(calls))), done.stderr
    assert (work / "found" / "face.json").exists()
