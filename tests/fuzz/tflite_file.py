"""``.tflite`` files: fields of the network changed, offsets and bytes changed, descriptions changed, and bombs."""

import functools
import json
import random
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cunet_tf.compat import parse_tflite, schema, write_tflite
from cunet_tf.engines import LiteRTEngine
from cunet_tf.errors import CUNetError
from cunet_tf.export.described import with_description
from cunet_tf.files.tflite import read_model, spec_of
from cunet_tf.spec import SPEC_NAME
from tests.fuzz.changes import FLOATS, NUMBERS, bytes_changed, cut
from tests.fuzz.target import Target
from tests.fuzz.values import changed, json_text
from tests.tflite_cases import SIDE, float_network, integer_network

ENTRY = "model.tflite"
SIGNED = (*(number for number in NUMBERS if number < 2**31), -1, -2, -3, -(2**31))
LIKELY = (-1, 0, 1, 1, 2, 2, 3, 4, 8, 16, 17, 32, 64)  # sides, strides, kernels: what nearly fits


@functools.cache
def sources() -> tuple[bytes, ...]:
    """Sound files; a float one with the metadata of other tools, as the exporter writes it."""
    data = float_network()
    return with_description(data, spec_of(data)), integer_network(), integer_network(True), float_network(True)


def _number(rng: random.Random) -> int:
    return rng.choice(LIKELY if rng.random() < 0.7 else SIGNED)


def _places(rng: random.Random, numbers, choices) -> np.ndarray:
    """A list of numbers with one changed, left out, put in or exchanged."""
    numbers = [] if numbers is None else [int(number) for number in numbers]
    place, kind = rng.randrange(len(numbers) + 1), rng.randrange(6)
    if kind == 0:
        numbers.insert(place, choices())
    elif kind == 1:
        del numbers[place : place + 1]
    elif kind == 2:
        rng.shuffle(numbers)
    else:
        numbers[place : place + 1] = [choices()]
    return np.clip(numbers, -(2**31), 2**31 - 1).astype(np.int32)


def in_shape(model, rng: random.Random) -> None:
    """Another shape."""
    tensor = rng.choice(model.subgraphs[0].tensors)
    tensor.shape = _places(rng, tensor.shape, lambda: _number(rng))


def in_tensor(model, rng: random.Random) -> None:
    """Another type, buffer, name or quantization."""
    graph = model.subgraphs[0]
    tensor, kind = rng.choice(graph.tensors), rng.randrange(6)
    if kind == 0:
        tensor.type = rng.choice((*range(23), 0, 9, 2))
    elif kind == 1:
        tensor.buffer = rng.choice((*range(len(model.buffers) + 2), 2**31, 2**32 - 1))
    elif kind == 2:
        tensor.isVariable = True
    elif kind == 3:
        tensor.name = rng.choice((None, b"", b"\xff" * 3000, b"\0", b"t0"))
    elif kind == 4:
        tensor.shapeSignature = _places(rng, tensor.shape, lambda: _number(rng))
    else:
        in_quantization(tensor, rng)


def in_quantization(tensor, rng: random.Random) -> None:
    """Steps that are no numbers, too many, or too few; another axis; other zero points."""
    found = tensor.quantization or schema.QuantizationParametersT(scale=np.float32([1]), zeroPoint=np.int64([0]))
    tensor.quantization, kind = found, rng.randrange(5)
    count = rng.choice((0, 1, 2, 4, 1000))
    if kind == 0 and found.scale is not None and len(found.scale):
        found.scale = np.float32(found.scale)
        found.scale[rng.randrange(len(found.scale))] = rng.choice((*map(np.float32, FLOATS), 1e-30, 1e30))
    elif kind == 1:
        found.scale = np.full(count, 0.1, np.float32)
    elif kind == 2:
        found.zeroPoint = np.full(count, rng.choice((0, 1, -128, 127, 300, 2**31, -(2**63))), np.int64)
    elif kind == 3:
        found.quantizedDimension = _number(rng)
    else:
        found.detailsType, found.details = 1, schema.CustomQuantizationT()


def in_operation(model, rng: random.Random) -> None:
    """Other tensors, another kind, or other options."""
    graph = model.subgraphs[0]
    operation, kind = rng.choice(graph.operators), rng.randrange(10)

    def tensor() -> int:
        return rng.choice((*range(len(graph.tensors)), *range(len(graph.tensors)), _number(rng)))

    if kind < 2:
        operation.inputs = _places(rng, operation.inputs, tensor)
    elif kind == 2:
        operation.outputs = _places(rng, operation.outputs, tensor)
    elif kind == 3:
        operation.opcodeIndex = rng.choice((*range(len(model.operatorCodes) + 1), 2**32 - 1))
    elif kind == 4:
        code = rng.choice(model.operatorCodes)
        code.builtinCode = rng.choice((rng.randrange(220), _number(rng)))
        code.deprecatedBuiltinCode = max(min(code.builtinCode, 127), -128)
        code.version = rng.choice((1, 1, code.version, _number(rng)))
    elif kind == 5:
        other = rng.choice(graph.operators)
        operation.builtinOptions, operation.builtinOptionsType = other.builtinOptions, other.builtinOptionsType
    elif kind == 6 and operation.builtinOptions:
        operation.builtinOptions, operation.builtinOptionsType = None, 0
    elif operation.builtinOptions:
        fields = [name for name, value in vars(operation.builtinOptions).items() if isinstance(value, int)]
        if fields:
            name = rng.choice(fields)
            small = not name.startswith(("stride", "filter", "dilation", "depth", "axis", "block"))
            setattr(operation.builtinOptions, name, rng.randrange(-2, 8) if small else _number(rng))


def in_order(model, rng: random.Random) -> None:
    """Operations exchanged, left out, or there twice; other inputs or outputs of the whole; several graphs."""
    graph, kind = model.subgraphs[0], rng.randrange(6)
    place = rng.randrange(len(graph.operators))
    if kind == 0:
        del graph.operators[place]
    elif kind == 1:
        graph.operators.insert(place, rng.choice(graph.operators))
    elif kind == 2:
        rng.shuffle(graph.operators)
    elif kind == 3:
        model.subgraphs = rng.choice(([], [graph, graph]))
    else:
        name = rng.choice(("inputs", "outputs"))
        setattr(graph, name, _places(rng, getattr(graph, name), lambda: rng.randrange(-1, len(graph.tensors) + 1)))


def in_buffer(model, rng: random.Random) -> None:
    """Other bytes, more or fewer."""
    buffer = rng.choice(model.buffers)
    old = b"" if buffer.data is None else bytes(bytearray(buffer.data))
    data = rng.choice((b"", old[:-1], bytes_changed(old or b"\0", rng), rng.randbytes(len(old)), old * 2))
    buffer.data = np.frombuffer(data, np.uint8) if data else None
    if rng.random() < 0.1:
        buffer.offset, buffer.size = rng.choice(NUMBERS), rng.choice(NUMBERS)


def in_description(model, rng: random.Random) -> None:
    """The text of ``cunet_spec``, as JSON or as bytes."""
    for entry in model.metadata or ():
        if entry.name == SPEC_NAME.encode():
            text = bytes(bytearray(model.buffers[entry.buffer].data))
            text = bytes_changed(text, rng) if rng.random() < 0.2 else json_text(changed(json.loads(text), rng), rng)
            model.buffers[entry.buffer].data = np.frombuffer(text, np.uint8)
            if rng.random() < 0.1:
                entry.buffer = rng.choice((0, len(model.buffers), 2**32 - 1))


FIELDS: dict[Callable, int] = {
    in_shape: 3, in_tensor: 5, in_operation: 8, in_order: 2, in_buffer: 2, in_description: 2,
}  # fmt: skip


def in_fields(data: bytes, rng: random.Random) -> bytes:
    """Changes through the objects of LiteRT's own schema; the form of the file stays sound."""
    while True:
        model = parse_tflite(data)
        try:
            for _ in range(rng.choice((1, 1, 1, 2, 3))):
                rng.choices(list(FIELDS), list(FIELDS.values()))[0](model, rng)
            return write_tflite(model)
        except (TypeError, struct.error, OverflowError, AttributeError, IndexError, ValueError):
            continue  # what cannot be written


def in_offsets(data: bytes, rng: random.Random) -> bytes:
    """Words of the file: offsets, lengths and numbers, which lie at multiples of four."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        place = 4 * rng.randrange(len(data) // 4)
        old = struct.unpack_from("<I", changed, place)[0]
        new = rng.choice((*NUMBERS, old + 4, old - 4, old * 2, rng.randrange(len(data)), len(data) - place))
        struct.pack_into("<I", changed, place, new % 2**32)
    return bytes(changed)


def bomb(data: bytes, rng: random.Random) -> bytes:
    """A vector of tables at the end of the file, all entries of which lead to the file's own graph."""
    packed = schema.Model.GetRootAs(bytearray(data), 0)
    tab, width = packed._tab, rng.choice((1000, 300_000))
    field = tab.Pos + tab.Offset(4 + 2 * rng.choice((1, 2, 4, 6)))
    graph = packed.Subgraphs(0)._tab.Pos
    start = len(data) + -len(data) % 4
    changed = bytearray(data) + bytes(start - len(data))
    struct.pack_into("<I", changed, field, start - field)
    changed += struct.pack("<I", width)
    entry = start + 4 + 4 * np.arange(width)
    # Offsets lead forwards only: to a copy of the file behind the vector.
    target = start + 4 + 4 * width + graph
    return bytes(changed) + (target - entry).astype("<u4").tobytes() + data


KINDS = {in_fields: 60, in_offsets: 25, bytes_changed: 8, cut: 5, bomb: 0.5}


def write(rng: random.Random, folder: Path) -> None:
    """A damaged network."""
    kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
    (folder / ENTRY).write_bytes(kind(rng.choice(sources()), rng))


def read(path: Path) -> None:
    """Prepare the network and run it; what LiteRT accepts gives heat maps of the shape that it says.

    Raises:
        CUNetError: refused.
    """
    data = read_model(path)
    engine = LiteRTEngine(data, 1, str(path))
    size = engine.spec.input_size if engine.spec else SIDE
    maps = engine(np.zeros((1, size, size, 3), np.float32))
    assert maps.ndim == 4 and len(maps) == 1, maps.shape
    try:
        parse_tflite(data)
    except CUNetError as error:
        assert "damaged" in str(error)


TARGET = Target("tflite", 180, ENTRY, write=write, read=read)
