"""Golden vectors of packed models: sound files, and broken ones with what Python's reader says of them."""

import hashlib  # noqa: I001
import struct
import zlib
from typing import Any

import numpy as np
from golden_points import shipped_spec

from cunet_tf.errors import CUNetError
from cunet_tf.export.packed.writer import pack
from cunet_tf.files.packed.expand import expand
from cunet_tf.files.packed.expand import Expansion
from cunet_tf.files.packed.layout import CRC_BYTES, HEAD, LAST_OPS, SECTIONS, SIZES, VERSION, header_bytes
from cunet_tf.files.packed.reader import read_header, read_section
from tests.packed_cases import KERNEL, at_bits, example, expanded, on_blocks, signed_bytes

MUTANTS = 400


def vectors() -> dict[str, Any]:
    """All topics of this file."""
    sections, plain = every_operation()
    small = assemble(sections, plain)
    sound = [_sound("every operation", small, plain)]
    sound += [_sound(f"version {version}", example(version), expanded(version)) for version in LAST_OPS]
    for name in ("face-mobile", "pose-mobile"):
        tflite, _ = shipped_spec(name)
        sound.append(_sound(name, pack(tflite), tflite))
    broken = [
        {"file": file, "accept": accepted(file)}
        for file in (*hostile(small), *mutants(small), *changed(sections, plain))
    ]
    return {"packed": sound, "broken": broken}


def _sound(name: str, file: bytes, plain: bytes) -> dict[str, Any]:
    assert expand(file) == plain
    return {"name": name, "file": file, "size": len(plain), "sha256": hashlib.sha256(plain).hexdigest()}


def accepted(file: bytes) -> bool:
    """Whether Python's reader expands it."""
    try:
        expand(file)
    except CUNetError:
        return False
    return True


def every_operation() -> tuple[dict[str, bytes], bytes]:
    """Sections that use all operations, and the bytes that they stand for."""
    spec = b'{"name": "tiny"}'
    halves = np.array([0.5, 0.25, 1.0], np.float16)
    scales = (halves.astype(np.float64) / 127).astype("<f4")
    steps = 0.125 * (halves.astype(np.float64) / 127)
    biases = np.array([0.75, -2.0, 0.0], np.float16).view(np.uint16)
    biases[2] = 0xFC00 | 5  # the integer -5
    wholes = np.array([np.floor(0.75 / steps[0] + 0.5), -np.floor(2.0 / steps[1] + 0.5), -5]).astype("<i4")
    words = np.array([100, 300, 600, 1000], "<u4")
    levels, nibbles = [-15, 15, 0, 7], [*range(-5, 5), 7]
    signs, digits = [1, 0, 0, 1, 1, 1, 0, 1, 1], [2, 0, 1, 1, 2, 0]
    parts = [
        (bytes([1, 3]), b"abc"), (bytes([2, 4, 9]), bytes([9] * 4)), (bytes([3]), spec),
        (bytes([4, 9]), bytes(127 if bit else 129 for bit in signs)),
        (bytes([5, 6]), bytes(127 * (digit - 1) % 256 for digit in digits)), (bytes([6, 2]), b"xy"),
        (bytes([10, 4]), words.tobytes()), (bytes([7, 2]), scales.tobytes()),
        (bytes([8, 0]), steps.astype("<f4").tobytes()), (bytes([9, 0]), wholes.tobytes()),
        (bytes([11, 2]), on_blocks(KERNEL) + on_blocks(KERNEL[::-1])), (bytes([12, 4]), signed_bytes(levels)),
        (bytes([13, 4, 11]), signed_bytes(nibbles)), (bytes([13, 7, 3]), signed_bytes([-63, 63, 1])),
    ]  # fmt: skip
    plain = b"".join(part for _, part in parts)
    start = plain.index(words.tobytes())
    plain = plain[:4] + struct.pack("<I", 4 + int.from_bytes(plain[4:8], "little")) + plain[8:]  # one link
    differences = np.concatenate([words[:1], np.diff(words)]).astype("<u4").tobytes()
    bits = [sum(bit << place for place, bit in enumerate(signs[first : first + 8])) for first in (0, 8)]
    trits = [sum(digit * 3**place for place, digit in enumerate(digits[first : first + 5])) for first in (0, 5)]
    copies = [b"", b"", b"", b""]
    for place, value in [*enumerate(b"abc"), *enumerate(differences, start)]:
        copies[place % 4] += bytes([value])
    sections = {
        "spec": spec, "program": b"".join(code for code, _ in parts), "links": bytes([1]),
        "groups": struct.pack("<Id", 1, 2.0) + struct.pack("<Id", 3, 0.125),
        **{f"copy{index}": copy for index, copy in enumerate(copies)},
        "scale_low": b"\x00" + _low(halves), "bits": bytes(bits), "trits": bytes(trits),
        "scale_high": b"\x3c" + _low(halves.view(np.uint16) >> 8), "raw": b"xy" + KERNEL + KERNEL[::-1],
        "levels": signed_bytes(levels) + at_bits(nibbles, 4) + at_bits([-63, 63, 1], 7),
        "bias_low": _low(biases), "bias_high": _low(biases >> 8),
    }  # fmt: skip
    return sections, plain


def _low(values: np.ndarray) -> bytes:
    """The lower byte of each 16-bit value."""
    return (values.view(np.uint16) & 255).astype(np.uint8).tobytes()


def assemble(sections: dict[str, bytes], plain: bytes) -> bytes:
    """A container of these sections, deflated where that is shorter."""
    stored = [min(sections[name], zlib.compress(sections[name], 9), key=len) for name in SECTIONS]
    sizes = b"".join(SIZES.pack(len(one), len(sections[name])) for name, one in zip(SECTIONS, stored, strict=True))
    head = HEAD.pack(b"CUNET\r\n\x1a", VERSION, len(SECTIONS), len(plain), hashlib.sha256(plain).digest())
    return sealed(head + sizes + b"".join(stored))


def sealed(body: bytes) -> bytes:
    """With its checksum."""
    return body + struct.pack("<I", zlib.crc32(body))


def hostile(file: bytes) -> list[bytes]:
    """Cut, empty, of another version, and with sizes that would fill the memory."""
    body = file[:-CRC_BYTES]
    broken = [b"", file[:7], file[:100], file[:-1], file + b"\0", body + b"\0\0\0\0", b"TFL3" + file[4:]]
    huge = (0xFFFFFFFF, 0x7FFFFFFF, 1 << 28, 64 << 20, (64 << 20) + 1, 1 << 20, (1 << 20) + 1, 0)
    places = [8, 10, 12, *range(HEAD.size, header_bytes(VERSION), 4)]
    for place in places:
        for value in huge:
            width = 2 if place < 12 else 4
            broken.append(sealed(body[:place] + (value % 256**width).to_bytes(width, "little") + body[place + width :]))
    bomb = zlib.compress(bytes(64 << 20), 9)
    sections = {name: b"" for name in SECTIONS}
    start = assemble(sections, b"x")[:-CRC_BYTES]
    for name in ("spec", "program", "raw"):
        offset = HEAD.size + SECTIONS.index(name) * SIZES.size
        for declared in (len(bomb), 1 << 20):
            sizes = SIZES.pack(len(bomb), declared)
            broken.append(sealed(start[:offset] + sizes + start[offset + SIZES.size :] + bomb))
    return broken


def mutants(file: bytes) -> list[bytes]:
    """One or two bytes changed, the checksum mended."""
    made = []
    for seed in range(MUTANTS):
        rng = np.random.default_rng(seed)
        body = bytearray(file[:-CRC_BYTES])
        first = HEAD.size if seed % 2 else header_bytes(VERSION)
        for place in rng.integers(first, len(body), 1 + seed % 3 // 2):
            body[place] = rng.integers(256)
        made.append(sealed(bytes(body)))
    return made


def changed(sections: dict[str, bytes], plain: bytes) -> list[bytes]:
    """One byte of one section changed, added or dropped; where Python still expands it, with the digest of that.

    So both readers must agree on what a program means, not only on a digest that does not fit.
    """
    made = []
    names = [name for name in SECTIONS if sections[name]]
    for seed in range(MUTANTS):
        rng = np.random.default_rng((seed, 1))
        name = names[seed % len(names)] if seed % 3 else "program"
        data, place = bytearray(sections[name]), int(rng.integers(len(sections[name])))
        value = int(rng.integers(256)) if seed % 2 else int(rng.integers(15))
        data[place : place + int(rng.integers(3))] = bytes([value] * (1 + seed % 5 // 4))
        made.append(_mended(assemble({**sections, name: bytes(data)}, plain)))
    return made


def _mended(file: bytes) -> bytes:
    """With the digest of what its program writes; as it was where the program is wrong."""
    header = read_header(file)
    try:
        sections = {name: np.frombuffer(read_section(file, header, name), np.uint8) for name in header.sections}
        expansion = Expansion(sections, header.size, header.version)
        expansion.run()
        expansion.link()
    except CUNetError:
        return file
    digest = hashlib.sha256(expansion.out).digest()
    return sealed(file[:16] + digest + file[16 + len(digest) : -CRC_BYTES])
