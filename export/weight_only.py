"""Kernels in 8 bits in a float ``.tflite`` file: a fourth of the bytes, float's speed, no pictures needed."""

import math

import numpy as np

from cunet_tf.compat import parse_tflite, schema, write_tflite
from cunet_tf.export.graph_edit import code_of, new_operator, new_tensor, stored_bytes
from cunet_tf.export.grids import SMALLEST, WEIGHT_LIMIT

_OPERATORS, _TYPES = schema.BuiltinOperator, schema.TensorType
FILTER_AXIS = {
    _OPERATORS.CONV_2D: 0, _OPERATORS.DEPTHWISE_CONV_2D: 3, _OPERATORS.FULLY_CONNECTED: 0, _OPERATORS.TRANSPOSE_CONV: 0,
}  # fmt: skip
DEQUANTIZE = _OPERATORS.DEQUANTIZE, 5  # its lowest version with a step for each filter
OVERHEAD = 200, 12  # bytes of two tensors and an operation, and of a filter's step and zero point


def with_int8_weights(tflite: bytes) -> bytes:
    """A float model whose kernels are integers of -127..127 with a step for each filter.

    A ``DEQUANTIZE`` stands in front of each convolution and dense layer. XNNPACK carries it out once, when the model is
    prepared, so the arithmetic and its speed are float's. Kernels that would not become smaller stay as they are. A
    binary or ternary kernel is kept exactly.
    """
    model = parse_tflite(tflite)
    graph = model.subgraphs[0]
    kernels = {
        int(operator.inputs[1]): FILTER_AXIS[code_of(model, operator)]
        for operator in graph.operators
        if code_of(model, operator) in FILTER_AXIS
    }
    first = [
        _shorten(model, graph, index, axis)
        for index, axis in kernels.items()
        if _is_worth_it(model, graph, index, axis)
    ]
    graph.operators = [*first, *graph.operators]
    used = sorted({0} | {tensor.buffer for tensor in graph.tensors} | {entry.buffer for entry in model.metadata or []})
    places = {old: new for new, old in enumerate(used)}
    for each in (*graph.tensors, *(model.metadata or [])):
        each.buffer = places[each.buffer]
    model.buffers = [model.buffers[old] for old in used]
    return write_tflite(model)


def int8_kernel(kernel: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """int8 values and float32 steps ``[C]`` of a kernel whose filters lie along ``axis``."""
    others = tuple(each for each in range(kernel.ndim) if each != axis)
    steps = np.maximum(np.abs(kernel).max(axis=others), np.float32(SMALLEST)) / np.float32(WEIGHT_LIMIT)
    shaped = np.expand_dims(steps, others)
    return np.clip(np.rint(kernel / shaped), -WEIGHT_LIMIT, WEIGHT_LIMIT).astype(np.int8), steps


def _is_worth_it(model: schema.ModelT, graph: schema.SubGraphT, index: int, axis: int) -> bool:
    tensor = graph.tensors[index]
    if tensor.type != _TYPES.FLOAT32 or not len(stored_bytes(model, tensor)):
        return False
    each, filter_bytes = OVERHEAD
    return 3 * math.prod(tensor.shape) > each + filter_bytes * tensor.shape[axis]


def _shorten(model: schema.ModelT, graph: schema.SubGraphT, index: int, axis: int) -> schema.TensorT:
    """Store a kernel in integers; the operation that gives it back."""
    tensor = graph.tensors[index]
    kernel = stored_bytes(model, tensor).view(np.float32).reshape(tensor.shape)
    values, steps = int8_kernel(kernel, axis)
    grid = schema.QuantizationParametersT()
    grid.scale, grid.zeroPoint, grid.quantizedDimension = steps, np.zeros(len(steps), np.int64), axis
    short = new_tensor(graph, tuple(tensor.shape), _TYPES.INT8, grid)
    graph.tensors[short].name = tensor.name
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    model.buffers.append(buffer)
    graph.tensors[short].buffer, tensor.buffer = len(model.buffers) - 1, 0
    tensor.name = str(index).encode()
    operator = new_operator(model, DEQUANTIZE, short, index)
    operator.builtinOptionsType, operator.builtinOptions = (
        schema.BuiltinOptions.DequantizeOptions,
        schema.DequantizeOptionsT(),
    )
    return operator
