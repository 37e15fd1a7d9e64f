"""Which operations of a ``.tflite`` file the runtime's fast kernels (XNNPACK) take over."""

import warnings
from typing import Any

from cunet_tf.compat import operation_details
from cunet_tf.quiet import native_stderr_hidden

CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")


def delegation(tflite: bytes) -> dict[str, Any]:
    """How a model is run on this machine.

    Returns:
        ``operations`` and ``operations_delegated``; ``convolutions`` and ``delegated``, the same
        of convolutions; ``islands``, conversions between number formats other than those at a
        float model's two ends.
    """
    from ai_edge_litert.interpreter import Interpreter

    with native_stderr_hidden(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the memory that this costs
        # All tensors are kept, so that every operation is delegated by itself and can be named.
        interpreter = Interpreter(model_content=tflite, num_threads=1, experimental_preserve_all_tensors=True)
        interpreter.allocate_tensors()
    rows = operation_details(interpreter)
    taken = {tuple(row["outputs"]) for row in rows if row["op_name"] == "DELEGATE"}
    own = [row for row in rows if row["op_name"] != "DELEGATE"]
    convolutions = [row for row in own if row["op_name"] in CONVOLUTIONS]
    ends = {*(detail["index"] for detail in interpreter.get_input_details()),
            *(detail["index"] for detail in interpreter.get_output_details())}  # fmt: skip
    islands = [
        row for row in own
        if row["op_name"] in ("QUANTIZE", "DEQUANTIZE") and not ends & {*row["inputs"], *row["outputs"]}
    ]  # fmt: skip
    return {
        "operations": len(own),
        "operations_delegated": sum(tuple(row["outputs"]) in taken for row in own),
        "convolutions": len(convolutions),
        "delegated": sum(tuple(row["outputs"]) in taken for row in convolutions),
        "islands": len(islands),
    }
