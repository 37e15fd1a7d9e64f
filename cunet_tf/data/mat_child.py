"""The process that parses a ``.mat`` file; see :mod:`cunet_tf.data.matlab`, which starts it and reads its answer.

SciPy's parser trusts what a file says of sizes and types: damaged ones have ended it with signal 11. This file runs
alone, with nothing of ``cunet_tf`` imported. Arguments: file, variable, bytes of memory, seconds. On stdout comes one
msgpack object, ``{"value": ...}`` or ``{"fault": "..."}``, of plain values:

- a struct or struct array: a list of objects, one for each element;
- a cell: a list; text: a string, or a list of them; nothing (of whatever kind): an empty list;
- one number: a float; more numbers: an extension, dtype and shape before the bytes.
"""

import contextlib
import gc
import sys
from typing import Any

import msgspec
import numpy as np
import scipy.io
from scipy.io.matlab import mat_struct

ARRAY = 1  # msgpack's code of the extension
USUAL = 1 << 30  # bytes of address space before any work
NESTED = 50  # deeper than any file of ours


def plain(value: object, depth: int = 0) -> Any:
    """A variable as the values above.

    Raises:
        ValueError: it holds something else, such as a function or a sparse matrix, or is nested too deeply.
    """
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf" and value.size == 1 and value.ndim <= 2:
        return float(value.item())  # first: most of a large file is single numbers
    if depth > NESTED:
        raise ValueError("it is nested too deeply")
    if isinstance(value, mat_struct):
        fields = value.__dict__
        return {name: plain(fields[name], depth + 1) for name in value._fieldnames}
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "OUbiuf" or value.dtype.names:
        raise ValueError(f"it holds a {type(value).__name__}, not numbers, text, cells and structs")
    if not value.size:
        return []
    if value.dtype.kind == "O":
        return [plain(each, depth + 1) for each in value.ravel()]
    if value.dtype.kind == "U":
        return str(value.flat[0]) if value.size == 1 else [str(each) for each in value.ravel()]
    shape = ",".join(map(str, value.shape)).encode()
    data = np.ascontiguousarray(value, np.float64).astype("<f8").tobytes()
    return msgspec.msgpack.Ext(ARRAY, shape + b";" + data)


def limit(memory: int, seconds: int) -> None:
    """Let larger allocations fail and end a parser that goes on too long, where the system can."""
    try:
        import resource
    except ImportError:
        return
    used = USUAL
    with contextlib.suppress(OSError), open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    for what, most in ((resource.RLIMIT_AS, used + memory), (resource.RLIMIT_CPU, seconds),
                       (resource.RLIMIT_FSIZE, memory), (resource.RLIMIT_CORE, 0)):  # fmt: skip
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with contextlib.suppress(OSError, ValueError):  # macOS has no limit of memory
            resource.setrlimit(what, (most, hard))


def answer(file: str, variable: str) -> dict[str, Any]:
    """What to tell the caller."""
    try:
        found = scipy.io.loadmat(file, appendmat=False, struct_as_record=False, variable_names=[variable])
        if variable not in found:
            return {"fault": f"no variable {variable}"}
        return {"value": plain(found[variable])}
    except MemoryError:
        return {"fault": "it needs more memory than a file of its size may take"}
    except NotImplementedError:
        return {"fault": "it is of MATLAB's 7.3 format: save it with -v7"}
    except Exception as error:  # whatever SciPy makes of a damaged file
        return {"fault": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    gc.disable()  # nothing is thrown away here, and looking for it takes a third of the time
    limit(int(sys.argv[3]), int(sys.argv[4]))
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer(*sys.argv[1:3])))
