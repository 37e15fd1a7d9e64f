"""``.keras`` files: the zip archive, the configuration as JSON, the variables as HDF5, and bombs of each."""

import functools
import io
import json
import random
import struct
import tempfile
import zipfile
from pathlib import Path

from cunet_tf.commands.info_model import keras_spec
from cunet_tf.errors import CUNetError
from cunet_tf.files.keras_archive import CONFIG, METADATA, WEIGHTS
from tests.fuzz.changes import NUMBERS, bytes_changed, cut
from tests.fuzz.hdf5_file import damaged, marked
from tests.fuzz.target import MIB, Target
from tests.fuzz.values import DEEP, changed, json_text

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
    from tests.networks import spec_of

    model = build_network(spec_of(shape="small"))
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
            config = changed(config, rng)
    text = json_text(config, rng)
    if rng.random() < 0.02:
        text = text.replace(b"null", DEEP * rng.choice((1, 50)) * b"[", 1)
    return zipped({**source(), CONFIG: text})


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
    return changed(config, rng)


def in_text(rng: random.Random) -> bytes:
    """Bytes of the configuration."""
    return zipped({**source(), CONFIG: rng.choice((bytes_changed, cut))(source()[CONFIG], rng)})


def in_weights(rng: random.Random) -> bytes:
    """The file of variables, see :mod:`tests.fuzz.hdf5_file`."""
    return zipped({**source(), WEIGHTS: damaged(source()[WEIGHTS], rng)})


def in_archive(rng: random.Random) -> bytes:
    """Bytes of the archive."""
    return rng.choice((bytes_changed, cut))(zipped(source(), rng.choice((0, 8))), rng)


def in_directory(rng: random.Random) -> bytes:
    """Numbers and names of the archive's tables: sizes that lie, other ways of packing, flags, offsets."""
    data = bytearray(zipped(source(), rng.choice((0, 8))))
    for _ in range(rng.choice((1, 1, 2))):
        start = rng.choice(marked(data, b"PK\x01\x02") + marked(data, b"PK\x03\x04") + marked(data, b"PK\x05\x06"))
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
    for start in marked(data, b"PK\x01\x02"):
        if rng.random() < 0.5:
            struct.pack_into("<I", data, start + 24, rng.choice((100, 2**24, 2**31, 2**32 - 1)))
    return bytes(data)


KINDS = {
    in_config: 40, in_text: 4, in_weights: 39, in_archive: 5, in_directory: 8, in_parts: 5, bomb: 0.3,
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
