"""Reads the header and sections of a ``.cunet`` file; whatever is wrong is one ``CUNetError``.

Needs numpy and the standard library only. Layout: ``docs/packed-format.md``.
"""

import struct
import zlib
from dataclasses import dataclass
from itertools import accumulate

from cunet_tf.errors import CUNetError
from cunet_tf.files.packed.layout import (
    CRC_BYTES,
    HEAD,
    LARGE,
    LAST_OPS,
    MARK,
    MAX_EXTRA,
    MAX_PROGRAM,
    MAX_SIZE,
    MAX_SMALL,
    SECTION_COUNTS,
    SECTIONS,
    SIZES,
    VERSION,
    header_bytes,
)
from cunet_tf.spec import SPEC_NAME, ModelSpec

AGAIN = "copy the file again, or pack the model again"


def damaged(what: str) -> CUNetError:
    """The error of a file that breaks a rule of the layout."""
    return CUNetError(f"damaged .cunet file: {what}: {AGAIN}.")


@dataclass(frozen=True)
class Header:
    """What stands in front of the sections, checked.

    Attributes:
        version: of the layout.
        size: bytes of the expanded file.
        digest: its SHA-256.
        sections: name -> (offset in the container, stored bytes, plain bytes).
    """

    version: int
    size: int
    digest: bytes
    sections: dict[str, tuple[int, int, int]]


def read_header(container: bytes) -> Header:
    """The header of a container whose checksum and declared sizes are right; allocates nothing large.

    Raises:
        CUNetError: not a container, a newer version, damaged, or a size above its limit.
    """
    if len(container) < header_bytes(1) + CRC_BYTES or container[: len(MARK)] != MARK:
        raise CUNetError(f"not a .cunet file (no {MARK[:5].decode()} mark, or cut off): pack the model again.")
    _, version, count, size, digest = HEAD.unpack_from(container)
    if version > VERSION:
        raise CUNetError(
            f"this .cunet file has layout version {version}, this cunet-tf reads up to {VERSION}: update it."
        )
    if version not in LAST_OPS:
        raise damaged(f"the header names layout version {version}")
    if count != SECTION_COUNTS[version]:
        raise damaged(f"the header names {count} sections instead of {SECTION_COUNTS[version]}")
    if not 1 <= size <= MAX_SIZE:
        raise damaged(f"the header declares {size} expanded bytes, allowed are 1 to {MAX_SIZE}")
    if len(container) < header_bytes(version) + CRC_BYTES:
        raise damaged("it ends inside its header")
    sizes = [SIZES.unpack_from(container, HEAD.size + index * SIZES.size) for index in range(count)]
    ends = list(accumulate((stored for stored, _ in sizes), initial=header_bytes(version)))
    if ends[-1] + CRC_BYTES != len(container):
        raise damaged(f"it has {len(container)} bytes, its sections need {ends[-1] + CRC_BYTES}")
    if struct.unpack_from("<I", container, ends[-1])[0] != zlib.crc32(memoryview(container)[: ends[-1]]):
        raise damaged("the checksum (CRC-32) does not fit its bytes")
    sections = {name: (end, *pair) for name, end, pair in zip(SECTIONS, ends, sizes, strict=False)}
    _check_sizes(sections, size)
    return Header(version, size, digest, sections)


def _check_sizes(sections: dict[str, tuple[int, int, int]], size: int) -> None:
    for name, (_, stored, plain) in sections.items():
        if stored > plain:
            raise damaged(f"section {name} has {stored} bytes, more than the {plain} it holds")
        limit = MAX_PROGRAM if name == "program" else MAX_SMALL
        if name not in LARGE and plain > limit:
            raise damaged(f"section {name} declares {plain} bytes, allowed are {limit}")
    total = sum(plain for _, _, plain in sections.values())
    if total > size + MAX_EXTRA:
        raise damaged(f"the sections declare {total} bytes, allowed are {size + MAX_EXTRA}")


def read_section(container: bytes, header: Header, name: str) -> bytes:
    """A section, inflated; never more than its declared size.

    Raises:
        CUNetError: its bytes do not inflate to just what the header declares.
    """
    offset, stored, plain = header.sections[name]
    data = memoryview(container)[offset : offset + stored]
    if stored == plain:
        return bytes(data)
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(data, plain + 1)  # one more than allowed: to see that there is no more
    except zlib.error as error:
        raise damaged(f"section {name} does not inflate ({error})") from None
    if len(inflated) != plain or not inflater.eof or inflater.unused_data:
        raise damaged(f"section {name} does not inflate to the {plain} bytes that the header declares")
    return inflated


def read_spec(container: bytes) -> ModelSpec | None:
    """What the model is, without expanding it; ``None`` when its ``.tflite`` had no description.

    Raises:
        CUNetError: not a container, a newer version, or damaged.
    """
    text = read_section(container, read_header(container), "spec")
    if not text:
        return None
    try:
        return ModelSpec.from_json(text)
    except CUNetError:
        raise
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise damaged(f"its {SPEC_NAME} is no description ({type(error).__name__})") from None
