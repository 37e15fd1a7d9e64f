"""The script that counts the house, on a small repository."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / ".ci/house.py"
FILES = {
    "cunet_tf/__init__.py": "",
    "cunet_tf/low.py": "from typing import Any\nfrom cunet_tf import top\n\n\n\ndef f(x: Any) -> int:\n    return x\n",
    "cunet_tf/top.py": 'import cunet_tf.low\n\n\nclass A:\n    """A."""\n\n    def _hidden(self):\n        pass\n',
    "trainers/fit.py": "def g(y: list[int]):\n    import cunet_tf.top\n    return y\n",
    "tests/test_low.py": "# " + "\n# ".join(map(str, range(9))) + "\n",
    "pyproject.toml": '[[tool.importlinter.contracts]]\ntype = "layers"\nlayers = ["trainers", "top", "low"]\n',
}


@pytest.fixture
def printed(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    for words in (["init", "--quiet"], ["add", "."]):
        subprocess.run(["git", "-C", tmp_path, *words], check=True)
    (tmp_path / "cunet_tf" / "unknown_to_git.py").write_text("\n" * 500)
    command = [sys.executable, SCRIPT, f"--repo={tmp_path}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_one_row_of_figures(printed):
    names, _, values = ([cell.strip() for cell in line.strip("|").split("|")] for line in printed[:3])
    row = dict(zip(names, values, strict=True))
    assert row == {
        "files": "4", "file median / p90 / longest": "7 / 8 / 8", "function p50 / p90 / max": "2 / 3 / 3",
        "public docstrings": "33 %", "bare `Any` among annotations": "33 %", "tests / source": "0.50",
        "circles": "1", "arrows up": "1",
    }  # fmt: skip


def test_circles_and_arrows_are_named(printed):
    assert printed[3:] == ["circle: cunet_tf.low <-> cunet_tf.top", "arrow up: cunet_tf.low -> cunet_tf.top"]
