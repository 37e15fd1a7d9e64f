"""One run of a ``.tflite`` network on LiteRT, in a process of its own: for operations that there is no rule for.

See :mod:`cunet_tf.files.graph_rules` for the others: they need no trial.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from cunet_tf.errors import reason
from cunet_tf.trial import limit_memory, refused, try_out

MEMORY = 1 << 32  # bytes


def try_network(data: bytes) -> None:
    """Prepare and run a network once where nothing can come of it.

    Raises:
        CUNetError: LiteRT refuses it, dies of it, or does not end.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "model.tflite")
        file.write_bytes(data)
        try_out(__name__, file, "LiteRT", "export it again.")


def run_once(file: Path) -> int:
    """The process of its own: its exit status."""
    from ai_edge_litert.interpreter import Interpreter

    limit_memory(MEMORY)
    try:
        interpreter = Interpreter(model_path=str(file), num_threads=1)
        interpreter.allocate_tensors()
        for each in interpreter.get_input_details():
            interpreter.set_tensor(each["index"], np.zeros(each["shape"], each["dtype"]))
        interpreter.invoke()
    except (ValueError, RuntimeError, MemoryError, TypeError) as error:
        return refused(f"LiteRT cannot run this model ({reason(error)}): export it again.")
    return 0


if __name__ == "__main__":
    sys.exit(run_once(Path(sys.argv[1])))
