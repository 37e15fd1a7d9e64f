"""Containers of each version, written by hand, that use every operation: those of ``docs/packed-format.md``."""

import hashlib
import struct

import numpy as np

from cunet_tf.export.packed.writer import assemble, varint, with_crc
from cunet_tf.files.packed.layout import COPY, CRC_BYTES, VERSION, Op

SPEC = b'{"name": "' + 32 * b"a" + b'"}'
STEP = 1 / 128
# 16-bit floats: 127.0 and 63.5 make the steps of biases 1/128 and 1/256, so halves occur.
PEAKS = {0: [0x3C00, 0x3800, 0x0400], 1: [0x57F0, 0x53F0]}  # 1, 0.5, 2^-14; 127, 63.5
BIASES = {1: [0x2500, 0xA480], 0: [0x3A00, 0x0005, 0xFEBC]}  # 2.5/128, -4.5/256; 0.75, 5 * 2^-24, integer -700
STEPS = {0: 1 / 255, 1: STEP}
PROGRAM = (
    Op.COPY, 12, Op.WORDS, 3, Op.FILL, 5, 0xAA, Op.SPEC, Op.BITS, 10, Op.TRITS, 7, Op.RAW, 3, Op.COPY, 3,
    Op.SCALES, 2, Op.BIAS_SCALES, 0, Op.BIASES, 0, Op.SCALES, 1, Op.BIAS_SCALES, 0, Op.BIASES, 0,
)  # fmt: skip
KERNEL = bytes(range(1, 148))  # of one filter on pixels
LEVELS = [5, -5, 0]
FEW_BITS = {3: [3, -3, 0, 1, -1, 2, -2, 3, -3], 5: [-15, 15, 7], 8: [127, -127]}
TAILS = {1: (), 2: (Op.BLOCKS, 1), 3: (Op.BLOCKS, 1, Op.LEVELS, 3, Op.LEVEL_BITS, 3, 9, Op.LEVEL_BITS, 5, 3,
                                       Op.LEVEL_BITS, 8, 2)}  # fmt: skip


def on_blocks(kernel: bytes) -> bytes:
    """A filter on pixels put on blocks, place by place."""
    filters = bytearray(192)
    for number, weight in enumerate(kernel):
        row, column, colour = number // 21 + 1, number // 3 % 7 + 1, number % 3
        filters[48 * (row // 2) + 12 * (column // 2) + 6 * (row % 2) + 3 * (column % 2) + colour] = weight
    return bytes(filters)


def signed_bytes(values: list[int]) -> bytes:
    """int8 values."""
    return bytes(value % 256 for value in values)


def at_bits(values: list[int], k: int) -> bytes:
    """k-bit whole numbers in a row, lowest bit first, filled up to a byte."""
    number = sum(value % 2**k << place * k for place, value in enumerate(values))
    return number.to_bytes(-(-len(values) * k // 8), "little")


def expanded(version: int = VERSION) -> bytes:
    """What the example expands to."""
    parts = [
        struct.pack("<III", 7, 104, 208),  # COPY; 4 and 8 are added to the last two by links
        struct.pack("<III", 1000, 1010, 1030),  # WORDS
        5 * b"\xaa",
        SPEC,
        bytes.fromhex("7f817f7f8181817f817f"),  # BITS
        bytes.fromhex("81007f007f8100"),  # TRITS
        b"\x01\xfe\x03",  # RAW
        b"end",
        struct.pack("<ff", 1.0, 0.5),  # SCALES of group 1
        struct.pack("<ff", 1 / 128, 1 / 256),
        struct.pack("<ii", 3, -5),  # 2.5 and -4.5
        struct.pack("<fff", 1 / 127, 0.5 / 127, 2**-14 / 127),  # SCALES of group 0
        struct.pack("<fff", 1 / 255 * (1 / 127), 1 / 255 * (0.5 / 127), 1 / 255 * (2**-14 / 127)),
        struct.pack("<iii", 24289, 0, -700),
    ]
    parts += [on_blocks(KERNEL)] if version > 1 else []
    parts += [signed_bytes(values) for values in (LEVELS, *FEW_BITS.values())] if version > 2 else []
    return b"".join(parts)


def sections(version: int = VERSION) -> dict[str, bytes]:
    """Plain bytes of the example's sections."""
    numbers = (*PROGRAM, *TAILS[version])
    levels = signed_bytes(LEVELS) + b"".join(at_bits(values, k) for k, values in FEW_BITS.items())
    copied = struct.pack("<III", 7, 100, 200) + struct.pack("<III", 1000, 10, 20)
    planes = {name: copied[index::4] for index, name in enumerate(COPY)}
    for place, byte in zip((93, 94, 95), b"end", strict=True):
        planes[COPY[place % 4]] += bytes([byte])
    peaks, biases = (np.array([*lists[a], *lists[b]], np.uint16) for lists, a, b in ((PEAKS, 0, 1), (BIASES, 1, 0)))
    return {
        "spec": SPEC,
        "program": b"".join(varint(number) for number in numbers),
        "groups": b"".join(struct.pack("<Id", len(PEAKS[index]), STEPS[index]) for index in (0, 1)),
        "links": bytes([1, 1]),  # the words at 4 and 8
        **planes,
        "scale_low": (peaks & 255).astype(np.uint8).tobytes(),
        "scale_high": (peaks >> 8).astype(np.uint8).tobytes(),
        "bias_low": (biases & 255).astype(np.uint8).tobytes(),
        "bias_high": (biases >> 8).astype(np.uint8).tobytes(),
        "bits": bytes([0b10001101, 0b10]),
        "trits": bytes([0 + 3 * 1 + 9 * 2 + 27 * 1 + 81 * 2, 0 + 3 * 1]),
        "raw": b"\x01\xfe\x03" + (KERNEL if version > 1 else b""),
        **({"levels": levels} if version > 2 else {}),
    }


def example(version: int = VERSION, **changes: bytes) -> bytes:
    """The example's container, with other bytes in some sections."""
    plain = expanded(version)
    container = assemble({**sections(version), **changes}, len(plain), hashlib.sha256(plain).digest())
    return with_crc(container[:8] + struct.pack("<H", version) + container[10:-CRC_BYTES])


def as_text(data: bytes) -> str:
    """Hexadecimal lines of 32 bytes, as in the document."""
    return "\n".join(data[start : start + 32].hex() for start in range(0, len(data), 32))


if __name__ == "__main__":
    for what in (made(version) for version in (3, 2, 1) for made in (example, expanded)):
        print(f"{len(what)} bytes\n```\n{as_text(what)}\n```")
