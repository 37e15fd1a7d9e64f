"""What a ``.tflite`` file says of itself: to our programs, to viewers such as Netron, to TFLite's metadata readers."""

import flatbuffers

from cunet_tf.compat import schema
from cunet_tf.outputs import OURS
from cunet_tf.spec import SPEC_NAME, ModelSpec

SHOWN_NAME = "TFLITE_METADATA"  # the buffer that TFLite's metadata readers look for
IDENTIFIER = b"M001"
PARSER = "1.0.0"  # the oldest reader of these fields
UNSTATED = "not stated"
LONGEST = 200  # characters of a name or licence in the file's line
# Places of the fields in TFLite's metadata schema, counted from 0, and how many fields each table has.
MODEL = {"name": 0, "description": 1, "subgraph_metadata": 3, "author": 4, "license": 5, "min_parser_version": 7}
SUBGRAPH = {"input_tensor_metadata": 2, "output_tensor_metadata": 3}
TENSOR = {"name": 0, "description": 1, "dimension_names": 2, "content": 3, "process_units": 4}
FIELDS = 10  # more than any of these tables has: fields that are left out at the end take no bytes
IMAGE, NORMALIZATION, RGB = 2, 1, 1  # of ContentProperties, of ProcessUnitOptions, of ColorSpaceType


def described(model: schema.ModelT, spec: ModelSpec) -> schema.ModelT:
    """A parsed model with its description replaced, or given one.

    Args:
        model: as :func:`cunet_tf.compat.of_litert.parse_tflite` gives it; it is changed.
        spec: becomes the metadata ``cunet_spec`` and the file's line. Files without int8 tensors, which are large,
            get ``TFLITE_METADATA`` as well; in a packed file it would take several times the bytes of the line.
    """
    model.description = line(spec).encode()
    set_metadata(model, SPEC_NAME, spec.to_json().encode())
    if all(tensor.type != schema.TensorType.INT8 for tensor in model.subgraphs[0].tensors):
        set_metadata(model, SHOWN_NAME, shown(spec))
    return model


def line(spec: ModelSpec) -> str:
    """Name, purpose and terms in one line, which viewers show; short, since it counts in packed files."""
    terms = spec.license[:LONGEST] or UNSTATED
    return f"{OURS}: {spec.name[:LONGEST]}, {spec.skeleton.size} landmarks. License: {terms}"


def set_metadata(model: schema.ModelT, name: str, data: bytes) -> None:
    """Put bytes into the metadata buffer of a name, which a parsed model has or gets."""
    entry = next((each for each in model.metadata or [] if each.name == name.encode()), None)
    if entry is None:
        entry = schema.MetadataT()
        entry.name, entry.buffer = name.encode(), len(model.buffers)
        model.buffers.append(schema.BufferT())
        model.metadata = [*(model.metadata or []), entry]
    model.buffers[entry.buffer].data = list(data)


def shown(spec: ModelSpec) -> bytes:
    """``TFLITE_METADATA`` of a float model, as TFLite's schema for it says.

    The landmarks' names are in the description of the output: a file of labels would have to be appended as a ZIP.
    """
    builder = flatbuffers.Builder(1024)
    names = ", ".join(spec.skeleton.names)
    image = _tensor(builder, "image", "RGB, 0..1", ("batch", "row", "column", "colour"), _pixels(builder))
    maps = _tensor(builder, "heatmaps", f"one for each landmark, a quarter of the side: {names}",
                   ("batch", "row", "column", "landmark"), {})  # fmt: skip
    graph = _table(builder, {SUBGRAPH["input_tensor_metadata"]: _vector(builder, [image]),
                             SUBGRAPH["output_tensor_metadata"]: _vector(builder, [maps])})  # fmt: skip
    graphs = _vector(builder, [graph])
    texts = {
        "name": spec.name, "author": OURS, "license": spec.license or UNSTATED, "min_parser_version": PARSER,
        "description": f"{spec.skeleton.size} landmarks in a crop of {spec.crop_factor:g} times the tight box.",
    }  # fmt: skip
    fields = {MODEL[field]: builder.CreateString(text) for field, text in texts.items()}
    builder.Finish(_table(builder, {**fields, MODEL["subgraph_metadata"]: graphs}), IDENTIFIER)
    return bytes(builder.Output())


def _pixels(builder: flatbuffers.Builder) -> dict[int, int]:
    """An RGB picture, whose bytes are divided by 255."""
    builder.StartObject(FIELDS)
    builder.PrependInt8Slot(0, RGB, 0)
    picture = builder.EndObject()
    mean, deviation = (_floats(builder, value) for value in (0.0, 255.0))
    options = _table(builder, {0: mean, 1: deviation})
    content, unit = (_union(builder, kind, table) for kind, table in ((IMAGE, picture), (NORMALIZATION, options)))
    return {TENSOR["content"]: content, TENSOR["process_units"]: _vector(builder, [unit])}


def _tensor(builder: flatbuffers.Builder, name: str, text: str, axes: tuple[str, ...], others: dict[int, int]) -> int:
    sides = _vector(builder, [builder.CreateString(axis) for axis in axes])
    texts = {TENSOR["name"]: builder.CreateString(name), TENSOR["description"]: builder.CreateString(text)}
    return _table(builder, {**texts, TENSOR["dimension_names"]: sides, **others})


def _union(builder: flatbuffers.Builder, kind: int, table: int) -> int:
    """A table whose one field is of a kind that the field before it tells."""
    builder.StartObject(FIELDS)
    builder.PrependUint8Slot(0, kind, 0)
    builder.PrependUOffsetTRelativeSlot(1, table, 0)
    return builder.EndObject()


def _table(builder: flatbuffers.Builder, fields: dict[int, int]) -> int:
    """A table of things that are written already."""
    builder.StartObject(FIELDS)
    for place, offset in fields.items():
        builder.PrependUOffsetTRelativeSlot(place, offset, 0)
    return builder.EndObject()


def _vector(builder: flatbuffers.Builder, offsets: list[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def _floats(builder: flatbuffers.Builder, *values: float) -> int:
    builder.StartVector(4, len(values), 4)
    for value in reversed(values):
        builder.PrependFloat32(value)
    return builder.EndVector()
