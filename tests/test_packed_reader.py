"""The layout and its refusals, on a container written by hand."""

import re
import struct
import tracemalloc
import zlib
from pathlib import Path

import pytest

from cunet_tf.errors import CUNetError
from cunet_tf.export.packed.report import size_report
from cunet_tf.export.packed.writer import assemble, varint, with_crc
from cunet_tf.files.packed.expand import expand
from cunet_tf.files.packed.layout import CRC_BYTES, HEAD, LAST_OPS, MAX_SIZE, MIB, SECTIONS, VERSION, Op, header_bytes
from cunet_tf.files.packed.reader import read_spec
from tests.fuzz.cunet import TARGET, Source
from tests.packed_cases import PROGRAM, TAILS, as_text, example, expanded, sections

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "packed-format.md"


def program(*numbers: int) -> bytes:
    return b"".join(varint(number) for number in numbers)


def changed(place: int, data: bytes, fix: bool = True) -> bytes:
    """The example with other bytes in its header."""
    body = example()[:place] + data + example()[place + len(data) :]
    return with_crc(body[:-CRC_BYTES]) if fix else body


@pytest.mark.parametrize("version", LAST_OPS)
def test_every_operation_and_its_report(version):
    assert expand(example(version)) == expanded(version)
    assert sum(size_report(example(version)).values()) == len(example(version))


@pytest.mark.parametrize("version, operation", [(1, 11), (2, 12)])
def test_a_version_has_its_own_operations(version, operation):
    numbers = (*PROGRAM, *TAILS[version + 1])
    with pytest.raises(CUNetError, match=f"operation {operation} is unknown"):
        expand(example(version, program=program(*numbers), raw=sections()["raw"]))


def test_the_document_holds_the_examples_and_the_layout():
    text = DOCUMENT.read_text()
    for version in LAST_OPS:
        assert as_text(example(version)) in text and as_text(expanded(version)) in text
    for op in Op:
        assert re.search(rf"\| {op.value} \| {op.name} \|", text)
    for name in SECTIONS:
        assert f"`{name}`" in text or name in ("copy1", "copy2")


def test_an_empty_section_and_a_description_of_no_model():
    assert read_spec(example(spec=b"")) is None
    with pytest.raises(CUNetError, match="an operation writes 0 bytes"):  # the operation SPEC
        expand(example(spec=b""))
    with pytest.raises(CUNetError, match="cunet_spec.preset: missing"):
        read_spec(example())
    with pytest.raises(CUNetError, match="cunet_spec is not JSON"):
        read_spec(example(spec=b"\xff"))
    with pytest.raises(CUNetError, match="cunet_spec is not JSON"):
        read_spec(example(spec=200_000 * b"["))


SIZES_AT, SIZE = HEAD.size, len(expanded())
HEADERS = {
    "empty": (b"", "not a .cunet file"),
    "short": (example()[:171], "not a .cunet file"),
    "mark": (changed(0, b"CUNET\n\n"), "not a .cunet file"),
    "newer": (changed(8, b"\x04\0"), "layout version 4, this cunet-tf reads up to 3: update it"),
    "no version": (changed(8, bytes(2)), "names layout version 0"),
    "sections": (changed(10, b"\x0f\0"), "15 sections instead of 16"),
    "sections of version 2": (changed(8, b"\x02"), "16 sections instead of 15"),
    "no size": (changed(12, bytes(4)), "declares 0 expanded bytes"),
    "huge size": (changed(12, struct.pack("<I", MAX_SIZE + 1)), "declares 67108865 expanded bytes"),
    "other size": (changed(12, struct.pack("<I", SIZE + 1)), f"writes {SIZE} of {SIZE + 1} bytes"),
    "digest": (changed(16, b"\0"), "another SHA-256"),
    "cut": (example()[:-1], "bytes, its sections need"),
    "longer": (example() + b"\0", "bytes, its sections need"),
    "crc": (changed(200, b"\0\0", fix=False), "checksum"),
    "stored": (changed(SIZES_AT, b"\xff\xff\xff\xff"), "bytes, its sections need"),
    "more than plain": (changed(SIZES_AT + 4, bytes(4)), "more than the 0 it holds"),
    "huge spec": (changed(SIZES_AT + 4, struct.pack("<I", MIB + 1)), "section spec declares 1048577 bytes"),
    "huge program": (changed(SIZES_AT + 12, struct.pack("<I", MIB // 4 + 1)), "section program declares 262145"),
    "huge raw": (changed(SIZES_AT + 14 * 8 + 4, b"\xff\xff\xff\xff"), "the sections declare"),
    "longer spec": (changed(SIZES_AT + 4, struct.pack("<I", 45)), "does not inflate to the 45 bytes"),
    "shorter spec": (changed(SIZES_AT + 4, struct.pack("<I", 43)), "does not inflate to the 43 bytes"),
    "no zlib": (changed(header_bytes(VERSION), b"\0"), "section spec does not inflate"),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADERS)
def test_headers_that_are_refused(name):
    data, words = HEADERS[name]
    with pytest.raises(CUNetError, match=re.escape(words)):
        expand(data)


def with_half(kind: str, bits: int) -> dict[str, bytes]:
    """Sections whose first 16-bit float is another."""
    low, high = (sections()[f"{kind}_{part}"] for part in ("low", "high"))
    return {f"{kind}_low": bytes([bits & 255]) + low[1:], f"{kind}_high": bytes([bits >> 8]) + high[1:]}


def with_step(step: float) -> dict[str, bytes]:
    """Groups whose first has another step."""
    return {"groups": struct.pack("<Id", 3, step) + sections()["groups"][12:]}


TAIL = PROGRAM[2:]
CONTENTS = {
    "no operation": ({"program": program(*PROGRAM, 0)}, "operation 0 is unknown"),
    "operation": ({"program": program(14)}, "operation 14 is unknown"),
    "no argument": ({"program": program(*PROGRAM[:-1])}, "ends inside an operation"),
    "half a number": ({"program": program(*PROGRAM) + b"\x80"}, "ends inside a number"),
    "33 bits": ({"program": program(Op.COPY, 2**32)}, "above 32 bits"),
    "endless number": ({"program": 9 * b"\xff"}, "above 32 bits"),
    "nothing": ({"program": program(Op.COPY, 0, *TAIL)}, "writes 0 bytes at 0"),
    "too far": ({"program": program(Op.FILL, SIZE + 1, 0)}, f"writes {SIZE + 1} bytes at 0 of {SIZE}"),
    "too far in words": ({"program": program(Op.WORDS, 2**30)}, "writes 4294967296 bytes"),
    "too many filters": ({"program": program(Op.BLOCKS, 2)}, f"writes 384 bytes at 0 of {SIZE}"),
    "no filter": ({"program": program(Op.BLOCKS, 0)}, "writes 0 bytes at 0"),
    "half a filter": ({"raw": sections()["raw"][:-1]}, "section raw is shorter"),
    "too little": ({"program": program(*PROGRAM[:-2])}, f"writes 144 of {SIZE}"),
    "1 bit": ({"program": program(Op.LEVEL_BITS, 1, 8)}, "weights of 1 bits"),
    "9 bits": ({"program": program(Op.LEVEL_BITS, 9, 8)}, "weights of 9 bits"),
    "no weight": ({"program": program(Op.LEVEL_BITS, 3, 0)}, "writes 0 bytes at 0"),
    "too many weights": ({"program": program(Op.LEVEL_BITS, 2, 2**32 - 1)}, "writes 4294967295 bytes"),
    "no levels": ({"levels": b"\5"}, "section levels is shorter"),
    "half a level": ({"levels": sections()["levels"][:-1]}, "section levels is shorter"),
    "levels left over": ({"levels": sections()["levels"] + b"\0"}, "section levels is not used up"),
    "fill": ({"program": program(Op.FILL, 5, 256)}, "256 is no byte"),
    "not aligned": ({"program": program(Op.FILL, 5, 1, Op.WORDS, 1)}, "multiple of 4"),
    "no such group": ({"program": program(Op.SCALES, 4)}, "group 2 of 2"),
    "group before the first": ({"program": program(Op.SCALES, 1)}, "group -1 of 2"),
    "no spec": ({"spec": b""}, "writes 0 bytes"),
    "left over": ({"raw": sections()["raw"] + b"\x04"}, "section raw is not used up"),
    "missing": ({"raw": b"\x01"}, "section raw is shorter"),
    "missing copy": ({"copy3": b""}, "section copy3 is shorter"),
    "trit": ({"trits": b"\xf3\0"}, "section trits has a byte above 242"),
    "scale 0": (with_half("scale", 0x0000), "scale is not a positive"),
    "scale -0": (with_half("scale", 0x8000), "scale is not a positive"),
    "scale infinite": (with_half("scale", 0x7C00), "scale is not a positive"),
    "scale no number": (with_half("scale", 0x7E01), "scale is not a positive"),
    "step 0": (with_step(0.0), "step in section groups"),
    "step below 0": (with_step(-1.0), "step in section groups"),
    "step infinite": (with_step(float("inf")), "step in section groups"),
    "step no number": (with_step(float("nan")), "step in section groups"),
    "step too large": (with_step(1e60), "scale does not fit into 32 bits"),
    "step too small": (with_step(1e-60), "scale does not fit into 32 bits"),
    "bias": ({**with_half("bias", 0x7BFF), "groups": sections()["groups"][:16] + struct.pack("<d", 1e-6)}, "bias"),
    "filters": ({"groups": sections()["groups"][:12]}, "not those of scale_low"),
    "no filters": ({"groups": sections()["groups"] + struct.pack("<Id", 0, 1.0)}, "not those of scale_low"),
    "half a group": ({"groups": sections()["groups"][:-1]}, "wrong length"),
    "half a scale": ({"scale_high": b"\x3c"}, "wrong length"),
    "same link": ({"links": b"\x01\0"}, "names a word twice"),
    "link outside": ({"links": b"\x5b"}, "outside the file"),
    "no link": ({"links": b""}, "another SHA-256"),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTENTS)
def test_contents_that_are_refused(name):
    changes, words = CONTENTS[name]
    with pytest.raises(CUNetError, match=re.escape(words)):
        expand(example(**changes))


def test_a_group_may_be_missing_its_bias_only_if_the_program_says_so():
    with pytest.raises(CUNetError, match="section bias_low is shorter"):
        expand(example(bias_low=b"\0", bias_high=b"\0"))


@pytest.fixture(scope="module")
def zeros():
    """80 MiB of them, deflated, which takes half a second."""
    return zlib.compress(bytes(80 * MIB), 9)


@pytest.mark.parametrize("name", SECTIONS)
def test_a_bomb_is_not_inflated(name, zeros):
    """80 MiB of zeros where some bytes are declared: only these are ever made."""
    source = Source(example())
    declared = MIB // 4
    data = source.rebuilt({name: declared}, **{name: zeros})
    tracemalloc.start()
    try:
        with pytest.raises(CUNetError, match=f"section {name} does not inflate to the {declared} bytes"):
            expand(data)
        assert tracemalloc.get_traced_memory()[1] < 4 * MIB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "size, numbers, contents",
    [
        (MAX_SIZE, (Op.BITS, MAX_SIZE), {"bits": bytes(MAX_SIZE // 8)}),
        (MAX_SIZE, (Op.LEVEL_BITS, 5, MAX_SIZE), {"levels": bytes(MAX_SIZE // 8 * 5)}),
        (MAX_SIZE // 192 * 192, (Op.BLOCKS, MAX_SIZE // 192), {"raw": bytes(MAX_SIZE // 192 * 147)}),
    ],
)
def test_the_largest_file_stays_within_its_memory(size, numbers, contents):
    data = assemble({"program": program(*numbers), **contents}, size, bytes(32))
    tracemalloc.start()
    try:
        with pytest.raises(CUNetError, match="another SHA-256"):
            expand(data)
        assert tracemalloc.get_traced_memory()[1] < TARGET.memory
    finally:
        tracemalloc.stop()
