"""An ``.onnx`` file, read with care: its description, its opset, and whether its operations are a network's.

Protocol Buffers are read here by hand, so that neither the package onnx nor onnxruntime is needed to say what a file
is. What the numbers of the operations do is left to :mod:`cunet_tf.files.onnx_run`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cunet_tf.errors import CUNetError, shown
from cunet_tf.reading import read_bytes
from cunet_tf.spec import SPEC_NAME, ModelSpec

MOST_BYTES = 1 << 30
MOST_FIELDS = 1_000_000  # of the fields that are looked at; face-mobile has 5,173
# What networks from pictures to heat maps are made of; none holds another graph, or comes from elsewhere.
OPERATIONS = {
    "Abs", "Add", "AveragePool", "BatchNormalization", "Clip", "Concat", "Constant", "Conv", "ConvTranspose",
    "DepthToSpace", "DequantizeLinear", "Div", "Elu", "Exp", "HardSigmoid", "HardSwish", "Identity", "LeakyRelu",
    "Log", "Max", "MaxPool", "Min", "Mul", "Neg", "PRelu", "Pad", "Pow", "QuantizeLinear", "Reciprocal", "Relu",
    "Reshape", "Resize", "Round", "Sigmoid", "Sign", "Slice", "Softmax", "Softplus", "SpaceToDepth", "Sqrt", "Sub",
    "Sum", "Tanh", "Transpose", "Upsample",
}  # fmt: skip
# After the first input these take sizes; they must be stored, so that a picture cannot ask for memory.
SIZED = {"Pad", "Reshape", "Resize", "Slice", "Upsample"}
OWN_DOMAINS = "", "ai.onnx"
SPARSE = "sparse tensors are not read: write the network without them."
DAMAGED = "damaged: export it again."
FIXED = {1: 8, 5: 4}  # bytes of a number, by its kind on the wire
MODEL = {"graph": 7, "opset": 8, "metadata": 14, "functions": 25}
GRAPH = {"node": 1, "initializer": 5, "sparse": 15}
NODE = {"input": 1, "output": 2, "operation": 4, "attribute": 5, "domain": 7}
ATTRIBUTE = {"tensor": 5, "graph": 6, "tensors": 10, "graphs": 11, "sparse": 22, "all sparse": 23}
TENSOR = {"name": 8}
ELSEWHERE = 13, 14  # fields of a tensor whose numbers lie in another file


@dataclass(frozen=True)
class OnnxFile:
    """An ``.onnx`` file.

    Attributes:
        data: its bytes.
        spec: its description, ``None`` when there is none.
        opset: version of ONNX's operations that it is written in.
    """

    data: bytes
    spec: ModelSpec | None
    opset: int


def read_onnx(path: Path | str) -> OnnxFile:
    """Read and look at a file; nothing is run.

    Raises:
        CUNetError: no such file, a damaged one, or one with operations that no network of pictures has.
    """
    data = read_bytes(path, MOST_BYTES)
    try:
        return parse_onnx(data)
    except CUNetError as error:
        raise CUNetError(f"{path}: {error}") from None


def parse_onnx(data: bytes) -> OnnxFile:
    """The same of the bytes of a file.

    Raises:
        CUNetError: see :func:`read_onnx`; the message does not name the file.
    """
    reader = _Reader()
    parts: dict[int, list] = {}
    for index, value in reader.fields(memoryview(data)):
        parts.setdefault(index, []).append(value)
    if MODEL["functions"] in parts or not parts.get(MODEL["graph"]):
        raise CUNetError(f"not an ONNX network, or {DAMAGED}")
    for graph in parts[MODEL["graph"]]:
        reader.check_graph(graph)
    opsets = [dict(reader.fields(each)) for each in parts.get(MODEL["opset"], [])]
    versions = [each.get(2) for each in opsets if _text(each.get(1, b"")) in OWN_DOMAINS]
    if len(versions) != 1 or not isinstance(versions[0], int):
        raise CUNetError(f"no opset of ONNX's own operations, or {DAMAGED}")
    entries = [dict(reader.fields(each)) for each in parts.get(MODEL["metadata"], [])]
    texts = [_text(each.get(2, b"")) for each in entries if _text(each.get(1, b"")) == SPEC_NAME]
    return OnnxFile(data, ModelSpec.from_json(texts[0]) if texts else None, versions[0])


def _text(value: Any) -> str:
    """A text in a file.

    Raises:
        CUNetError: it is none.
    """
    try:
        return str(value, "utf-8")
    except (TypeError, UnicodeDecodeError):
        raise CUNetError(f"a text in it is none, or {DAMAGED}") from None


class _Reader:
    """Walks messages of Protocol Buffers, and counts what it has walked."""

    def __init__(self) -> None:
        self.left = MOST_FIELDS

    def fields(self, data: object) -> Iterator[tuple[int, Any]]:
        """Index and value of each field, a number or bytes.

        Raises:
            CUNetError: no message.
        """
        if not isinstance(data, memoryview):
            raise CUNetError(f"not an ONNX network, or {DAMAGED}")
        place = 0
        while place < len(data):
            key, place = _number(data, place)
            self.left -= 1
            if self.left < 0:
                raise CUNetError(f"more than {MOST_FIELDS:,} fields: give a smaller network.")
            size = FIXED.get(key & 7)
            if key & 7 == 0:
                value, place = _number(data, place)
                yield key >> 3, value
                continue
            if key & 7 == 2:
                size, place = _number(data, place)
            if size is None or place + size > len(data):
                raise CUNetError(f"not an ONNX network, or {DAMAGED}")
            yield key >> 3, data[place : place + size]
            place += size

    def check_graph(self, data: object) -> None:
        """Refuse operations that no network of pictures has, and numbers that lie in other files or are not there."""
        stored, nodes = {""}, []
        for index, value in self.fields(data):
            if index == GRAPH["node"]:
                nodes.append(value)
            elif index == GRAPH["initializer"]:
                stored.add(self._tensor_name(value))
            elif index == GRAPH["sparse"]:
                raise CUNetError(SPARSE)
        for node in nodes:
            self._check_node(node, stored)

    def _check_node(self, data: object, stored: set[str]) -> None:
        """Look at one operation, which comes behind those whose results it takes; a constant is stored, too."""
        parts: dict[int, list] = {}
        for index, value in self.fields(data):
            parts.setdefault(index, []).append(value)
        for attribute in parts.get(NODE["attribute"], []):
            self._check_attribute(attribute)
        operation, domain, inputs, outputs = (
            [_text(each) for each in parts.get(NODE[name], [])] for name in ("operation", "domain", "input", "output")
        )
        kind = operation[-1] if operation else ""
        if kind not in OPERATIONS or not {*domain} <= {*OWN_DOMAINS}:
            raise CUNetError(f"operation {shown(kind)}: not one of a network from pictures to heat maps.")
        if kind == "Constant":
            stored.update(outputs)
        elif kind in SIZED and not {*inputs[1:]} <= stored:
            raise CUNetError(f"operation {shown(kind)}: its sizes are not stored in the file.")

    def _check_attribute(self, data: object) -> None:
        for index, value in self.fields(data):
            if index in (ATTRIBUTE["graph"], ATTRIBUTE["graphs"]):
                raise CUNetError(f"an operation holds another graph: {DAMAGED}")
            if index in (ATTRIBUTE["sparse"], ATTRIBUTE["all sparse"]):
                raise CUNetError(SPARSE)
            if index in (ATTRIBUTE["tensor"], ATTRIBUTE["tensors"]):
                self._tensor_name(value)

    def _tensor_name(self, data: object) -> str:
        """The name of a tensor whose numbers lie in this file."""
        name = ""
        for index, value in self.fields(data):
            if index in ELSEWHERE and value:
                raise CUNetError("its numbers lie in another file: write the network into one file.")
            if index == TENSOR["name"]:
                name = _text(value)
        return name


def _number(data: memoryview, place: int) -> tuple[int, int]:
    """A number of variable length, and the place behind it."""
    number = 0
    for shift in range(0, 70, 7):
        if place >= len(data):
            break
        byte = data[place]
        number, place = number | (byte & 127) << shift, place + 1
        if byte < 128:
            return number, place
    raise CUNetError(f"not an ONNX network, or {DAMAGED}")
