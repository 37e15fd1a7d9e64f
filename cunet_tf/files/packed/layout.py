"""Byte layout of a ``.cunet`` file, versions 1 to 3: ``docs/packed-format.md`` in numbers."""

import struct
from enum import IntEnum

MARK = b"CUNET\r\n\x1a"  # a transfer as text changes line ends, and ends at 1A
VERSION = 3  # the newest
HEAD = struct.Struct("<8sHHI32s")  # mark, version, number of sections, expanded size, SHA-256
SIZES = struct.Struct("<II")  # of a section: stored, plain
GROUP = [("n", "<u4"), ("s", "<f8")]  # a convolution: filters, step of its input
COPY = ("copy0", "copy1", "copy2", "copy3")
SECTIONS = (
    "spec", "program", "groups", "links", *COPY,
    "scale_low", "scale_high", "bias_low", "bias_high", "bits", "trits", "raw", "levels",
)  # fmt: skip
SECTION_COUNTS = {1: 15, 2: 15, 3: 16}  # of each version, the first ones of SECTIONS
CRC_BYTES = 4

MIB = 1 << 20
MAX_SIZE = 64 * MIB  # of the expanded file
LARGE = (*COPY, "bits", "trits", "raw", "levels")
MAX_SMALL = MIB  # of each other section, inflated
MAX_PROGRAM = MIB // 4  # bounds the time: each operation takes a few microseconds
MAX_EXTRA = 4 * MIB  # all sections together may exceed the expanded file by this much

TRIT_BYTES = 3**5  # values of a byte that holds five ternary digits
LEVEL_BITS = range(2, 9)  # of a whole number in section levels
PEAK = 127  # int8 value of the largest weight of a filter
EXPONENT = 0x7C00  # bits of a float16: all set, a bias is an integer instead


class Op(IntEnum):
    """Operations of the program."""

    COPY = 1
    FILL = 2
    SPEC = 3
    BITS = 4
    TRITS = 5
    RAW = 6
    SCALES = 7
    BIAS_SCALES = 8
    BIASES = 9
    WORDS = 10
    BLOCKS = 11
    LEVELS = 12
    LEVEL_BITS = 13


LAST_OPS = {1: Op.WORDS, 2: Op.BLOCKS, 3: Op.LEVEL_BITS}  # of each version that is read


def header_bytes(version: int) -> int:
    """What stands in front of the sections."""
    return HEAD.size + SECTION_COUNTS[version] * SIZES.size
