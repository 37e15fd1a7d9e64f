"""The self-description inside a ``.tflite`` file: a metadata buffer named ``cunet_spec``.

Works with LiteRT's own flatbuffer schema; TensorFlow is not imported.
"""

import zlib
from pathlib import Path

from cunet_tf.compat import schema
from cunet_tf.errors import CUNetError
from cunet_tf.files.flatbuffer import Table
from cunet_tf.files.graph import read_graph, stored_text
from cunet_tf.files.graph_rules import require_sound
from cunet_tf.files.packed.expand import expand
from cunet_tf.files.trial_run import try_network
from cunet_tf.outputs import OURS
from cunet_tf.reading import why_unfit
from cunet_tf.spec import SPEC_NAME, ModelSpec

LARGEST = 1 << 26  # bytes of an unpacked model
MOST_BYTES = 1 << 30  # of any file; hourglass-16 in float32 has 205 MB
IDENTIFIER = b"TFL3"  # bytes 4 to 8 of every .tflite file


def read_model(path: Path | str) -> bytes:
    """The ``.tflite`` model in a file: ``.tflite``, ``.tflite.gz`` or a packed ``.cunet``.

    Returns:
        One that LiteRT can be given, see :func:`~cunet_tf.files.graph_rules.require_sound`.

    Raises:
        CUNetError: no such file, another kind of file, a damaged one, or not a network of pictures.
    """
    path = Path(path)
    if not path.is_file():
        raise CUNetError(f"{path}: no such model file.")
    try:
        data = _content(path)
        if path.suffix == ".gz":
            data = unzip(data)
        elif path.suffix == ".cunet":
            data = expand(data)
        elif path.suffix != ".tflite":
            raise CUNetError("a model file ends in .keras, .onnx, .tflite, .tflite.gz or .cunet.")
        if data[4:8] != IDENTIFIER:
            raise CUNetError(f"not a TensorFlow Lite model (no {IDENTIFIER.decode()} mark): export it again.")
        if require_sound(data):
            try_network(data)
    except CUNetError as error:
        raise CUNetError(f"{path}: {error}") from None
    return data


def _content(path: Path) -> bytes:
    """The bytes of a file that is no larger than a model can be."""
    fault = why_unfit(path, MOST_BYTES)
    if fault:
        raise CUNetError(fault)
    return path.read_bytes()


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
    text = stored_text(data, SPEC_NAME)
    return None if text is None else ModelSpec.from_json(text)


def made_by_us(data: bytes) -> bool:
    """Whether a model bears our mark, with a description or without."""
    line = Table.root(data).text(3)
    return line == OURS or line.startswith(f"{OURS}: ")


def takes_int8(tflite: bytes) -> bool:
    """Whether input and output are int8."""
    graph = read_graph(tflite)
    return all(graph.tensors[index].type == schema.TensorType.INT8 for index in (*graph.inputs, *graph.outputs))
