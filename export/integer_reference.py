"""An integer ``.tflite`` file in numpy: what each operation is defined to compute, to the last bit.

Arithmetic of XNNPACK's int8 convolutions, with scales s and zero points z:
``y = clip(rint(float32(sum((x - z_x) w) + bias) * float32(s_x s_w / s_y)) + z_y, -128, 127)``.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from cunet_tf.compat import operator_name, parse_tflite, schema
from cunet_tf.errors import CUNetError

Tensors: TypeAlias = list[schema.TensorT]
Options: TypeAlias = Any  # a class of the schema for each operation
DTYPES = {0: np.float32, 2: np.int32, 9: np.int8}  # TensorType


class Reference:
    """Runs an int8 ``.tflite`` model operation by operation.

    Args:
        data: bytes of the model, with int8 or float ends.

    Raises:
        CUNetError: the model holds an operation that no CU-Net needs.
    """

    def __init__(self, data: bytes):
        self.model = parse_tflite(data)
        self.graph = self.model.subgraphs[0]
        names = [operator_name(self.model, i) for i in range(len(self.model.operatorCodes))]
        self.steps = [(names[operator.opcodeIndex], operator) for operator in self.graph.operators]
        for name, _ in self.steps:
            if name not in OPERATIONS:
                raise CUNetError(f"operation {name} is not one of an exact int8 model: export it again as int8.")

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """One picture ``[1, H, W, 3]`` as the model takes it, to its output."""
        values = {self.graph.inputs[0]: image}
        for name, operator in self.steps:
            arguments = [self._value(values, index) for index in operator.inputs if index >= 0]
            tensors = [self.graph.tensors[index] for index in operator.inputs if index >= 0]
            output = self.graph.tensors[operator.outputs[0]]
            values[operator.outputs[0]] = OPERATIONS[name](arguments, tensors, output, operator.builtinOptions)
        return values[self.graph.outputs[0]]

    def _value(self, values: dict[int, np.ndarray], index: int) -> np.ndarray:
        if index not in values:
            tensor = self.graph.tensors[index]
            raw = bytes(bytearray(self.model.buffers[tensor.buffer].data))
            values[index] = np.frombuffer(raw, DTYPES[tensor.type]).reshape(tensor.shape)
        return values[index]


def scales(tensor: schema.TensorT) -> np.ndarray:
    """float32 scales of a tensor, one or one for each filter."""
    return np.asarray(tensor.quantization.scale, np.float32)


def zero(tensor: schema.TensorT) -> int:
    """The zero point; that of an int8 kernel is 0."""
    return int(tensor.quantization.zeroPoint[0])


def requantize(total: np.ndarray, factor: np.ndarray, zero_point: int, low: int) -> np.ndarray:
    """int32 sums to int8, halves to even; ``low`` is -128, or the zero point where a ReLU is fused."""
    scaled = np.rint(total.astype(np.float32) * factor.astype(np.float32))
    return np.clip(scaled + zero_point, low, 127).astype(np.int8)


def _convolution(
    inputs: list[np.ndarray], tensors: Tensors, output: schema.TensorT, options: Options, depthwise: bool
) -> np.ndarray:
    x, kernel = (array.astype(np.float64) for array in inputs[:2])  # float64 adds integers exactly
    x = x - zero(tensors[0])
    size, stride = kernel.shape[1:3], options.strideH
    padded = x if options.padding == schema.Padding.VALID else _same(x, size, stride)
    windows = np.lib.stride_tricks.sliding_window_view(padded, size, (1, 2))[:, ::stride, ::stride]
    total = np.einsum("bijchw,hwc->bijc", windows, kernel[0]) if depthwise else _products(windows, kernel)
    total = total + inputs[2] if len(inputs) > 2 else total
    factor = scales(tensors[0]) * scales(tensors[1]) / scales(output)
    low = zero(output) if options.fusedActivationFunction == schema.ActivationFunctionType.RELU else -128
    return requantize(total, factor, zero(output), low)


def _products(windows: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """``[B, H, W, C, h, w]`` and ``[F, h, w, C]`` to sums ``[B, H, W, F]``, by one matrix product."""
    rows = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, kernel[0].size)
    return (rows @ kernel.reshape(len(kernel), -1).T).reshape(*windows.shape[:3], -1)


def _same(x: np.ndarray, size: tuple[int, int], stride: int) -> np.ndarray:
    """Padded with zeros as TFLite's SAME does."""
    gaps = [max((-(-side // stride) - 1) * stride + k - side, 0) for side, k in zip(x.shape[1:3], size, strict=True)]
    return np.pad(x, ((0, 0), *((gap // 2, gap - gap // 2) for gap in gaps), (0, 0)))


def _pool(inputs: list[np.ndarray], tensors: Tensors, output: schema.TensorT, options: Options) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(inputs[0], (options.filterHeight, options.filterWidth), (1, 2))
    return windows[:, :: options.strideH, :: options.strideW].max((-2, -1))


def _resize(inputs: list[np.ndarray], tensors: Tensors, output: schema.TensorT, options: Options) -> np.ndarray:
    height, width = (int(new) // old for new, old in zip(inputs[1], inputs[0].shape[1:3], strict=True))
    return inputs[0].repeat(height, 1).repeat(width, 2)


def _pad(inputs: list[np.ndarray], tensors: Tensors, output: schema.TensorT, options: Options) -> np.ndarray:
    return np.pad(inputs[0], [tuple(pair) for pair in inputs[1]], constant_values=zero(output))


def _space_to_depth(inputs: list[np.ndarray], tensors: Tensors, output: schema.TensorT, options: Options) -> np.ndarray:
    batch, height, width, channels = inputs[0].shape
    size = options.blockSize
    parts = inputs[0].reshape(batch, height // size, size, width // size, size, channels)
    return parts.transpose(0, 1, 3, 2, 4, 5).reshape(batch, height // size, width // size, -1)


def _concat(inputs: list[np.ndarray], tensors: Tensors, output: schema.TensorT, options: Options) -> np.ndarray:
    grids = {(scales(tensor)[0], zero(tensor)) for tensor in (*tensors, output)}
    if len(grids) > 1:
        raise CUNetError("a concatenation joins tensors of different scales: it would not be a copy.")
    return np.concatenate(inputs, options.axis)


def _extreme(
    inputs: list[np.ndarray], tensors: Tensors, output: schema.TensorT, options: Options, function: Callable
) -> np.ndarray:
    grids = {(scales(tensor)[0], zero(tensor)) for tensor in (*tensors, output)}
    if len(grids) > 1:
        raise CUNetError("a MAXIMUM or MINIMUM of tensors of different scales: it would round.")
    return function(*inputs)


def _quantize(inputs: list[np.ndarray], tensors: Tensors, output: schema.TensorT, options: Options) -> np.ndarray:
    if inputs[0].dtype == np.int8:
        raise CUNetError("an int8 tensor is quantized again: the model has islands of another scale.")
    scaled = np.rint(inputs[0] * (np.float32(1) / scales(output)[0]))
    return np.clip(scaled + zero(output), -128, 127).astype(np.int8)


def _dequantize(inputs: list[np.ndarray], tensors: Tensors, output: schema.TensorT, options: Options) -> np.ndarray:
    return (inputs[0].astype(np.float32) - zero(tensors[0])) * scales(tensors[0])[0]


OPERATIONS: dict[str, Callable[..., np.ndarray]] = {
    "CONV_2D": partial(_convolution, depthwise=False),
    "DEPTHWISE_CONV_2D": partial(_convolution, depthwise=True),
    "MAX_POOL_2D": _pool,
    "RESIZE_NEAREST_NEIGHBOR": _resize,
    "PAD": _pad,
    "SPACE_TO_DEPTH": _space_to_depth,
    "CONCATENATION": _concat,
    "MAXIMUM": partial(_extreme, function=np.maximum),
    "MINIMUM": partial(_extreme, function=np.minimum),
    "QUANTIZE": _quantize,
    "DEQUANTIZE": _dequantize,
}
