"""Does an exported file of a model of one's own compute what Keras computes, and does it run in integers?"""

from typing import Any

import keras
import numpy as np

from cunet_tf.compat import schema
from cunet_tf.engines import decoded, encoded, prepare_interpreter, running
from cunet_tf.export.delegation import CONVOLUTIONS, delegation
from cunet_tf.files.formats import FLOAT
from cunet_tf.files.graph import read_graph
from cunet_tf.models.calls import ends_of

# Of the mean difference, as a share of the range of an output.
TOLERANCE = {"float32": 1e-3, "float16": 0.02, "int8-weights": 0.05}
INTEGERS = 0.05


def run_tflite(tflite: bytes, inputs: np.ndarray) -> list[np.ndarray]:
    """All outputs of a ``.tflite`` model of one input, run one by one, as float32 ``[N, ...]``."""
    interpreter, lock = prepare_interpreter(tflite)
    (start,), ends = interpreter.get_input_details(), interpreter.get_output_details()
    found: list[list[np.ndarray]] = [[] for _ in ends]
    with lock, running("the exported model"):
        for each in inputs:
            interpreter.set_tensor(start["index"], encoded(each[None], start))
            interpreter.invoke()
            for results, end in zip(found, ends, strict=True):
                results.append(decoded(interpreter.get_tensor(end["index"]), end))
    return [np.concatenate(results) for results in found]


def compare_outputs(model: keras.Model, tflite: bytes, inputs: np.ndarray, fmt: str) -> dict[str, Any]:
    """Each output of a Keras model and of its file on the same inputs.

    Args:
        model: of one input.
        tflite: the file.
        inputs: float32 ``[N, ...]``, as the model takes them.
        fmt: the file's format.

    Returns:
        ``outputs``: for each ``output`` (name), ``range`` of Keras' values, ``max`` and ``mean`` difference, ``share``,
        the mean as a share of the range; ``tolerance`` of this share; ``pictures``; of an integer format ``integers``,
        see :func:`integer_operations`; ``ok``.
    """
    ours = [np.asarray(each, np.float32) for each in keras.tree.flatten(model.predict(inputs, verbose=0))]
    theirs = run_tflite(tflite, inputs)
    rows = [_row(name, *pair) for name, *pair in zip(ends_of(model)[1], ours, theirs, strict=True)]
    limit = TOLERANCE.get(fmt, INTEGERS)
    report = {"outputs": rows, "tolerance": limit, "pictures": len(inputs),
              "ok": all(row["share"] <= limit for row in rows)}  # fmt: skip
    if fmt not in FLOAT:
        found = integer_operations(tflite)
        whole = found["integer_convolutions"] == found["delegated"] == found["convolutions"]
        report |= {"integers": found, "ok": report["ok"] and whole}
    return report


def integer_operations(tflite: bytes) -> dict[str, Any]:
    """How an integer file runs: what :func:`.delegation` says, and ``integer_convolutions``."""
    graph = read_graph(tflite)
    kinds = [
        {graph.tensors[index].type for index in (*each.inputs[:2], *each.outputs)}
        for each in graph.operations
        if each.name in CONVOLUTIONS
    ]
    return {**delegation(tflite), "integer_convolutions": sum(each == {schema.TensorType.INT8} for each in kinds)}


def _row(name: str, ours: np.ndarray, theirs: np.ndarray) -> dict[str, Any]:
    difference, extent = np.abs(ours - theirs), float(np.ptp(ours))
    mean = float(difference.mean())
    share = mean / extent if extent else float(mean > 0)
    return {"output": name, "range": extent, "max": float(difference.max()), "mean": mean, "share": share}
