"""What a run was made of, so that it can be made again: data, versions, the call."""

import hashlib
import importlib.metadata
import json
import platform
import subprocess
from pathlib import Path
from typing import Any

from cunet_tf import __version__
from cunet_tf.data.records import Crop
from cunet_tf.data.sample import Source
from cunet_tf.errors import CUNetError

PACKAGES = ("tensorflow", "keras", "jax", "numpy", "opencv-python")
NOT_AGAIN = (
    "config",
    "resume",
    "workdir",
    "json",
    "strategy",
    "devices",
    "workers",
)  # flags that say where and how, not what


def data_digest(source: Source) -> str:
    """SHA-256 of names, points, masks and boxes of all samples, in order, sizes of files, and sums of records."""
    found = hashlib.sha256(repr(source.skeleton.names).encode())
    for sample in source:
        found.update(sample.name.encode() + b"\0")
        for values in (sample.points, sample.mask, sample.box):
            found.update(values.astype("<f8").tobytes())
        if isinstance(sample.picture, Path) and sample.picture.exists():
            found.update(str(sample.picture.stat().st_size).encode())
        elif isinstance(sample.picture, Crop):
            found.update(f"{sample.picture.length} {sample.picture.check}".encode())
    return found.hexdigest()


def versions() -> dict[str, str]:
    """Of cunet-tf (with the commit of its clone), Python and the packages that decide what a training computes."""
    found = {"cunet-tf": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    commit = _commit()
    return {**found, "commit": commit} if commit else found


def _commit() -> str:
    """Of the clone that the package lies in; empty for an installed one."""
    here = Path(__file__).resolve().parents[1]
    if not (here / ".git").exists():
        return ""
    call = ["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def flags_of(file: Path | str) -> dict[str, Any]:
    """The flags of the training that wrote a ``config.json``, without those of :data:`NOT_AGAIN`.

    Raises:
        CUNetError: it cannot be read, or was written by no call of ``cunet train``.
    """
    file = Path(file, "config.json") if Path(file).is_dir() else Path(file)
    try:
        given = json.loads(file.read_text())["flags"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise CUNetError(
            f"--config={file}: no config.json of a cunet train with its flags ({type(error).__name__}): name one."
        ) from None
    return {name: value for name, value in given.items() if name not in NOT_AGAIN}
