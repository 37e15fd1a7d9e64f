"""An ``.onnx`` network on onnxruntime; a file from elsewhere runs in a process of its own first.

:mod:`cunet_tf.files.onnx` has looked at its operations, not at their numbers: a file can ask for any memory and time.
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cunet_tf.errors import CUNetError, reason
from cunet_tf.quiet import import_quietly, native_stderr_hidden
from cunet_tf.trial import limit_memory, refused, try_out

if TYPE_CHECKING:
    import onnxruntime

MEMORY = 1 << 32  # bytes that the trial may take
LOG_NOTHING = 4  # only what ends the process; errors are raised


def try_session(path: Path) -> None:
    """Prepare and run the network once where nothing can come of it.

    Raises:
        CUNetError: onnxruntime refuses it, dies of it, or does not end.
        MissingPackage: onnxruntime is not installed.
    """
    import_quietly("onnxruntime")
    try:
        try_out(__name__, path, "onnxruntime", "export it again.")
    except CUNetError as error:
        raise CUNetError(f"{path}: {error}") from None


def prepare_session(data: bytes, threads: int | None = None, name: str = "the model") -> "onnxruntime.InferenceSession":
    """onnxruntime's session of a network, on the processor.

    Raises:
        CUNetError: the network cannot be prepared.
        MissingPackage: onnxruntime is not installed.
    """
    import_quietly("onnxruntime")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or os.cpu_count() or 1
    options.log_severity_level = LOG_NOTHING
    try:
        with native_stderr_hidden():
            # Its fallback would try the same once more, and print.
            return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"], enable_fallback=0)
    except Exception as error:  # onnxruntime's own kinds have no common one
        raise CUNetError(f"{name}: {_refusal(error)}") from None


def run_session(
    session: "onnxruntime.InferenceSession", feed: dict[str, np.ndarray], name: str = "the model"
) -> np.ndarray:
    """The first output.

    Raises:
        CUNetError: the network cannot be run.
    """
    try:
        return session.run(None, feed)[0]
    except Exception as error:
        raise CUNetError(f"{name}: {_refusal(error)}") from None


def _refusal(error: Exception) -> str:
    return f"onnxruntime cannot run this model ({reason(error)}): export it again."


def shapes_of(session: "onnxruntime.InferenceSession", name: str = "the model") -> tuple[tuple, tuple]:
    """Of the one input and the one output; a side that is open is ``None``.

    Raises:
        CUNetError: it has others, or other numbers than float32.
    """
    ends = session.get_inputs(), session.get_outputs()
    if [len(each) for each in ends] != [1, 1] or any(each.type != "tensor(float)" for end in ends for each in end):
        raise CUNetError(
            f"{name}: {len(ends[0])} inputs, {len(ends[1])} outputs: not a network from pictures to float32 heat maps."
        )
    sides = ([side if isinstance(side, int) else None for side in end[0].shape] for end in ends)
    taken, given = map(tuple, sides)
    return taken, given


def run_once(file: Path) -> int:
    """The process of its own: its exit status."""
    limit_memory(MEMORY)
    try:
        session = prepare_session(file.read_bytes(), 1)
        taken, _ = shapes_of(session)
        picture = np.full([1 if side is None else side for side in taken], 0.5, np.float32)
        run_session(session, {session.get_inputs()[0].name: picture})
    except CUNetError as error:
        return refused(str(error).removeprefix("the model: "))
    except (MemoryError, ValueError) as error:  # of a picture of such a size
        return refused(_refusal(error))
    return 0


if __name__ == "__main__":
    sys.exit(run_once(Path(sys.argv[1])))
