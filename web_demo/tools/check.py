"""Builds the web page and tests it in headless Chromium: ``make web``.

    python web_demo/tools/check.py [--root=300w] [--count=50]

Needs Node.js 20 or newer with npm, and Chromium; fetches what package-lock.json names. With a root the points on faces
of the data set are compared with Python's as well.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

WEB = Path(__file__).resolve().parents[1]
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NODE = 20  # oldest version


class Missing(Exception):
    """A program that this machine lacks; the message says how to get it."""


def node() -> str:
    """Node.js' program.

    Raises:
        Missing: no Node.js, or one too old, or no npm.
    """
    found = shutil.which("node")
    if not found or not shutil.which("npm"):
        raise Missing(f"no Node.js with npm: install version {NODE} or newer (Debian: apt-get install nodejs npm)")
    version = subprocess.run([found, "--version"], check=True, capture_output=True, text=True).stdout
    if int(re.findall(r"\d+", version)[0]) < NODE:
        raise Missing(f"Node.js {version.strip()} is too old: install version {NODE} or newer")
    return found


def chromium() -> str:
    """Chromium's program, ``$CHROMIUM`` first.

    Raises:
        Missing: none is installed.
    """
    for name in (os.environ.get("CHROMIUM"), *CHROMIUMS):
        found = name and shutil.which(name)
        if found:
            return found
    raise Missing(
        "no Chromium: apt-get install chromium (Debian), or set CHROMIUM to the program of Chromium or Chrome"
    )


def run(*words: str, **environment: str) -> None:
    """Run a program in the web demo's folder, its output on this one's."""
    print("==", *words, flush=True)
    done = subprocess.run(words, cwd=WEB, check=False, env={**os.environ, **environment})
    if done.returncode:
        raise SystemExit(f"web demo: {' '.join(words)} failed")


def main() -> None:
    """Everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", help="folder of 300-W, for points on real faces")
    parser.add_argument("--count", type=int, default=50, help="faces of it")
    options = parser.parse_args()
    try:
        program, browser = node(), chromium()
    except Missing as missing:
        sys.exit(f"web demo: {missing}")
    root = [f"--root={Path(options.root).resolve()}", f"--count={options.count}"] if options.root else []
    run("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
    run(sys.executable, "tools/models.py")
    run(sys.executable, "tools/golden.py", *root)
    run(program, "tools/build.js")
    run("npx", "--no-install", "tsc", "-p", ".")
    run("npx", "--no-install", "prettier", "--check", "--log-level=warn", ".")
    run(program, "--test", *sorted(f"tests/{file.name}" for file in WEB.glob("tests/*.test.js")), CHROMIUM=browser)
    print(f"web demo: passed; host {WEB / 'dist'}, or look at it: node web_demo/tools/serve.js", flush=True)


if __name__ == "__main__":
    main()
