"""A ``.keras`` file taken apart with care: a zip archive of three parts, looked at before they are unpacked.

Keras and zipfile believe what an archive says of itself. Here only the parts that Keras writes are taken, in the
two ways of packing that it and we use, and never more of them than they declare.
"""

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

from cunet_tf.errors import CUNetError, reason

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
LIMITS = {CONFIG: 1 << 24, METADATA: 1 << 16, WEIGHTS: 1 << 31}  # bytes unpacked; the shipped ones have 40 kB and 2 MB
END, END_BYTES = b"PK\x05\x06", 22  # of a zip archive, where nothing is said behind it
LARGEST_DIRECTORY = 1 << 12  # bytes; three parts take some 200
DEEPEST = 64  # levels of the configuration; the networks of all kinds have at most 15


def read_parts(path: Path, *names: str) -> list[bytes]:
    """Parts of a ``.keras`` file.

    Raises:
        CUNetError: no such file, not an archive of these parts, a damaged one, or one that unpacks to too much.
    """
    if not path.is_file():
        raise CUNetError(f"{path}: no such model file.")
    try:
        _check_end(path)
        with zipfile.ZipFile(path) as archive:
            return [_read(archive, _parts(archive), name) for name in names]
    except CUNetError as error:
        raise CUNetError(f"{path}: {error}") from None
    except (OSError, ValueError, RuntimeError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        raise CUNetError(f"{path}: damaged Keras model file ({reason(error)}): save the model again.") from None


def _check_end(path: Path) -> None:
    """Whether the table of contents is where it belongs, and short: zipfile would read one of any size."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(size - END_BYTES, 0))
        end = file.read()
    if len(end) < END_BYTES or end[:4] != END or end[-2:] != b"\0\0":
        raise CUNetError("not a Keras model file (.keras): give one written by model.save.")
    if int.from_bytes(end[12:16], "little") > LARGEST_DIRECTORY or size > sum(LIMITS.values()):
        raise CUNetError("holds more than the parts of a Keras model: save the model again.")


def _parts(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The table of contents, every entry of which is known, there once and not too large."""
    parts: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        name = info.filename
        if name not in LIMITS or name in parts:
            what = "twice" if name in parts else "which no Keras model of ours has"
            raise CUNetError(f"holds the part {name[:100]!r}, {what}: save the model again.")
        if info.file_size > LIMITS[name]:
            raise CUNetError(f"{name} unpacks to {info.file_size:,} bytes, the limit is {LIMITS[name]:,}.")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
            raise CUNetError(f"{name} is encrypted, or packed in a way that Keras does not use: save the model again.")
        parts[name] = info
    return parts


def _read(archive: zipfile.ZipFile, parts: dict[str, zipfile.ZipInfo], name: str) -> bytes:
    if name not in parts:
        raise CUNetError(f"not a Keras model file (no {name} in it): give one written by model.save.")
    with archive.open(parts[name]) as part:
        data = part.read(parts[name].file_size + 1)
    if len(data) != parts[name].file_size:
        raise CUNetError(f"{name} has {len(data):,} bytes instead of {parts[name].file_size:,}: save the model again.")
    return data


def read_config(data: bytes) -> dict[str, Any]:
    """The configuration of a model as JSON gives it, which has the form of one and is not too deep.

    Raises:
        CUNetError: it is not.
    """
    try:
        config = json.loads(data)
        json.dumps(config, ensure_ascii=False).encode()  # half a character could not be printed
    except (ValueError, RecursionError) as error:
        raise CUNetError(f"{CONFIG} is not JSON ({reason(error)}): save the model again.") from None
    inner = config.get("config") if isinstance(config, dict) else None
    layers = inner.get("layers", []) if isinstance(inner, dict) else None
    if not isinstance(layers, list) or not isinstance(config.get("class_name"), str):
        raise CUNetError(f"{CONFIG} does not describe a Keras model: save the model again.")
    for layer in layers:
        known = isinstance(layer, dict) and all(isinstance(layer.get(key), str) for key in ("class_name", "module"))
        if not known or not isinstance(layer.get("config"), dict):
            raise CUNetError(f"{CONFIG} has a layer without class, module or configuration: save the model again.")
    level, values = 0, [config]
    while values:
        level += 1
        if level > DEEPEST:
            raise CUNetError(f"{CONFIG} is nested more than {DEEPEST} levels deep: save the model again.")
        inside = [
            each.values() if isinstance(each, dict) else each for each in values if isinstance(each, (dict, list))
        ]
        values = [value for part in inside for value in part]
    return config
