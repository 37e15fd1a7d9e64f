"""Small ``.tflite`` networks made by hand, without TensorFlow: every operation of ours, with and without integers."""

import functools

import numpy as np

from cunet_tf.compat import schema, write_tflite
from cunet_tf.presets import preset
from cunet_tf.skeletons import Skeleton
from cunet_tf.spec import SPEC_NAME, ModelSpec

SIDE, LANDMARKS = 64, 2
TYPES = {"f4": 0, "f2": 1, "i4": 2, "i1": 9}  # of numpy -> of the schema
SAME, VALID, RELU = 0, 1, 1


def spec() -> ModelSpec:
    """Describes them: two landmarks in pictures of 64 pixels."""
    base = preset("face-mobile")
    config = base.config.replace(landmarks=LANDMARKS, input_size=SIDE)
    return base.replace(config=config, skeleton=Skeleton("two", ("a", "b")), confidence=None, detector=None)


class Builder:
    """Puts a network together, an operation after the other."""

    def __init__(self, short: bool = False) -> None:
        self.short = short  # float convolutions have kernels of 8 bits
        self.graph = schema.SubGraphT(tensors=[], operators=[])
        self.buffers, self.codes = [schema.BufferT()], []
        self.rng = np.random.default_rng(0)

    def tensor(self, shape, kind="f4", values=None, steps=None) -> int:
        """A tensor, constant where there are values; its number."""
        data = None if values is None else np.asarray(values, kind).reshape(shape).tobytes()
        if data:
            self.buffers.append(schema.BufferT(data=np.frombuffer(data, np.uint8)))
        quantization = None
        if steps is not None:
            zeros = np.zeros(len(steps), np.int64)
            quantization = schema.QuantizationParametersT(scale=np.float32(steps), zeroPoint=zeros)
        made = schema.TensorT(
            shape=np.int32(shape), type=TYPES[kind], buffer=len(self.buffers) - 1 if data else 0,
            name=f"t{len(self.graph.tensors)}".encode(), quantization=quantization,
        )  # fmt: skip
        self.graph.tensors.append(made)
        return len(self.graph.tensors) - 1

    def apply(self, name: str, inputs: list[int], out: int, options=None, kind: str = "") -> int:
        """An operation; the number of what it writes."""
        code = getattr(schema.BuiltinOperator, name)
        if code not in self.codes:
            self.codes.append(code)
        number = getattr(schema.BuiltinOptions, kind) if kind else 0
        self.graph.operators.append(
            schema.OperatorT(
                opcodeIndex=self.codes.index(code), inputs=np.int32(inputs), outputs=np.int32([out]),
                builtinOptions=options, builtinOptionsType=number,
            )
        )  # fmt: skip
        return out

    def _integers(self, shape, values, deep: bool) -> int:
        axis = 3 if deep else 0
        kernel = self.tensor(shape, "i1", np.clip(values * 50, -127, 127), np.full(shape[axis], 0.02))
        self.graph.tensors[kernel].quantization.quantizedDimension = axis
        return kernel

    def _short_kernel(self, shape, values, deep: bool) -> int:
        stored = self._integers(shape, values, deep)
        return self.apply("DEQUANTIZE", [stored], self.tensor(shape), schema.DequantizeOptionsT(), "DequantizeOptions")

    def file(self, first: int, last: int) -> bytes:
        """The whole as a file, with a description."""
        self.graph.inputs, self.graph.outputs = np.int32([first]), np.int32([last])
        self.buffers.append(schema.BufferT(data=np.frombuffer(spec().to_json().encode(), np.uint8)))
        codes = [
            schema.OperatorCodeT(deprecatedBuiltinCode=min(code, 127), builtinCode=code, version=1)
            for code in self.codes
        ]
        metadata = [schema.MetadataT(name=SPEC_NAME.encode(), buffer=len(self.buffers) - 1)]
        return write_tflite(
            schema.ModelT(version=3, operatorCodes=codes, subgraphs=[self.graph], buffers=self.buffers,
                          metadata=metadata)
        )  # fmt: skip

    def conv(self, x: int, shape, out, steps=None, deep=False, stride=1, padding=SAME) -> int:
        """A convolution; ``shape`` is the kernel's, ``steps`` makes integers of it."""
        channels = shape[3] if deep else shape[0]
        values = self.rng.normal(size=shape)
        if steps is None:
            kernel = self._short_kernel(shape, values, deep) if self.short else self.tensor(shape, "f4", values)
            bias = self.tensor([channels], "f4", np.zeros(channels))
            target = self.tensor(out)
        else:
            kernel = self._integers(shape, values, deep)
            bias = self.tensor([channels], "i4", np.zeros(channels), np.full(channels, 0.02 * steps))
            target = self.tensor(out, "i1", steps=[steps])
        kind = "DepthwiseConv2DOptions" if deep else "Conv2DOptions"
        options = getattr(schema, kind + "T")()
        options.padding, options.strideW, options.strideH = padding, stride, stride
        options.fusedActivationFunction = RELU
        if deep:
            options.depthMultiplier = 1
        return self.apply("DEPTHWISE_CONV_2D" if deep else "CONV_2D", [x, kernel, bias], target, options, kind)


def pooled(made: Builder, x: int, out, name="MAX_POOL_2D", **tensor) -> int:
    """Halves a picture."""
    options = schema.Pool2DOptionsT()
    options.padding, options.strideW, options.strideH, options.filterWidth, options.filterHeight = SAME, 2, 2, 2, 2
    return made.apply(name, [x], made.tensor(out, **tensor), options, "Pool2DOptions")


def joined(made: Builder, parts: list[int], out, **tensor) -> int:
    """Channels behind each other."""
    options = schema.ConcatenationOptionsT(axis=3)
    return made.apply("CONCATENATION", parts, made.tensor(out, **tensor), options, "ConcatenationOptions")


def enlarged(made: Builder, x: int, out, **tensor) -> int:
    """A larger picture."""
    options, size = schema.ResizeNearestNeighborOptionsT(), made.tensor([2], "i4", out[1:3])
    return made.apply("RESIZE_NEAREST_NEIGHBOR", [x, size], made.tensor(out, **tensor), options,
                      "ResizeNearestNeighborOptions")  # fmt: skip


def padded(made: Builder, x: int, out, **tensor) -> int:
    """A pixel more on every side."""
    widths = made.tensor([4, 2], "i4", [0, 0, 1, 1, 1, 1, 0, 0])
    return made.apply("PAD", [x, widths], made.tensor(out, **tensor), schema.PadOptionsT(), "PadOptions")


@functools.cache
def float_network(short: bool = False) -> bytes:
    """With everything that float networks have; ``short`` with kernels of 8 bits."""
    made = Builder(short)
    first = made.tensor([1, 64, 64, 3])
    x = padded(made, first, [1, 66, 66, 3])
    x = pooled(made, made.conv(x, [4, 3, 3, 3], [1, 32, 32, 4], stride=2, padding=VALID), [1, 16, 16, 4])
    y = made.conv(x, [1, 3, 3, 4], [1, 16, 16, 4], deep=True)
    half = made.tensor([4], "f2", [0.5, 1, 2, 3])
    scale = made.apply("DEQUANTIZE", [half], made.tensor([4]), schema.DequantizeOptionsT(), "DequantizeOptions")
    y = made.apply("MUL", [y, scale], made.tensor([1, 16, 16, 4]), schema.MulOptionsT(), "MulOptions")
    y = made.apply("ADD", [y, x], made.tensor([1, 16, 16, 4]), schema.AddOptionsT(), "AddOptions")
    y = made.apply("PRELU", [y, made.tensor([1, 1, 4], "f4", [0.1] * 4)], made.tensor([1, 16, 16, 4]))
    y = pooled(made, enlarged(made, y, [1, 32, 32, 4]), [1, 16, 16, 4], "AVERAGE_POOL_2D")
    y = made.conv(joined(made, [x, y], [1, 16, 16, 8]), [8, 1, 1, 8], [1, 16, 16, 8])
    y = made.apply("DEPTH_TO_SPACE", [y], made.tensor([1, 32, 32, 2]), schema.DepthToSpaceOptionsT(blockSize=2),
                   "DepthToSpaceOptions")  # fmt: skip
    y = pooled(made, y, [1, 16, 16, 2])
    shape = made.tensor([4], "i4", [1, 16, 16, 2])
    y = made.apply("RESHAPE", [y, shape], made.tensor([1, 16, 16, 2]))
    return made.file(first, made.apply("RELU", [y], made.tensor([1, 16, 16, 2])))


@functools.cache
def integer_network(float_io: bool = False) -> bytes:
    """With everything that integer networks have."""
    made, grid = Builder(), {"kind": "i1", "steps": [0.05]}
    first = made.tensor([1, 64, 64, 3], **({} if float_io else grid))
    x = first
    if float_io:
        x = made.apply("QUANTIZE", [x], made.tensor([1, 64, 64, 3], **grid), schema.QuantizeOptionsT(),
                       "QuantizeOptions")  # fmt: skip
    x = padded(made, x, [1, 66, 66, 3], **grid)
    x = made.conv(x, [4, 3, 3, 3], [1, 32, 32, 4], 0.05, stride=2, padding=VALID)
    x = pooled(made, x, [1, 16, 16, 4], **grid)
    y = pooled(made, made.conv(x, [1, 3, 3, 4], [1, 16, 16, 4], 0.05, deep=True), [1, 8, 8, 4], **grid)
    y = enlarged(made, y, [1, 16, 16, 4], **grid)
    y = made.conv(joined(made, [x, y], [1, 16, 16, 8], **grid), [2, 1, 1, 8], [1, 16, 16, 2], 0.05)
    if float_io:
        y = made.apply("DEQUANTIZE", [y], made.tensor([1, 16, 16, 2]), schema.DequantizeOptionsT(),
                       "DequantizeOptions")  # fmt: skip
    return made.file(first, y)
