"""Integer files from an integer file: other containers, and float at both ends, without the Keras model."""

from pathlib import Path
from typing import Any

import numpy as np

from cunet_tf.compat import parse_tflite, schema, write_tflite
from cunet_tf.errors import CUNetError
from cunet_tf.export.formats import Exported, contained
from cunet_tf.export.graph_edit import new_operator, new_tensor
from cunet_tf.export.integer_stem import with_blocks
from cunet_tf.export.tflite import HEATMAPS, finished
from cunet_tf.files.formats import FLOAT, FLOAT_ENDS
from cunet_tf.files.tflite import read_model, spec_of, takes_int8
from cunet_tf.spec import ModelSpec

# Operators at the ends: builtin code, lowest version for int8.
QUANTIZE = schema.BuiltinOperator.QUANTIZE, 1
DEQUANTIZE = schema.BuiltinOperator.DEQUANTIZE, 2


def export_integer(file: Path, fmt: str, changes: dict[str, Any] | None = None) -> tuple[Exported, ModelSpec]:
    """An int8 model in another integer format; its numbers stay what they are, a 7x7 stem moves onto blocks.

    Args:
        file: ``.cunet``, ``.tflite`` or ``.tflite.gz`` with int8 ends.
        fmt: ``int8``, ``int8-float-io``, ``packed``, ``packed-float-io`` or ``gz``.
        changes: of the description.

    Raises:
        CUNetError: a float format, a float file, or a file without a description.
    """
    tflite = read_model(file)
    if fmt in FLOAT:
        raise CUNetError(
            f"--format={fmt}: float weights cannot be had from {file}: name the .keras file of its network."
        )
    spec = spec_of(tflite)
    if spec is None:
        raise CUNetError(f"{file} carries no description: export it from its .keras file.")
    if not takes_int8(tflite):
        raise CUNetError(f"{file}: its ends are float: integer formats are made of an int8 file or its .keras file.")
    spec, tflite = spec.replace(**(changes or {})), with_blocks(tflite)
    tflite = with_float_ends(tflite, spec) if fmt in FLOAT_ENDS else finished(tflite, spec, "image", HEATMAPS)
    return Exported(fmt, contained(tflite, fmt), tflite, []), spec


def with_float_ends(tflite: bytes, spec: ModelSpec) -> bytes:
    """An int8 model with one QUANTIZE in front and one DEQUANTIZE behind, for runtimes that refuse int8 there."""
    model = parse_tflite(tflite)
    graph = model.subgraphs[0]
    inner, outer = graph.inputs[0], graph.outputs[0]
    image, heatmaps = _float_twin(graph, inner), _float_twin(graph, outer)
    graph.operators = [
        new_operator(model, QUANTIZE, image, inner), *graph.operators, new_operator(model, DEQUANTIZE, outer, heatmaps)
    ]  # fmt: skip
    graph.inputs, graph.outputs = np.array([image], np.int32), np.array([heatmaps], np.int32)
    return finished(write_tflite(model), spec, "image", HEATMAPS)


def _float_twin(graph: schema.SubGraphT, index: int) -> int:
    """A new float tensor of the same shape; its index."""
    return new_tensor(graph, tuple(graph.tensors[index].shape), schema.TensorType.FLOAT32)
