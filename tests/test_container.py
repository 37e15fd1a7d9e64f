"""The packed container: back and forth, its document, and files that are not what they say."""

import re
import struct
import time
from pathlib import Path

import pytest

from cunet_tf.engines import find_model
from cunet_tf.errors import CUNetError
from cunet_tf.tflite_file import read_model, spec_of
from export.container import expand, pack, read_spec, size_report
from export.container_layout import HEAD, HEADER_BYTES, MARK, MAX_SIZE
from export.container_writer import with_crc
from export.formats import export_model
from tests.container_cases import as_text, example, expanded
from tests.fuzz_container import Source, fuzz
from tests.test_deploy import network

DOCUMENT = Path(__file__).parents[1] / "docs/packed-format.md"


@pytest.fixture(scope="module", params=["BW-a-QIG(818)", "TW-QIG(828)", "float"])
def tflite(request, tiny_spec):
    import numpy as np

    model = network(tiny_spec, request.param)
    crops = np.random.default_rng(0).random((1, 64, 64, 3), dtype=np.float32)
    return export_model(model, model.spec, "int8", crops).tflite


def test_round_trip_is_byte_identical_and_described(tflite):
    container = pack(tflite)
    assert expand(container) == tflite
    assert read_spec(container) == spec_of(tflite)
    assert len(container) < len(tflite) / 2
    assert sum(size_report(container).values()) == len(container)


def test_any_tflite_file_can_be_packed(tiny_spec):
    from export.tflite import convert

    data = convert(network(tiny_spec), tiny_spec)
    assert expand(pack(data)) == data


def test_shipped_file_expands_at_once():
    container = find_model("face-mobile").read_bytes()
    start = time.perf_counter()
    data = expand(container)
    assert time.perf_counter() - start < 0.2
    assert data == read_model(find_model("face-mobile")) and len(data) > 5 * len(container)
    assert len(container) <= 300_000


def test_example_of_the_document():
    assert expand(example()) == expanded()
    blocks = re.findall(r"```\n([0-9a-f\n]+)\n```", DOCUMENT.read_text())
    assert blocks == [as_text(example()), as_text(expanded())]


def with_head(**fields: int) -> bytes:
    """The example with other numbers in its head, and a checksum that fits."""
    names = ("mark", "version", "sections", "size", "digest")
    values = dict(zip(names, HEAD.unpack_from(example()), strict=True)) | fields
    return with_crc(HEAD.pack(*values.values()) + example()[HEAD.size : -4])


@pytest.mark.parametrize(
    "data, words",
    [
        (b"", "cunet"),
        (b"PK\x03\x04" + bytes(400), "not a .cunet"),
        (MARK, "cunet"),
        (example()[:-1], "damaged"),
        (example()[:HEADER_BYTES], "cut off"),
        (example() + b"x", "damaged"),
        (with_head(version=2), "version 2"),
        (with_head(sections=3), "damaged"),
        (with_head(size=0), "damaged"),
        (with_head(size=MAX_SIZE + 1), "damaged|larger|MiB"),
        (with_head(digest=bytes(32)), "damaged"),
        (example(program=b"\x63"), "damaged"),
        (example(program=b"\x01" + b"\xff" * 4 + b"\x0f"), "damaged"),
        (example(groups=struct.pack("<Id", 2**32 - 1, 1.0)), "damaged"),
        (example(groups=struct.pack("<IdId", 3, float("nan"), 2, 1.0)), "damaged"),
        (example(spec=b'{"name": "' + 33 * b"a" + b'"}'), "damaged"),
    ],
)
def test_broken_files_are_refused(data, words):
    with pytest.raises(CUNetError, match=words):
        expand(data)


def test_a_description_that_is_none(tmp_path):
    with pytest.raises(CUNetError, match="description|incomplete"):
        read_spec(example())
    file = tmp_path / "m.cunet"
    file.write_bytes(example()[:-9])
    with pytest.raises(CUNetError, match="m.cunet: "):
        read_model(file)


def test_damaged_files_are_refused_in_one_way():
    """2,000 files; ``make fuzz`` reads 100,000."""
    refusals = fuzz([Source(example()), Source(find_model("face-mobile").read_bytes())], 2000)
    assert sum(refusals.values()) == 2000 and len(refusals) > 20
