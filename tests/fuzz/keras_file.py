"""``.keras`` files: the zip archive, the configuration as JSON, the variables as HDF5, and bombs of each."""

import functools
import io
import json
import random
import struct
import tempfile
import zipfile
from pathlib import Path

import h5py
import numpy as np

from cunet_tf.commands.info_model import keras_spec
from cunet_tf.errors import CUNetError
from cunet_tf.files.keras_archive import CONFIG, METADATA, WEIGHTS
from tests.fuzz.changes import NUMBERS, bytes_changed, cut
from tests.fuzz.json_values import DEEP, value_changed
from tests.fuzz.target import MIB, Target

ENTRY = "model.keras"
MODULES = ("os", "builtins", "subprocess", "keras", "keras.layers", "keras.utils", "keras.src.ops.numpy", None, 5)
CLASSES = (
    "system", "eval", "Lambda", "TFSMLayer", "StringLookup", "Dense", "Conv2D", "Functional", "Sequential",
    "__lambda__", "__numpy__", "__typespec__", "function", "RNN", "TimeDistributed", "Orthogonal", "", None,
)  # fmt: skip
Parts = dict[str, bytes]
# Place and width of numbers in the tables of an archive: versions, flags, packing, checksums, sizes, offsets.
FIELDS = ((6, 2), (8, 2), (10, 2), (12, 4), (16, 4), (18, 4), (20, 4), (22, 4), (24, 4), (28, 2), (30, 2), (42, 4))


@functools.cache
def source() -> Parts:
    """A sound file, taken apart."""
    from cunet_tf.models.build import build_network
    from tests.networks import TINY, spec_of

    model = build_network(spec_of().replace(config=TINY.replace(stacks=1, order=0, levels=1)))
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder, ENTRY))
        with zipfile.ZipFile(Path(folder, ENTRY)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}


def zipped(parts: Parts, kind: int = zipfile.ZIP_STORED) -> bytes:
    """The parts as an archive whose checksums and sizes fit."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", kind) as archive:
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name), data, kind)
    return stream.getvalue()


def in_config(rng: random.Random) -> bytes:
    """Values of the configuration: any, or a class of a layer."""
    config = json.loads(source()[CONFIG])
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        layers = config["config"]["layers"] if isinstance(config, dict) and "layers" in config.get("config", ()) else []
        kind = rng.randrange(8)
        if kind == 0 and layers and isinstance(layers, list):
            layer = rng.choice(layers)
            if isinstance(layer, dict):
                layer["module"], layer["class_name"] = rng.choice(MODULES), rng.choice(CLASSES)
                layer["registered_name"] = rng.choice((None, "cunet_tf>SemanticBlock", "x>y", 1))
        elif kind in (1, 2) and layers and isinstance(layers, list):
            layer = rng.choice(layers)
            if isinstance(layer, dict) and isinstance(layer.get("config"), dict):
                layer["config"] = _large(layer["config"], rng)
        else:
            config = value_changed(config, rng)
    text = json.dumps(config)
    if rng.random() < 0.02:
        text = text.replace("null", DEEP * rng.choice((1, 50)) * "[", 1)
    return zipped({**source(), CONFIG: text.encode()})


def _large(config: dict, rng: random.Random) -> dict:
    """A layer of another size, mostly a huge one."""
    names = [name for name, value in config.items() if isinstance(value, int) and not isinstance(value, bool)]
    size = rng.choice((-1, 0, 1, 3, 9, 4096, 10**5, 10**6, 10**9, 2**31, 2**63, 10**30))
    if names and rng.random() < 0.8:
        return {**config, rng.choice(names): size}
    if "batch_shape" in config:
        return {
            **config,
            "batch_shape": [rng.choice((None, 1, size)), size, rng.choice((64, size)), rng.choice((3, size))],
        }
    return value_changed(config, rng)


def in_text(rng: random.Random) -> bytes:
    """Bytes of the configuration."""
    return zipped({**source(), CONFIG: rng.choice((bytes_changed, cut))(source()[CONFIG], rng)})


def in_hdf5_bytes(rng: random.Random) -> bytes:
    """Bytes of the file of variables, mostly where its headers are."""
    data = source()[WEIGHTS]
    if rng.random() < 0.3:
        return zipped({**source(), WEIGHTS: rng.choice((bytes_changed, bytes_changed, cut))(data, rng)})
    changed = bytearray(data)
    marks = [place for mark in (b"TREE", b"SNOD", b"HEAP", b"\x89HDF") for place in _all(data, mark)]
    for _ in range(rng.choice((1, 1, 2, 4))):
        place = rng.choice(marks) + rng.randrange(-256, 256)
        place = max(0, min(place, len(data) - 8))
        width = rng.choice((1, 2, 4, 8))
        number = rng.choice((*NUMBERS, rng.randrange(len(data)), 2**64 - 1, rng.getrandbits(64))) % 2 ** (8 * width)
        changed[place : place + width] = number.to_bytes(width, "little")
    return zipped({**source(), WEIGHTS: bytes(changed)})


def _all(data: bytes, mark: bytes) -> list[int]:
    found, place = [], data.find(mark)
    while place >= 0:
        found.append(place)
        place = data.find(mark, place + 1)
    return found


def in_arrays(rng: random.Random) -> bytes:
    """Arrays of other shapes, types and kinds; links that lead elsewhere."""
    stream = io.BytesIO(source()[WEIGHTS])
    with h5py.File(stream, "r+") as file:
        names: list[str] = []
        file.visit(names.append)
        for name in rng.sample(names, rng.choice((1, 1, 2))):
            if name in file:
                _replace(file, name, rng)
    return zipped({**source(), WEIGHTS: stream.getvalue()})


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


def in_archive(rng: random.Random) -> bytes:
    """Bytes of the archive."""
    return rng.choice((bytes_changed, cut))(zipped(source(), rng.choice((0, 8))), rng)


def in_directory(rng: random.Random) -> bytes:
    """Numbers and names of the archive's tables: sizes that lie, other ways of packing, flags, offsets."""
    data = bytearray(zipped(source(), rng.choice((0, 8))))
    for _ in range(rng.choice((1, 1, 2))):
        start = rng.choice(_all(data, b"PK\x01\x02") + _all(data, b"PK\x03\x04") + _all(data, b"PK\x05\x06"))
        field, width = rng.choice(FIELDS)
        place = min(start + field, len(data) - 4)
        old = int.from_bytes(data[place : place + width], "little")
        new = rng.choice((*NUMBERS, old + 1, max(old - 1, 0), old * 2)) % 2 ** (8 * width)
        data[place : place + width] = new.to_bytes(width, "little")
    return bytes(data)


def in_parts(rng: random.Random) -> bytes:
    """Parts that are missing, there twice, empty, exchanged, or of other names."""
    parts, kind = dict(source()), rng.randrange(6)
    name = rng.choice(list(parts))
    if kind == 0:
        del parts[name]
    elif kind == 1:
        parts[name] = rng.choice((b"", b"{}", b"null", b"[]", rng.randbytes(100)))
    elif kind == 2:
        parts[rng.choice(("/etc/x", "../x", "assets/x", "x" * 60000, "config.json/", "C:\\x"))] = b"x"
    elif kind == 3:
        parts[CONFIG], parts[WEIGHTS] = parts[WEIGHTS], parts[CONFIG]
    elif kind == 4:
        return zipped(parts, rng.choice((zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)))
    else:
        data, other = zipped(parts), rng.choice((WEIGHTS, METADATA)).encode()
        return data.replace(rng.choice((CONFIG, METADATA)).encode(), other[:11].ljust(11, b"_"))
    return zipped(parts)


@functools.cache
def _zeros(count: int) -> bytes:
    return bytes(count)


def bomb(rng: random.Random) -> bytes:
    """A part that unpacks to more than it says, or to very much."""
    name, size = rng.choice((CONFIG, WEIGHTS)), rng.choice((20 * MIB, 80 * MIB))
    fill = _zeros(size) if name == WEIGHTS else b"[" * size if rng.random() < 0.5 else b" " * size
    data = bytearray(zipped({**source(), name: fill}, zipfile.ZIP_DEFLATED))
    for start in _all(data, b"PK\x01\x02"):
        if rng.random() < 0.5:
            struct.pack_into("<I", data, start + 24, rng.choice((100, 2**24, 2**31, 2**32 - 1)))
    return bytes(data)


KINDS = {
    in_config: 40, in_text: 4, in_hdf5_bytes: 25, in_arrays: 14, in_archive: 5, in_directory: 8, in_parts: 5, bomb: 0.3,
}  # fmt: skip


def write(rng: random.Random, folder: Path) -> None:
    """A damaged file."""
    kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
    (folder / ENTRY).write_bytes(kind(rng))


def read(path: Path) -> None:
    """What ``cunet info`` and every command that loads a network do.

    Raises:
        CUNetError: refused.
    """
    from cunet_tf.engines import load_engine

    try:
        keras_spec(path)
    except CUNetError as error:
        assert path.name in str(error) and "\n" not in str(error), error
    load_engine(str(path))


TARGET = Target("keras", 20, ENTRY, write=write, read=read, memory=1024 * MIB, seconds=20.0)
