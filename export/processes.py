"""Modules of ours in a process of their own, which another Keras, or another environment, may be loaded into."""

import os
import subprocess
import sys
from pathlib import Path

from cunet_tf.errors import CUNetError


def run_module(module: str, *arguments: str, python: str = sys.executable, path: Path | None = None) -> str:
    """What ``python -m MODULE ARGUMENTS`` prints on stdout.

    Variables that choose Keras' backend or behaviour are not handed on.

    Args:
        module: name of a module with a main part.
        arguments: its arguments.
        python: the interpreter, and with it the environment.
        path: a folder in which modules are looked for first.

    Raises:
        CUNetError: the process failed; ends in the last line that it printed.
    """
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("KERAS_", "PYTHON"))}
    environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    # -P: a folder of the user's that is called as a module of ours is not taken for it.
    call = [python, "-P", "-m", module, *arguments]
    done = subprocess.run(call, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise CUNetError(f"{module} failed (exit status {done.returncode}): {said}")
    return done.stdout
