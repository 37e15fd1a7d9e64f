"""Files that a native library may die of, tried in a process of their own first; that costs about half a second."""

import subprocess
import sys
from pathlib import Path

from cunet_tf.errors import CUNetError

REFUSED = 3  # exit status of a trial in which the library has refused the file by itself
SECONDS = 60.0


def try_out(module: str, file: Path, library: str, advice: str) -> None:
    """Run ``python -m MODULE FILE``, which does with the file what the caller is about to do.

    Args:
        module: its main part calls :func:`limit_memory`, and ends with 0, or with :func:`refused`.
        file: to be tried.
        library: its name, for messages.
        advice: what to do instead, for messages.

    Raises:
        CUNetError: the trial was refused, ended the process, or did not end; the message does not name the file.
    """
    # -P: a folder of the user's that is called as a module of ours is not taken for it.
    call = [sys.executable, "-P", "-m", module, str(file.absolute())]
    try:
        done = subprocess.run(
            call, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        raise CUNetError(f"{library} is not done with this after {SECONDS:.0f} s: {advice}") from None
    if done.returncode == REFUSED:
        raise CUNetError(done.stdout.strip())
    if done.returncode:
        raise CUNetError(f"{library} crashes on this file (exit status {done.returncode}): {advice}")


def limit_memory(most: int) -> None:
    """Let allocations beyond so many bytes fail in this process, and leave no core dump, where the system can."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):
        pass


def refused(text: str) -> int:
    """The exit status of a trial that ends with a sentence."""
    print(text)
    return REFUSED
