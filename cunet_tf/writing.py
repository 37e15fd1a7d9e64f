"""Files are written beside their place and renamed: whatever happens, nobody finds half of one."""

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cunet_tf.errors import CUNetError

TEMPORARY = ".tmp-"  # how names of unfinished files begin


@contextlib.contextmanager
def replacing(file: Path, durable: bool = False) -> Iterator[Path]:
    """A file beside ``file`` to be filled in the block; it is renamed at the end, or removed when the block fails.

    Args:
        file: its folder is made where needed.
        durable: also survive a loss of power, for checkpoints.

    Raises:
        CUNetError: the folder or the file cannot be written.
    """
    temporary = file.with_name(f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(3)}-{file.name}")
    with writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield temporary
        with writing(file):
            if durable:
                _sync(temporary)
            os.replace(temporary, file)
            if durable:
                _sync(file.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def writing(file: Path) -> Iterator[None]:
    """Turn the system's refusals in the block into one sentence about ``file``.

    Raises:
        CUNetError: disk full, no right to write, no such device, ...
    """
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error).splitlines()[0]
        raise CUNetError(f"{file}: cannot be written ({reason}): make room there, or choose another place.") from None


def replace_file(file: Path, write: Callable[[Path], Any], durable: bool = False) -> None:
    """Let ``write`` fill a file beside ``file``, then rename it, see :func:`replacing`."""
    with replacing(file, durable) as temporary, writing(file):
        write(temporary)


def replace_text(file: Path, text: str) -> None:
    """Write a text file as a whole."""
    replace_file(file, lambda target: target.write_text(text))


def require_writable(file: Path) -> None:
    """Try, before any work, whether ``file`` could be written; nothing is left behind.

    Raises:
        CUNetError: its folder cannot be made or written into.
    """
    made = next((folder for folder in (file.parent, *file.parent.parents) if folder.is_dir()), file.parent)
    probe = made / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(3)}"
    with writing(file):
        probe.touch()
        probe.unlink()


def remove_unfinished(folder: Path) -> None:
    """Remove what killed processes have left in a folder that nobody else writes into."""
    for file in folder.glob(f"{TEMPORARY}*"):
        file.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
