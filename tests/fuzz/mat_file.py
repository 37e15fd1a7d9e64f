"""MATLAB's ``.mat`` files, version 5: damaged tags, lengths, types, sizes and nested structs, packed again."""

import functools
import io
import random
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.io import savemat

from cunet_tf.data.lsp import read_joints
from cunet_tf.data.mpii_json import read_heads
from cunet_tf.data.mpii_release import RELEASE, centre, head_size, joints, read_release
from tests.fuzz.changes import FLOATS, NUMBERS, bytes_changed, cut
from tests.fuzz.target import Target

HEAD, MATRIX, PACKED = 128, 14, 15  # bytes of the header; types of elements
TYPES = (*range(20), 255, 65535)
CLASSES = (*range(20), 255)


def _structs(rows: list[dict]) -> np.ndarray:
    array = np.empty((1, len(rows)), [(name, object) for name in rows[0]])
    for place, row in enumerate(rows):
        array[0, place] = tuple(row.values())
    return array


@functools.cache
def sources() -> dict[str, tuple[bytes, ...]]:
    """Sound files by name, each plain and packed."""
    rng = np.random.default_rng(0)
    points = [{"x": float(x), "y": float(y), "id": float(i)} for i, (x, y) in enumerate(rng.uniform(5, 60, (16, 2)))]
    person = {"x1": 1.0, "y1": 2.0, "x2": 9.0, "y2": 9.0, "annopoints": {"point": _structs(points)}, "scale": 2.0,
              "objpos": {"x": 30.0, "y": 40.0}}  # fmt: skip
    picture = {"image": {"name": "a.jpg"}, "annorect": _structs([person, person])}
    cell = np.empty((1, 2), object)
    cell[0] = [np.array([[1.0], [2.0]]), np.zeros((0, 0))]
    release = {"annolist": _structs([picture, picture]), "img_train": np.ones((1, 2)), "single_person": cell}
    contents = {
        "joints.mat": {"joints": rng.uniform(1, 60, (14, 3, 3))}, RELEASE: {"RELEASE": release},
        "gt_valid.mat": {"headboxes_src": rng.uniform(1, 60, (2, 2, 3))},
    }  # fmt: skip
    return {name: tuple(_saved(each, packed) for packed in (False, True)) for name, each in contents.items()}


def _saved(content: dict, packed: bool) -> bytes:
    stream = io.BytesIO()
    savemat(stream, content, do_compression=packed)
    return stream.getvalue()


def elements(data: bytes, start: int = HEAD, end: int | None = None) -> Iterator[tuple[int, int, int, int]]:
    """Place of the tag, type, place of the data and its length, of nested elements too."""
    end = len(data) if end is None else end
    while start + 8 <= end:
        kind, size = struct.unpack_from("<II", data, start)
        if kind >> 16:  # a short element: type and length in four bytes
            yield start, kind & 0xFFFF, start + 4, kind >> 16
            start += 8
            continue
        yield start, kind, start + 8, min(size, end - start - 8)
        if kind == MATRIX:
            yield from elements(data, start + 8, min(start + 8 + size, end))
        start += 8 + (size if kind == PACKED else (size + 7) // 8 * 8)


def anywhere(data: bytes, rng: random.Random) -> bytes:
    """Bytes behind the header."""
    return data[:HEAD] + bytes_changed(data[HEAD:], rng)


def in_tags(data: bytes, rng: random.Random) -> bytes:
    """A type or a length."""
    body, found = bytearray(data), list(elements(data))
    for _ in range(rng.choice((1, 1, 2))):
        place = rng.choice(found)[0]
        if rng.random() < 0.5:
            struct.pack_into("<H", body, place, rng.choice(TYPES))
        else:
            struct.pack_into("<I", body, place + 4, rng.choice(NUMBERS))
    return bytes(body)


def in_numbers(data: bytes, rng: random.Random) -> bytes:
    """A class, a dimension, a length of field names, or a value: any four or eight bytes of an element's data."""
    body = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        _, kind, place, size = rng.choice([each for each in elements(data) if each[1] != MATRIX])
        spot = place + 4 * rng.randrange(max(size // 4, 1))
        if kind == 9 and size >= 8 and rng.random() < 0.7:
            struct.pack_into("<d", body, place + 8 * rng.randrange(size // 8), rng.choice(FLOATS))
        elif spot + 4 <= len(body):
            struct.pack_into("<I", body, spot, rng.choice((*NUMBERS, *CLASSES)))
    return bytes(body)


def in_header(data: bytes, rng: random.Random) -> bytes:
    """Version and byte order."""
    place = rng.randrange(116, HEAD)
    return data[:place] + rng.choice((b"\0", b"\1", b"\2", b"MI", b"\xff")) + data[place + 1 :]


KINDS = {anywhere: 2, cut: 1, in_tags: 4, in_numbers: 4, in_header: 0.5}


def mutated(pair: tuple[bytes, bytes], rng: random.Random) -> bytes:
    """A damaged file; half of them are packed around the damage, so that it is found inside."""
    plain, packed = pair
    if rng.random() < 0.2:
        return rng.choices(list(KINDS), list(KINDS.values()))[0](packed, rng)
    data = rng.choices(list(KINDS), list(KINDS.values()))[0](plain, rng)
    if rng.random() < 0.5 and len(data) > HEAD:
        body = zlib.compress(data[HEAD:])
        size = len(body) if rng.random() < 0.9 else rng.choice(NUMBERS)
        return data[:HEAD] + struct.pack("<II", PACKED, size) + body
    return data


def write(rng: random.Random, folder: Path) -> None:
    """One of the files."""
    name = rng.choice(list(sources()))
    (folder / name).write_bytes(mutated(sources()[name], rng))


def read(folder: Path) -> None:
    """The reader of the file that is there.

    Raises:
        AssertionError: numbers that are none came out.
    """
    (file,) = folder.iterdir()
    if file.name == "joints.mat":
        points, mask = read_joints(file, extended=True)
        assert np.isfinite(points).all() and np.isin(mask, (0, 1)).all()
    elif file.name == RELEASE:
        for person in (person for picture in read_release(file) for person in picture.people):
            points, _ = joints(person, f"{file}")
            assert np.isfinite(points).all() and np.isfinite([*(centre(person) or ()), head_size(person) or 0.0]).all()
    else:
        assert np.isfinite([size or 0.0 for size in read_heads(file, 3) or ()]).all()


TARGET = Target("mat", 3, ".", write=write, read=read, seconds=60.0)
