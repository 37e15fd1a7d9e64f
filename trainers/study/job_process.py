"""Processes of a job: the real command with fresh memory, stopped together with us."""

import os
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

from cunet_tf.errors import CUNetError
from cunet_tf.writing import writing

GRACE = 5  # seconds that a stopped child has to end by itself; a run survives being killed


def run_verb(verb: str, arguments: list[str], log: Path) -> None:
    """Run ``cunet VERB``, see :func:`run_command`."""
    run_command(["cunet", verb, *arguments], log)


def run_command(words: list[str], log: Path) -> None:
    """Run ``cunet VERB ...`` or ``python -m MODULE ...`` in a process of its own, its output at the end of
    ``log``, whose folder is made where needed.

    Raises:
        CUNetError: it failed; the message quotes its last line; or the log cannot be written.
    """
    with writing(log):
        log.parent.mkdir(parents=True, exist_ok=True)
    own = ["-m", "cunet_tf", *words[1:]] if words[0] == "cunet" else words[1:]
    name = " ".join(words[:2] if words[0] == "cunet" else words[:3])
    command = [sys.executable, *own]
    with log.open("ab") as stream:
        stream.write(f"$ {shlex.join(words)}\n".encode())
        stream.flush()
        # A group of its own: Ctrl-C reaches the child through us, once.
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT,
            start_new_session=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        try:
            code = child.wait()
        except BaseException:
            _stop(child)
            raise
    if code:
        last = textwrap.shorten(log.read_text(errors="replace").strip().splitlines()[-1], 200)
        raise CUNetError(f"{name} ended with code {code} ({last}): see {log}.")


def _stop(child: subprocess.Popen) -> None:
    try:
        child.terminate()  # not SIGINT, which a shell's background jobs ignore
        child.wait(GRACE)
    except subprocess.TimeoutExpired:
        pass
    finally:
        child.kill()
        child.wait()
