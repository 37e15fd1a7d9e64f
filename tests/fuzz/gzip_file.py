"""``.tflite.gz`` files: the packed bytes, the header and the trailer, the network inside, and bombs."""

import functools
import gzip
import random
import struct
import zlib
from pathlib import Path

from cunet_tf.engines import load_engine
from cunet_tf.files.tflite import LARGEST
from tests.fuzz.changes import NUMBERS, bytes_changed, cut
from tests.fuzz.target import Target
from tests.fuzz.tflite_file import KINDS as NETWORKS
from tests.fuzz.tflite_file import sources

ENTRY = "model.tflite.gz"
HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"


def zipped(data: bytes, crc: int | None = None, size: int | None = None, level: int = 6) -> bytes:
    """A gzip file, whose trailer may say otherwise."""
    packer = zlib.compressobj(level, wbits=-15)
    body = packer.compress(data) + packer.flush()
    return HEADER + body + struct.pack("<II", zlib.crc32(data) if crc is None else crc, (size or len(data)) % 2**32)


def anywhere(rng: random.Random) -> bytes:
    """Bytes of the file."""
    return rng.choice((bytes_changed, bytes_changed, cut))(zipped(rng.choice(sources())), rng)


def in_header(rng: random.Random) -> bytes:
    """The ten bytes at the beginning: another way of packing, names and checksums that are not there."""
    data = bytearray(zipped(rng.choice(sources())))
    data[rng.randrange(10)] = rng.choice((*range(32), 255, rng.randrange(256)))
    return bytes(data)


def in_trailer(rng: random.Random) -> bytes:
    """Checksum and size that lie."""
    data = rng.choice(sources())
    if rng.random() < 0.5:
        return zipped(data, crc=rng.choice(NUMBERS))
    return zipped(data, size=rng.choice((*NUMBERS[1:], len(data) + 1, LARGEST)))


def in_network(rng: random.Random) -> bytes:
    """A damaged network, well packed."""
    kind = rng.choices(list(NETWORKS), list(NETWORKS.values()))[0]
    return zipped(kind(rng.choice(sources()), rng))


def members(rng: random.Random) -> bytes:
    """Several files behind each other, or nothing."""
    data = zipped(rng.choice(sources()))
    return rng.choice(
        (data + data, data + b"\0" * 100, b"", HEADER, zipped(b""), zipped(b"\0" * 8), gzip.compress(data))
    )


@functools.cache
def _zeros(size: int) -> bytes:
    return zipped(bytes(size), level=9)


def bomb(rng: random.Random) -> bytes:
    """Zeros without end behind a mark that fits."""
    return rng.choice((_zeros(LARGEST + 1), _zeros(LARGEST), zipped(_zeros(LARGEST))))


KINDS = {anywhere: 30, in_header: 10, in_trailer: 10, in_network: 30, members: 10, bomb: 0.3}


def write(rng: random.Random, folder: Path) -> None:
    """A damaged file."""
    (folder / ENTRY).write_bytes(rng.choices(list(KINDS), list(KINDS.values()))[0](rng))


def read(path: Path) -> None:
    """Prepare the network.

    Raises:
        CUNetError: refused.
    """
    load_engine(str(path), threads=1)


TARGET = Target("gzip", 100, ENTRY, write=write, read=read, memory=6 * LARGEST)
