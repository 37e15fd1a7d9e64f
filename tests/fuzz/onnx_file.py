"""``.onnx`` files of a face detector: fields of Protocol Buffers changed with lengths that fit again, and bytes."""

import random
from pathlib import Path

import numpy as np

from cunet_tf.detector import load_detector
from tests.fuzz.changes import NUMBERS, bytes_changed, cut
from tests.fuzz.target import MIB, Target
from tests.onnx_cases import varint, yunet_like

ENTRY = "detector.onnx"
Field = list  # index, kind of wire, and a number, bytes, or fields


def parsed(data: bytes, depth: int = 0) -> list[Field] | None:
    """The fields of a message, ``None`` where it is none."""
    fields, place = [], 0
    while place < len(data):
        key, place = _number(data, place)
        index, wire = key >> 3, key & 7
        if not 0 < index < 30 or wire not in (0, 2):
            return None
        value, place = _number(data, place)
        if wire == 2:
            if place + value > len(data):
                return None
            value, place = data[place : place + value], place + value
            inner = parsed(value, depth + 1) if depth < 8 and len(value) > 1 else None
            value = inner if inner else value
        fields.append([index, wire, value])
    return fields


def _number(data: bytes, place: int) -> tuple[int, int]:
    number = shift = 0
    while place < len(data):
        byte = data[place]
        number, shift, place = number | (byte & 127) << shift, shift + 7, place + 1
        if byte < 128:
            return number, place
    return 2**63, place


def packed(fields: list[Field]) -> bytes:
    """Inverse of :func:`parsed`."""
    parts = []
    for index, wire, value in fields:
        parts.append(varint(index << 3 | wire))
        if wire == 0:
            parts.append(varint(value))
        else:
            data = packed(value) if isinstance(value, list) else value
            parts += [varint(len(data)), data]
    return b"".join(parts)


def _all(fields: list[Field]) -> list[tuple[list, Field]]:
    """Every field with the message that it is in."""
    found = []
    for each in fields:
        found.append((fields, each))
        if isinstance(each[2], list):
            found += _all(each[2])
    return found


def in_fields(rng: random.Random) -> bytes:
    """Numbers, names, shapes and values; fields left out, doubled or exchanged."""
    fields = parsed(yunet_like())
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        holder, each = rng.choice(_all(fields))
        kind = rng.randrange(6)
        if kind == 0 and len(fields) > 1:
            holder.remove(each)
        elif kind == 1:
            holder.append(each)
        elif each[1] == 0:
            each[2] = rng.choice((*NUMBERS, each[2] + 1, max(each[2] - 1, 0), 10**6, 2**63, 2**64 - 1))
        elif isinstance(each[2], bytes):
            number = np.int64(rng.choice((-2, -1, 0, 1, 2, 4, 10, 10**6, 2**31, 2**40))).tobytes()
            each[2] = rng.choice((bytes_changed(each[2] or b"\0", rng), b"", number * (len(each[2]) // 8 or 1)))
        else:
            _, other = rng.choice(_all(fields))
            if isinstance(other[2], bytes):
                each[2] = other[2]
    return packed(fields)


def write(rng: random.Random, folder: Path) -> None:
    """A damaged detector."""
    kind = rng.random()
    data = in_fields(rng) if kind < 0.8 else rng.choice((bytes_changed, cut))(yunet_like(rng.choice((12, 12, 5))), rng)
    (folder / ENTRY).write_bytes(data)


def read(path: Path) -> None:
    """Load the detector and look at a picture.

    Raises:
        CUNetError: refused.
    """
    load_detector(str(path))(np.full((100, 140, 3), 99, np.uint8))


TARGET = Target("onnx", 3, ENTRY, write=write, read=read, memory=2048 * MIB, seconds=70.0)
