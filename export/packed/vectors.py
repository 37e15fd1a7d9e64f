"""Finds what a ``.tflite`` file need not store: where its vectors lie and which rule gives their bytes."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from cunet_tf.compat import schema, vector_of
from cunet_tf.files.blocks import BLOCK_KERNEL, from_blocks
from cunet_tf.files.packed.layout import EXPONENT, MAX_SMALL, PEAK, Op
from cunet_tf.files.packed.numbers import FRACTION, LIMIT, bias_steps, kernel_scales, whole_biases
from cunet_tf.spec import SPEC_NAME

CONVOLUTIONS = (schema.BuiltinOperator.CONV_2D, schema.BuiltinOperator.DEPTHWISE_CONV_2D)
MOST_LEVEL = 63  # of 7 bits; more take a byte anyway
OFFSETS = {schema.Model: (6, 8, 12), schema.SubGraph: (4, 10)}  # vtable places of long lists of tables


@dataclass(eq=False)
class Group:
    """Filters of a convolution.

    Attributes:
        step: of the convolution's input.
        halves: float16 bits of each filter's largest value.
    """

    step: float
    halves: np.ndarray


@dataclass
class Piece:
    """A part of the file that one operation writes.

    Attributes:
        start, stop: its bytes.
        op: the operation.
        group: of scales and biases.
        halves: float16 bits of the biases.
    """

    start: int
    stop: int
    op: Op
    group: Group | None = None
    halves: np.ndarray | None = None


class Vectors:
    """The pieces of a model, in the order of the file and without overlaps.

    Args:
        data: the model, uint8.
    """

    def __init__(self, data: np.ndarray):
        self.data, self.address = data, data.__array_interface__["data"][0]
        self.model = schema.Model.GetRootAs(data, 0)
        self.found: dict[int, Piece] = {}
        for index in range(self.model.SubgraphsLength()):
            graph = self.model.Subgraphs(index)
            self._offsets(graph)
            for place in range(graph.OperatorsLength()):
                operator = graph.Operators(place)
                if self.model.OperatorCodes(operator.OpcodeIndex()).BuiltinCode() in CONVOLUTIONS:
                    self._convolution(*(graph.Tensors(each) for each in operator.InputsAsNumpy() if each >= 0))
            for place in range(graph.TensorsLength()):
                self._constant(graph.Tensors(place))
        self._offsets(self.model)
        self._description()

    def pieces(self) -> list[Piece]:
        """All pieces; what lies between them is copied."""
        kept: list[Piece] = []
        for piece in sorted(self.found.values(), key=lambda piece: piece.start):
            if not kept or piece.start >= kept[-1].stop:
                kept.append(piece)
        return kept

    def _add(self, vector: np.ndarray | int, op: Op, **details: Any) -> None:
        """Note a view of the file, unless its place is taken or it is empty (the schema returns 0)."""
        if isinstance(vector, np.ndarray) and len(vector):
            start = vector.__array_interface__["data"][0] - self.address
            self.found.setdefault(start, Piece(start, start + vector.nbytes, op, **details))

    def _bytes(self, tensor: schema.Tensor) -> np.ndarray | int:
        return self.model.Buffers(tensor.Buffer()).DataAsNumpy()

    def _description(self) -> None:
        for index in range(self.model.MetadataLength()):
            entry = self.model.Metadata(index)
            if entry.Name() == SPEC_NAME.encode():
                text = self.model.Buffers(entry.Buffer()).DataAsNumpy()
                if isinstance(text, np.ndarray) and len(text) <= MAX_SMALL:
                    self._add(text, Op.SPEC)
                return

    def _offsets(self, table: schema.Model | schema.SubGraph) -> None:
        """Lists of offsets: neighbours differ by the sizes of what they point at."""
        for place in OFFSETS[type(table)]:
            if found := vector_of(table, place):
                start, n = found
                if start % 4 == 0:
                    self._add(self.data[start : start + 4 * n], Op.WORDS)

    def _constant(self, tensor: schema.Tensor) -> None:
        """A constant tensor and its zero points."""
        vector = self._bytes(tensor)
        if isinstance(vector, np.ndarray):
            if len(vector) and (vector == vector[0]).all():
                self._add(vector, Op.FILL)
            elif tensor.Type() == schema.TensorType.INT8:
                self._add(vector, kernel_operation(vector.view(np.int8), tensor.ShapeAsNumpy()))
        zeros = tensor.Quantization() and tensor.Quantization().ZeroPointAsNumpy()
        if isinstance(zeros, np.ndarray) and len(zeros) > 1 and not zeros.any():
            self._add(zeros, Op.FILL)

    def _convolution(self, x: schema.Tensor, kernel: schema.Tensor, bias: schema.Tensor | None = None) -> None:
        """The scales and the biases that follow from 16-bit floats by rule."""
        scales, steps_in = _scales(kernel), _scales(x)
        if scales is None or steps_in is None:
            return
        with np.errstate(over="ignore"):
            halves = (scales.astype(np.float64) * PEAK).astype(np.float16)
        if not np.array_equal(kernel_scales(halves.astype(np.float64)), scales):
            return
        group = Group(float(steps_in[0]), halves.view(np.uint16))
        self._add(scales, Op.SCALES, group=group)
        if bias is not None and bias.Type() == schema.TensorType.INT32:
            self._bias(group, steps_in[0], bias)

    def _bias(self, group: Group, step: np.float32, bias: schema.Tensor) -> None:
        """Scales and values of a bias, if they follow from the group's; the exact step is noted there."""
        scales, vector = _scales(bias), self._bytes(bias)
        peaks = group.halves.view(np.float16).astype(np.float64)
        for exact in step_candidates(step):
            steps = bias_steps(exact, peaks)
            with np.errstate(all="ignore"):
                if scales is None or not np.array_equal(steps.astype(np.float32), scales):
                    continue
            group.step = exact
            self._add(scales, Op.BIAS_SCALES, group=group)
            if isinstance(vector, np.ndarray) and vector.any() and len(vector) == 4 * len(steps):
                halves = bias_halves(vector.view("<i4").astype(np.int64), steps)
                if halves is not None:
                    self._add(vector, Op.BIASES, group=group, halves=halves)
            return


def _scales(tensor: schema.Tensor) -> np.ndarray | None:
    """Its steps, float32, all positive and finite; else ``None``."""
    quantization = tensor.Quantization()
    scales = quantization and quantization.ScaleAsNumpy()
    if not isinstance(scales, np.ndarray) or not len(scales):
        return None
    return scales if (np.isfinite(scales) & (scales > 0)).all() else None


def kernel_operation(values: np.ndarray, shape: np.ndarray) -> Op:
    """How an int8 kernel is stored: one bit, a ternary digit, few bits or a byte a weight, without a stem's zeros."""
    sizes = np.bincount(np.abs(values.astype(np.int16)), minlength=PEAK + 1)
    if sizes[PEAK] == len(values):
        return Op.BITS
    if sizes[0] + sizes[PEAK] == len(values):
        return Op.TRITS
    if not sizes[MOST_LEVEL + 1 :].any():
        return Op.LEVELS
    own = np.array_equal(shape, (len(values) // math.prod(BLOCK_KERNEL), *BLOCK_KERNEL))
    return Op.BLOCKS if own and from_blocks(values.reshape(shape)) is not None else Op.RAW


def step_candidates(step: np.float32) -> list[float]:
    """Doubles that the converter may have computed with where it writes the float32 ``step``.

    It works with the ends of a range that are float32 themselves, such as 0 and 1 for pixels:
    1/255 as a double.
    """
    return [float(step), float(np.float32(step * 255)) / 255]


def bias_halves(wholes: np.ndarray, steps: np.ndarray) -> np.ndarray | None:
    """float16 bits that give biases by the rule of the container, ``None`` where there are none.

    Args:
        wholes: the biases, int64.
        steps: float64.
    """
    with np.errstate(over="ignore"):
        nearest = (wholes * steps).astype(np.float16).view(np.uint16).astype(np.int64)
    integers = EXPONENT | np.abs(wholes) & FRACTION | (wholes < 0) * 0x8000
    result = np.full(len(wholes), -1)
    for candidate in (nearest, nearest + 1, nearest - 1, integers):
        bits = (candidate & 0xFFFF).astype(np.uint16)
        fits = whole_biases(bits, bits.view(np.float16).astype(np.float64), steps) == wholes
        result = np.where((result < 0) & fits, bits, result)
    return None if (result < 0).any() or (np.abs(wholes) >= LIMIT).any() else result.astype(np.uint16)
