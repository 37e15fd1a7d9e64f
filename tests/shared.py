"""What pytest's workers make once for all of them: runs of training, and files of networks.

The workers of one run share the folder above their own temporary ones; without workers there is one process, and what
it has made is in its memory.
"""

import functools
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

WORKER = "PYTEST_XDIST_WORKER"
VARIABLE = "CUNET_TESTS_SHARED"  # set by conftest.py in each worker


def shared_folder(name: str, make: Callable[[Path], None], own: Path) -> Path:
    """The folder ``own / name`` as ``make(folder)`` fills it, or a copy of what another worker has made."""
    folder = own / name
    if VARIABLE not in os.environ:
        make(folder)
        return folder
    theirs = Path(os.environ[VARIABLE]) / name
    with FileLock(f"{theirs}.lock"):
        if not theirs.exists():
            make(folder)
            shutil.copytree(folder, theirs.with_suffix(".part"))
            theirs.with_suffix(".part").rename(theirs)
    if not folder.exists():
        shutil.copytree(theirs, folder)
    return folder


def shared_bytes(make: Callable[..., bytes]) -> Callable[..., bytes]:
    """The decorated function's bytes; with its arguments they are those of another worker."""

    @functools.wraps(make)
    def made(*arguments: object, **named: object) -> bytes:
        if VARIABLE not in os.environ:
            return make(*arguments, **named)
        name = hashlib.sha256(repr((make.__name__, arguments, sorted(named.items()))).encode()).hexdigest()[:16]
        file = Path(os.environ[VARIABLE]) / name
        with FileLock(f"{file}.lock"):
            if not file.exists():
                file.with_suffix(".part").write_bytes(make(*arguments, **named))
                file.with_suffix(".part").rename(file)
        return file.read_bytes()

    return made
