"""A network like YuNet as an ``.onnx`` file, written by hand: pooling and 1x1 convolutions to its twelve outputs."""

import functools
from collections.abc import Iterable

import numpy as np

HEADS = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
STRIDES = 8, 16, 32
INTS, INT, STRING = 7, 2, 4  # kinds of attributes


def varint(number: int) -> bytes:
    """A number of Protocol Buffers."""
    number %= 2**64
    parts = []
    while True:
        parts.append(number & 127 | (128 if number > 127 else 0))
        number >>= 7
        if not number:
            return bytes(parts)


def field(index: int, value: int | str | bytes) -> bytes:
    """A field: a number, or bytes with their length."""
    if isinstance(value, int):
        return varint(index << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(index << 3 | 2) + varint(len(data)) + data


def attribute(name: str, value: int | list[int]) -> bytes:
    """Of a node."""
    if isinstance(value, int):
        return field(5, field(1, name) + field(3, value) + field(20, INT))
    return field(5, field(1, name) + b"".join(field(8, each) for each in value) + field(20, INTS))


def node(kind: str, inputs: Iterable[str], output: str, **attributes: int | list[int]) -> bytes:
    """An operation."""
    parts = [*(field(1, name) for name in inputs), field(2, output), field(3, output), field(4, kind)]
    return field(1, b"".join([*parts, *(attribute(name, value) for name, value in attributes.items())]))


def constant(name: str, values: np.ndarray) -> bytes:
    """A stored tensor."""
    kind = 1 if values.dtype == np.float32 else 7
    dims = b"".join(field(1, side) for side in values.shape)
    return field(5, dims + field(2, kind) + field(8, name) + field(9, values.tobytes()))


def described(index: int, name: str, shape: Iterable[int | str]) -> bytes:
    """An input or an output."""
    sides = b"".join(field(1, field(1 if isinstance(side, int) else 2, side)) for side in shape)
    return field(index, field(1, name) + field(2, field(1, field(1, 1) + field(2, sides))))


@functools.cache
def yunet_like(outputs: int = 12) -> bytes:
    """The file; with fewer outputs it is another network."""
    rng, parts = np.random.default_rng(0), []
    for stride in STRIDES:
        size = [stride, stride]
        parts.append(node("AveragePool", ["input"], f"pool{stride}", kernel_shape=size, strides=size))
        for name, channels in HEADS.items():
            key = f"{name}_{stride}"
            parts.append(constant(f"w_{key}", rng.normal(size=(channels, 3, 1, 1)).astype(np.float32) / 500))
            parts.append(node("Conv", [f"pool{stride}", f"w_{key}"], f"c_{key}", kernel_shape=[1, 1]))
            parts.append(node("Transpose", [f"c_{key}"], f"t_{key}", perm=[0, 2, 3, 1]))
            parts.append(constant(f"s_{key}", np.int64([1, -1, channels])))
            last = f"r_{key}" if name in ("cls", "obj") else key
            parts.append(node("Reshape", [f"t_{key}", f"s_{key}"], last))
            if last != key:
                parts.append(node("Sigmoid", [last], key))
    names = [f"{name}_{stride}" for name in HEADS for stride in STRIDES][:outputs]
    parts += [described(12, name, [1, "n", HEADS[name.split("_")[0]]]) for name in names]
    graph = b"".join([*parts, field(2, "g"), described(11, "input", [1, 3, "h", "w"])])
    return field(1, 8) + field(7, graph) + field(8, field(2, 13))
