"""MATLAB's ``.mat`` files, parsed by SciPy in a process of its own: what ends that process does not end ours."""

import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

import msgspec
import numpy as np

from cunet_tf.reading import MIB, why_unfit

MOST_BYTES = 1024 * MIB  # of a file; MPII's has 13 MB
MEMORY, MEMORY_PER_BYTE = 512 * MIB, 200  # bytes that the parser may take
SECONDS, SECONDS_PER_MIB = 30, 30
_ARRAY = 1  # as in mat_child.py
# What a file without the fields that it should have raises while it is taken apart.
MAT_ERRORS = (LookupError, TypeError, ValueError, OverflowError)
CHILD = Path(__file__).with_name("mat_child.py")


def read_matlab(file: Path, variable: str) -> Any:
    """One variable of a ``.mat`` file.

    Returns:
        A list of dictionaries for a struct or struct array, a list for a cell, a string for text, an empty list for
        nothing, a float for one number, float64 arrays of the file's shape for more.

    Raises:
        ValueError: why the file cannot be read, without its name: it is no such file, has no such variable, or ended
            the parser.
        ModuleNotFoundError: SciPy is not installed.
    """
    if importlib.util.find_spec("scipy") is None:  # no CUNetError: callers take that for a fault of the file
        raise ModuleNotFoundError("No module named 'scipy'", name="scipy")
    fault = why_unfit(file, MOST_BYTES)
    if fault:
        raise ValueError(fault.rstrip("."))
    size = os.path.getsize(file)
    memory, seconds = MEMORY + MEMORY_PER_BYTE * size, SECONDS + SECONDS_PER_MIB * size // MIB
    with tempfile.TemporaryFile() as out:
        code = _run([str(file), variable, str(memory), str(seconds)], out, seconds)
        if code:
            raise ValueError(code)
        out.seek(0)
        try:
            told = msgspec.msgpack.decode(out.read(), type=dict[str, Any], ext_hook=_array)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise ValueError(f"the parser's answer cannot be read ({error})") from None
    if "value" not in told:
        raise ValueError(str(told.get("fault"))[:200])
    return told["value"]


def structs(value: object) -> list[dict[str, Any]]:
    """The structs of a variable: of a struct, of an array of them, or of a cell that holds some."""
    each = value if isinstance(value, list) else []
    return [item for one in each for item in (one if isinstance(one, list) else [one]) if isinstance(item, dict)]


def _run(arguments: list[str], out: IO[bytes], seconds: int) -> str:
    """Why the process gave no answer, empty where it gave one."""
    # One thread: those of the linear algebra would take memory, and time to start. -P: our own folder hides nothing.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            [sys.executable, "-P", str(CHILD), *arguments], stdin=subprocess.DEVNULL, stdout=out,
            stderr=subprocess.DEVNULL, env=environment, timeout=seconds,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"the parser did not end in {seconds} seconds"
    if done.returncode < 0:
        return f"the parser was ended by {_signal(-done.returncode)}"
    return f"the parser ended with exit code {done.returncode}" if done.returncode else ""


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _array(code: int, data: memoryview) -> np.ndarray:
    shape, _, numbers = bytes(data).partition(b";")
    if code != _ARRAY:
        raise ValueError(f"the parser answered with a value of kind {code}")
    return np.frombuffer(numbers, "<f8").reshape([int(side) for side in shape.split(b",")])
