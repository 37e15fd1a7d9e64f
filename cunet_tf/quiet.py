"""Native libraries write to the terminal past Python's streams; keep that off a user's screen."""

import contextlib
import importlib
import json
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from cunet_tf.errors import CUNetError, missing_package

BACKENDS = ("tensorflow", "jax")
_LOCK = threading.RLock()  # two threads at once would restore each other's file


@contextlib.contextmanager
def native_stderr_hidden() -> Iterator[Path]:
    """Send file descriptor 2 to a temporary file, which is yielded, for the error path.

    Python's own ``sys.stderr`` writes to the same descriptor and is hidden as well: keep
    the block as short as the noisy call.
    """
    with _LOCK, tempfile.NamedTemporaryFile(suffix=".log") as log:
        kept = os.dup(2)
        os.dup2(log.fileno(), 2)
        try:
            yield Path(log.name)
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def require_backend() -> None:
    """Look, before Keras is imported, what it is told to run on.

    Raises:
        CUNetError: neither TensorFlow nor JAX.
    """
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"), "keras.json")
    place, backend = "KERAS_BACKEND", os.environ.get("KERAS_BACKEND")
    if not backend:
        try:
            place, backend = str(home), json.loads(home.read_text()).get("backend", BACKENDS[0])
        except (OSError, ValueError, AttributeError):
            return  # Keras takes TensorFlow
    if backend not in BACKENDS:
        raise CUNetError(f"{place} says {backend!r}, this project runs Keras on TensorFlow or JAX: set "
                         "KERAS_BACKEND=tensorflow.")  # fmt: skip


def import_quietly(module: str) -> None:
    """Import a module whose native libraries write to the terminal while they load, such as ``keras``.

    Raises:
        MissingPackage: it is not installed.
        CUNetError: Keras is told to run on something that this project does not run on.
    """
    if module in sys.modules:
        return
    if module == "keras":
        require_backend()
    try:
        with native_stderr_hidden():
            importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise missing_package(error) from None
