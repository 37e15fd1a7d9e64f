"""What other tools show of a ``.tflite`` file, read back by the fields of TFLite's metadata schema."""

import numpy as np
import pytest

from cunet_tf.compat import parse_tflite, write_tflite
from cunet_tf.engines import LiteRTEngine
from cunet_tf.export.described import with_description
from cunet_tf.export.metadata import LONGEST, SHOWN_NAME, described, line, set_metadata, shown
from cunet_tf.export.packed.writer import pack
from cunet_tf.files.flatbuffer import Table
from cunet_tf.files.graph import stored_text
from cunet_tf.files.packed.expand import expand
from cunet_tf.files.shipped import find_model
from cunet_tf.files.tflite import made_by_us, read_model, spec_of
from tests.networks import crops, float_file
from tests.networks import spec_of as described_as

SPEC = described_as().replace(name="my faces", license="CC BY 4.0")


def test_fields_are_where_the_schema_has_them():
    data = shown(SPEC)
    model = Table.root(data)
    assert data[4:8] == b"M001"
    assert [model.text(field) for field in (0, 1, 4, 5, 7)] == [
        "my faces", "68 landmarks in a crop of 1.15 times the tight box.", "cunet-tf", "CC BY 4.0", "1.0.0",
    ]  # fmt: skip
    (graph,) = model.tables(3)
    (image,), (maps,) = graph.tables(2), graph.tables(3)
    assert image.text(0) == "image" and maps.text(0) == "heatmaps"
    assert image.table(3).number(0, "<B") == 2 and image.table(3).table(1).number(0, "<b") == 1  # a picture, RGB
    (unit,) = image.tables(4)
    assert unit.number(0, "<B") == 1  # a normalisation: (byte - 0) / 255
    assert unit.table(1).numbers(0, "<f4").tolist() == [0.0] and unit.table(1).numbers(1, "<f4").tolist() == [255.0]
    assert maps.numbers(1, "u1").tobytes().decode().endswith(": " + ", ".join(SPEC.skeleton.names))
    assert len(maps.tables(2)) == 4 and maps.table(3) is None


def test_a_float_file_is_described_and_runs():
    data = float_file()
    model = parse_tflite(data)
    assert model.description.decode() == line(described_as())
    assert [entry.name for entry in model.metadata] == [b"cunet_spec", SHOWN_NAME.encode()]
    assert stored_text(data, SHOWN_NAME) == shown(described_as())
    again = with_description(data, SPEC)
    assert stored_text(again, SHOWN_NAME) == shown(SPEC) and spec_of(again) == SPEC and made_by_us(again)
    assert len(parse_tflite(again).buffers) == len(model.buffers)
    np.testing.assert_array_equal(LiteRTEngine(again)(crops()), LiteRTEngine(data)(crops()))


@pytest.mark.parametrize("name", ["face-mobile", "pose-mobile"])
def test_a_packed_file_pays_for_one_line_only(name):
    model = parse_tflite(read_model(find_model(name)))
    spec = spec_of(read_model(find_model(name)))
    model.description = b"cunet-tf"
    bare = pack(write_tflite(model))
    data = write_tflite(described(model, spec))
    assert len(pack(data)) <= len(bare) + 120 and expand(pack(data)) == data
    assert stored_text(data, SHOWN_NAME) is None and spec.license.encode() in parse_tflite(data).description


def test_long_texts_and_none():
    spec = SPEC.replace(name="x" * 5000, license="")
    assert line(spec) == f"cunet-tf: {'x' * LONGEST}, 68 landmarks. License: not stated"
    assert Table.root(shown(spec)).text(5) == "not stated"


def test_metadata_of_others_stays():
    model = parse_tflite(float_file())
    set_metadata(model, "theirs", b"1")
    set_metadata(model, "theirs", b"22")
    again = with_description(write_tflite(model), SPEC)
    assert stored_text(again, "theirs") == b"22"
    assert sum(entry.name == b"theirs" for entry in parse_tflite(again).metadata) == 1
