"""The self-description inside a ``.tflite`` file: a metadata buffer named ``cunet_spec``.

Works with LiteRT's own flatbuffer schema; TensorFlow is not imported.
"""

import zlib
from pathlib import Path
from typing import Any

from ai_edge_litert.tools import flatbuffer_utils

from cunet_tf.errors import CUNetError
from cunet_tf.spec import SPEC_NAME, ModelSpec

LARGEST = 1 << 26  # bytes of an unpacked model
IDENTIFIER = b"TFL3"  # bytes 4 to 8 of every .tflite file


def read_model(path: Path | str) -> bytes:
    """The ``.tflite`` model in a file: ``.tflite``, ``.tflite.gz`` or a packed ``.cunet``.

    Raises:
        CUNetError: no such file, another kind of file, or a damaged one.
    """
    path = Path(path)
    if not path.is_file():
        raise CUNetError(f"{path}: no such model file.")
    data = path.read_bytes()
    try:
        if path.suffix == ".gz":
            data = unzip(data)
        elif path.suffix == ".cunet":
            from export.container import expand

            data = expand(data)
        elif path.suffix != ".tflite":
            raise CUNetError("a model file ends in .keras, .tflite, .tflite.gz or .cunet")
    except CUNetError as error:
        raise CUNetError(f"{path}: {error}") from None
    if data[4:8] != IDENTIFIER:
        raise CUNetError(f"{path}: not a TensorFlow Lite model (no {IDENTIFIER.decode()} mark): export it again.")
    return data


def unzip(data: bytes) -> bytes:
    """The content of a gzip file.

    Raises:
        CUNetError: a damaged file, or one larger than ``LARGEST``.
    """
    stream = zlib.decompressobj(wbits=31)
    try:
        content = stream.decompress(data, LARGEST)
    except zlib.error as error:
        raise CUNetError(f"damaged gzip data ({error}): export the model again.") from None
    if not stream.eof:
        raise CUNetError(f"gzip data that is cut short, or holds more than {LARGEST:,} bytes: export the model again.")
    return content


def spec_of(data: bytes) -> ModelSpec | None:
    """The description stored in a model, ``None`` when there is none.

    Raises:
        CUNetError: the model or the description is damaged.
    """
    try:
        model = flatbuffer_utils.read_model_from_bytearray(bytearray(data))
        for entry in model.metadata or []:
            if entry.name == SPEC_NAME.encode():
                return ModelSpec.from_json(bytes(bytearray(model.buffers[entry.buffer].data)))
    except CUNetError:
        raise
    except Exception as error:  # the generated reader raises whatever a damaged offset leads to
        raise CUNetError(f"damaged TensorFlow Lite model: {type(error).__name__}: {error}") from None
    return None


def finished(data: bytes, spec: ModelSpec, input_name: str, output_name: str) -> bytes:
    """A converted model with its description, its one input and output named, and nothing superfluous.

    Names of inner tensors and the converter's own notes are left out: they take more bytes than
    one-bit kernels.
    """
    from ai_edge_litert import schema_py_generated as schema

    model: Any = flatbuffer_utils.read_model_from_bytearray(bytearray(data))
    graph = model.subgraphs[0]
    for index, tensor in enumerate(graph.tensors):
        tensor.name = str(index).encode()
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = b"serving_default", 0
    for field, index, name in (("inputs", graph.inputs[0], input_name), ("outputs", graph.outputs[0], output_name)):
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = name.encode(), index
        graph.tensors[index].name = name.encode()
        setattr(signature, field, [entry])
    model.signatureDefs, model.description = [signature], b"cunet-tf"
    entry, buffer = schema.MetadataT(), schema.BufferT()
    buffer.data = list(spec.to_json().encode())
    used = sorted({0} | {tensor.buffer for tensor in graph.tensors})
    places = {old: new for new, old in enumerate(used)}
    for tensor in graph.tensors:
        tensor.buffer = places[tensor.buffer]
    model.buffers = [*(model.buffers[old] for old in used), buffer]
    entry.name, entry.buffer = SPEC_NAME.encode(), len(model.buffers) - 1
    model.metadata = [entry]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def operator_names(data: bytes) -> list[str]:
    """Names of all operators in the order in which they run, for example ``CONV_2D``."""
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(data))
    codes = [flatbuffer_utils.opcode_to_name(model, index) for index in range(len(model.operatorCodes))]
    return [codes[operator.opcodeIndex] for graph in model.subgraphs for operator in graph.operators]
