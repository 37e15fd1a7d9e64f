"""The README's library example runs as printed, and its links lead somewhere."""

import re
from pathlib import Path

from tests.networks import TINY

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_library_example_runs(eagerly, tmp_path, monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 14
    monkeypatch.chdir(tmp_path)
    tiny = "cu.preset('face-mobile').replace(config=TINY)"
    small = code.replace('"0:320"', '"0:16"').replace("(16", "(8").replace('cu.preset("face-mobile")', tiny)
    assert small.count("(8") == 2 and tiny in small
    exec(compile(small, "README.md", "exec"), {"TINY": TINY.replace(levels=1, stacks=1)})
    assert "(68, 2)" in capsys.readouterr().out
    assert (tmp_path / "face.keras").exists()


def test_links_and_pictures_exist():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
