"""New tensors and operators in a parsed ``.tflite`` model."""

import numpy as np

from cunet_tf.compat import schema


def shape_as(tensor: schema.TensorT, shape: tuple[int, ...]) -> None:
    """Give a tensor another shape."""
    tensor.shape, tensor.shapeSignature, tensor.hasRank = np.array(shape, np.int32), None, True


def give(model: schema.ModelT, tensor: schema.TensorT, values: np.ndarray) -> None:
    """Give a constant tensor other values, of any shape."""
    model.buffers[tensor.buffer].data = np.frombuffer(values.tobytes(), np.uint8)
    shape_as(tensor, values.shape)


def new_tensor(
    graph: schema.SubGraphT,
    shape: tuple[int, ...],
    kind: int,
    quantization: schema.QuantizationParametersT | None = None,
) -> int:
    """A tensor without content; its index.

    Args:
        graph: a subgraph.
        shape: of the tensor.
        kind: a ``TensorType``.
        quantization: its grid, that of another tensor.
    """
    tensor = schema.TensorT()
    tensor.type, tensor.quantization, tensor.buffer, tensor.name = kind, quantization, 0, b""
    shape_as(tensor, shape)
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def new_operator(model: schema.ModelT, code: tuple[int, int], source: int, target: int) -> schema.OperatorT:
    """An operator from one tensor to another; ``code``: builtin code, lowest version for its types."""
    known = [(entry.builtinCode, entry.version) for entry in model.operatorCodes]
    if code not in known:
        entry = schema.OperatorCodeT()
        entry.builtinCode, entry.version = code
        entry.deprecatedBuiltinCode = code[0]
        model.operatorCodes.append(entry)
        known.append(code)
    operator = schema.OperatorT()
    operator.opcodeIndex = known.index(code)
    operator.inputs, operator.outputs = np.array([source], np.int32), np.array([target], np.int32)
    return operator


def code_of(model: schema.ModelT, operator: schema.OperatorT) -> int:
    """The builtin code of an operator."""
    return model.operatorCodes[operator.opcodeIndex].builtinCode


def stored_bytes(model: schema.ModelT, tensor: schema.TensorT) -> np.ndarray:
    """Content of a constant tensor, uint8; empty where it has none."""
    data = model.buffers[tensor.buffer].data
    return np.asarray([] if data is None else data, np.uint8)
