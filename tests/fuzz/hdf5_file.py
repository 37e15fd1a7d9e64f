"""HDF5 files, the part of a ``.keras`` file that holds its variables: bytes of headers, and arrays of other kinds."""

import contextlib
import functools
import io
import random
from pathlib import Path

import h5py
import numpy as np

from cunet_tf.errors import CUNetError, reason
from cunet_tf.files.keras_archive import WEIGHTS
from cunet_tf.models.stored_weights import check_weights
from tests.fuzz.changes import NUMBERS, bytes_changed, cut
from tests.fuzz.target import MIB, Target


@functools.cache
def source() -> bytes:
    """A sound file with arrays of each kind."""
    stream, rng = io.BytesIO(), np.random.default_rng(0)
    with h5py.File(stream, "w") as file:
        for name in ("layers/conv/vars", "layers/block_1/ahead/vars", "optimizer/vars"):
            group = file.create_group(name)
            group["kernel"] = rng.normal(size=(3, 3, 3, 4)).astype(np.float32)
            group["gamma"] = np.ones(4, np.float32)
            packed = {"compression": "gzip", "shuffle": True}
            group.create_dataset("half", data=rng.normal(size=(10, 20)).astype(np.float16), **packed)
            group.attrs["name"] = name
    return stream.getvalue()


def marked(data: bytes, mark: bytes) -> list[int]:
    found, place = [], data.find(mark)
    while place >= 0:
        found.append(place)
        place = data.find(mark, place + 1)
    return found


def in_bytes(data: bytes, rng: random.Random) -> bytes:
    """Bytes, mostly where the headers are."""
    if rng.random() < 0.3:
        return rng.choice((bytes_changed, bytes_changed, cut))(data, rng)
    changed = bytearray(data)
    marks = [place for mark in (b"TREE", b"SNOD", b"HEAP", b"\x89HDF") for place in marked(data, mark)]
    for _ in range(rng.choice((1, 1, 2, 4))):
        place = max(0, min(rng.choice(marks) + rng.randrange(-256, 256), len(data) - 8))
        width = rng.choice((1, 2, 4, 8))
        number = rng.choice((*NUMBERS, rng.randrange(len(data)), 2**64 - 1, rng.getrandbits(64))) % 2 ** (8 * width)
        changed[place : place + width] = number.to_bytes(width, "little")
    return bytes(changed)


def in_arrays(data: bytes, rng: random.Random) -> bytes:
    """Arrays of other shapes, types and kinds; links that lead elsewhere."""
    stream = io.BytesIO(data)
    with h5py.File(stream, "r+") as file:
        names: list[str] = []
        file.visit(names.append)
        for name in rng.sample(names, rng.choice((1, 1, 2))):
            with contextlib.suppress(KeyError, OSError, RuntimeError, ValueError):  # it was in what is a link now
                _replace(file, name, rng)
    return stream.getvalue()


def _replace(file: h5py.File, name: str, rng: random.Random) -> None:
    old = file[name][()] if isinstance(file[name], h5py.Dataset) else np.float32([1, 2])
    del file[name]
    kind = rng.randrange(14)
    if kind == 0:
        file[name] = np.zeros(rng.choice(((), (0,), (1,), (3, 3), (7, 7, 3, 8), (1,) * 9)), np.float32)
    elif kind == 1:
        file[name] = old.astype(rng.choice(("f2", "f8", "i4", "u1", "?", "c8", "S5")))
    elif kind == 2:
        file[name] = rng.choice(("text", b"bytes", 5))
    elif kind == 3:
        file[name] = h5py.ExternalLink(rng.choice(("/etc/passwd", "other.h5")), "/x")
    elif kind == 4:
        file[name] = h5py.SoftLink(rng.choice(("/", name, "/nothing")))
    elif kind == 5:
        file[name] = file["/"]  # a circle
    elif kind in (6, 7):
        shape = rng.choice(((10**12,), (10**6, 10**6), (2**31,), (2**40,), (10**5, 10**3)))
        packed = {"compression": "gzip"} if kind == 6 else {}
        file.create_dataset(name, shape, "f4", chunks=tuple(min(side, 1000) for side in shape), **packed)
    elif kind == 8:
        file.create_dataset(name, (100,), "f4", external=[("/etc/passwd", 0, 400)])
    elif kind == 9:
        layout = h5py.VirtualLayout((4,), "f4")
        layout[:] = h5py.VirtualSource("other.h5", "x", (4,))
        file.create_virtual_dataset(name, layout)
    elif kind == 10:
        file[name] = h5py.Empty("f4")
    elif kind == 11:
        file[name] = old * rng.choice((np.float32("nan"), np.float32("inf"), np.float32(1e30), np.float32(0)))
    elif kind == 12:
        file.create_group(name + "/a/b/c" + 40 * rng.choice(("", "/d")))


def damaged(data: bytes, rng: random.Random) -> bytes:
    """A damaged copy."""
    return (in_bytes if rng.random() < 0.65 else in_arrays)(data, rng)


def write(rng: random.Random, folder: Path) -> None:
    """A damaged file."""
    (folder / WEIGHTS).write_bytes(damaged(source(), rng))


def read(path: Path) -> None:
    """Look at the file, and then read it as Keras does, whose errors the caller turns into ours.

    Raises:
        CUNetError: refused.
    """
    data = path.read_bytes()
    check_weights(data)
    try:
        read_all(data)
    except OSError as error:
        raise CUNetError(f"{WEIGHTS}: {reason(error)}.") from None


def read_all(data: bytes) -> None:
    """Every value."""
    with h5py.File(io.BytesIO(data)) as file:
        groups = [file]
        while groups:
            for entry in groups.pop().values():
                if isinstance(entry, h5py.Group):
                    groups.append(entry)
                else:
                    np.asarray(entry[()])


TARGET = Target("hdf5", 150, WEIGHTS, write=write, read=read, memory=512 * MIB)
