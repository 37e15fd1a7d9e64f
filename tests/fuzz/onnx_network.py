"""``.onnx`` files of networks: operations, numbers, shapes and descriptions changed through onnx's own objects."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto

from cunet_tf.engines import load_engine
from cunet_tf.files.onnx import OPERATIONS
from tests.fuzz.changes import FLOATS, bytes_changed, cut
from tests.fuzz.target import MIB, Target
from tests.fuzz.values import changed, json_text
from tests.onnx_network import small_network
from tests.tflite_cases import SIDE

ENTRY = "model.onnx"
LIKELY = (-2, -1, 0, 1, 2, 3, 4, 8, 16, 17, 64, 100, 4096)
LARGE = (10**5, 10**6, 2**31 - 1, 2**31, 2**40, 2**62, -(2**31), -(2**63))
OTHERS = ("Loop", "If", "NonZero", "RandomNormal", "LSTM", "Einsum", "", "\udcff".encode(errors="replace").decode())


def _number(rng: random.Random) -> int:
    return rng.choice(LIKELY if rng.random() < 0.7 else LARGE)


def in_operation(model: onnx.ModelProto, rng: random.Random) -> None:
    """Another kind, other inputs and outputs, another domain."""
    node, kind = rng.choice(model.graph.node), rng.randrange(6)
    names = [name for each in model.graph.node for name in (*each.input, *each.output)]
    if kind == 0:
        node.op_type = rng.choice(sorted(OPERATIONS) if rng.random() < 0.9 else OTHERS)
    elif kind == 1:
        node.input[rng.randrange(len(node.input))] = rng.choice((*names, "", "nowhere"))
    elif kind == 2:
        node.output[0] = rng.choice((*names, "", "elsewhere"))
    elif kind == 3:
        node.input.append(rng.choice(names))
    elif kind == 4:
        del node.input[-1]
    else:
        node.domain = rng.choice(("ai.onnx", "com.microsoft", "ai.onnx.ml"))


def in_attribute(model: onnx.ModelProto, rng: random.Random) -> None:
    """Another number, more or fewer of them, another type or none."""
    node = rng.choice([each for each in model.graph.node if each.attribute])
    each, kind = rng.choice(node.attribute), rng.randrange(7)
    if kind == 0:
        node.attribute.remove(each)
    elif kind == 1:
        each.type = rng.randrange(12)
    elif kind == 2:
        each.ints.append(_number(rng))
    elif kind == 3 and each.ints:
        del each.ints[-1]
    elif each.ints:
        each.ints[rng.randrange(len(each.ints))] = _number(rng)
    elif each.type == onnx.AttributeProto.FLOAT:
        each.f = max(min(rng.choice(FLOATS), 3e38), -3e38)
    else:
        each.i = _number(rng)


def in_tensor(model: onnx.ModelProto, rng: random.Random) -> None:
    """Other sides, another type, other values, values elsewhere."""
    tensor, kind = rng.choice(model.graph.initializer), rng.choice((0, 1, 2, 3, 4, 4, 4, 4, 5))
    if kind == 0:
        tensor.dims[rng.randrange(len(tensor.dims))] = _number(rng)
    elif kind == 1:
        tensor.dims.append(_number(rng))
    elif kind == 2:
        tensor.data_type = rng.randrange(24)
    elif kind == 3:
        tensor.raw_data = bytes_changed(tensor.raw_data, rng)
    elif kind == 4:
        values = np.frombuffer(tensor.raw_data, np.float32).copy()
        values[rng.randrange(len(values))] = np.clip(rng.choice((*FLOATS, 1e4, 1e9, -2, 1e6)), -3e38, 3e38)
        tensor.raw_data = values.tobytes()
    else:
        tensor.data_location = TensorProto.EXTERNAL
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", rng.choice(("/etc/passwd", "model.onnx", "../x"))


def in_ends(model: onnx.ModelProto, rng: random.Random) -> None:
    """Another shape, type or number of inputs and outputs."""
    ends = rng.choice((model.graph.input, model.graph.output))
    kind, sides = rng.randrange(5), ends[0].type.tensor_type.shape.dim
    if kind == 0:
        ends.append(ends[0])
    elif kind == 1:
        ends[0].type.tensor_type.elem_type = rng.randrange(24)
    elif kind == 2:
        rng.choice(sides).dim_param = "M"
    elif kind == 3:
        sides.pop()
    else:
        rng.choice(sides).dim_value = _number(rng)


def in_whole(model: onnx.ModelProto, rng: random.Random) -> None:
    """Operations in another order, left out, or there twice; another version, functions, no description."""
    nodes, kind = model.graph.node, rng.randrange(7)
    if kind == 0:
        del nodes[rng.randrange(len(nodes))]
    elif kind == 1:
        nodes.append(rng.choice(nodes))
    elif kind == 2:
        model.opset_import[0].version = _number(rng)
    elif kind == 3:
        model.ir_version = _number(rng)
    elif kind == 4:
        model.functions.add().name = "Conv"
    elif kind == 5:
        del model.metadata_props[:]
    else:
        model.opset_import.add().CopyFrom(model.opset_import[0])


def in_description(model: onnx.ModelProto, rng: random.Random) -> None:
    """The text of ``cunet_spec``."""
    for entry in model.metadata_props:
        entry.value = json_text(changed(json.loads(entry.value), rng), rng).decode(errors="replace")


FIELDS: dict[Callable, int] = {in_operation: 4, in_attribute: 5, in_tensor: 7, in_ends: 2, in_whole: 2,
                               in_description: 2}  # fmt: skip


def in_fields(data: bytes, rng: random.Random) -> bytes:
    """Changes through onnx's objects; the form of the file stays sound."""
    while True:
        model = onnx.load_from_string(data)
        try:
            for _ in range(rng.choice((1, 1, 1, 2, 3))):
                rng.choices(list(FIELDS), list(FIELDS.values()))[0](model, rng)
            return model.SerializeToString()
        except (TypeError, ValueError, IndexError):
            continue  # what cannot be written


def write(rng: random.Random, folder: Path) -> None:
    """A damaged network."""
    kind = rng.choices((in_fields, bytes_changed, cut), (80, 15, 5))[0]
    (folder / ENTRY).write_bytes(kind(small_network(), rng))


def read(path: Path) -> None:
    """Load the network and run it; what onnxruntime accepts gives heat maps.

    Raises:
        CUNetError: refused.
    """
    engine = load_engine(str(path), 1)
    size = engine.spec.input_size if engine.spec else SIDE
    maps = engine(np.zeros((2, size, size, 3), np.float32))
    assert maps.ndim == 4 and len(maps) == 2, maps.shape


TARGET = Target("onnx-network", 3, ENTRY, write=write, read=read, memory=4096 * MIB, seconds=70.0)
