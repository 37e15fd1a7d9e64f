"""The web page, built and tested by ``web_demo/tools/check.py``, and what that says of a bare machine."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[1] / "web_demo/tools/check.py"
SPEC = importlib.util.spec_from_file_location("web_demo_check", TOOL)
check = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(check)


@pytest.mark.slow  # a build by Node.js, then the page in Chromium
def test_the_page_gives_pythons_points_and_survives_its_users():
    try:
        check.node(), check.chromium()
    except check.Missing as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"the web page is not tested: {missing}")
    done = subprocess.run([sys.executable, str(TOOL)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert int(re.search(r"^# pass (\d+)$", done.stdout, re.MULTILINE)[1]) >= 29
    assert re.search(r"boxes given: [1-9]\d* pictures, largest difference 0\.0", done.stdout)


def test_what_is_missing_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setattr(check.shutil, "which", lambda program: None)
    with pytest.raises(check.Missing, match="no Node.js with npm: install version 20"):
        check.node()
    monkeypatch.delenv("CHROMIUM", raising=False)
    with pytest.raises(check.Missing, match="no Chromium: apt-get install chromium"):
        check.chromium()


def test_an_old_node_is_refused(monkeypatch):
    monkeypatch.setattr(check.shutil, "which", lambda program: f"/usr/bin/{program}")
    answer = subprocess.CompletedProcess([], 0, "v18.1.0\n")
    monkeypatch.setattr(check.subprocess, "run", lambda *words, **options: answer)
    with pytest.raises(check.Missing, match="v18.1.0 is too old: install version 20"):
        check.node()


def test_the_chosen_chromium_goes_first(monkeypatch):
    monkeypatch.setenv("CHROMIUM", "/opt/mine")
    monkeypatch.setattr(check.shutil, "which", lambda program: program)
    assert check.chromium() == "/opt/mine"
