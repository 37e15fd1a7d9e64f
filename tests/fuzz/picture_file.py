"""Pictures of every format: PNG chunks with checksums that fit again, JPEG segments, numbers in other headers."""

import functools
import random
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np

from cunet_tf.data.sample import decode_image, glance, limit_megapixels, read_bytes, read_image
from cunet_tf.errors import CUNetError
from tests.fuzz.changes import NUMBERS, bytes_changed, cut
from tests.fuzz.target import Target

LIMIT = 4.0  # megapixels
ENDINGS = (".png", ".jpg", ".webp", ".tiff", ".bmp", ".gif", ".ppm", ".jp2", ".avif")
MADE = (b"PLTE", b"tRNS", b"gAMA", b"eXIf", b"zTXt", b"iCCP", b"acTL", b"fcTL", b"IDAT", b"IEND")  # chunks of a PNG
MARKERS = (0xC0, 0xC2, 0xC4, 0xC9, 0xD8, 0xD9, 0xDA, 0xDB, 0xDD, 0xE1, 0xEE, 0xFE, 0x00)  # of a JPEG
HEIGHTS = (0, 1, 7, 2000, 2049, 65500, 65535)
SIDES = (0, 1, 2, 255, 1000, 2000, 2049, 10_000, 65_500, 2**31 - 1, 2**31, 2**32 - 1)


@functools.cache
def sources() -> dict[str, tuple[bytes, ...]]:
    """Sound pictures by the ending of their format: noise, a flat one, one of four channels or 16 bits."""
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (60, 64, 3), np.uint8), np.full((67, 65, 3), 90, np.uint8)]
    wide = {".png": rng.integers(0, 2**16, (9, 11, 4), np.uint16), ".tiff": rng.integers(0, 2**16, (9, 11), np.uint16)}
    found = {}
    for ending in ENDINGS:
        if cv2.haveImageWriter(f"a{ending}"):
            each = [*images, wide[ending]] if ending in wide else images
            found[ending] = tuple(cv2.imencode(ending, image)[1].tobytes() for image in each)
    return found


def png(data: bytes, rng: random.Random) -> bytes:
    """A chunk's name, data or length; doubled, dropped or made up; the checksums fit."""
    chunks, place = [], 8
    while place + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, place)
        chunks.append([data[place + 4 : place + 8], data[place + 8 : place + 8 + size], size])
        place += 12 + size
    for _ in range(rng.choice((1, 1, 2))):
        index = rng.choice((0, rng.randrange(len(chunks))))
        name, body, size = chunks[index]
        kind = rng.randrange(6)
        if name == b"IHDR" and kind < 4 and len(body) == 13:
            fields = bytearray(body)
            if kind < 2:
                struct.pack_into(">I", fields, 4 * rng.randrange(2), rng.choice(SIDES))
            else:
                fields[8 + rng.randrange(5)] = rng.choice((0, 1, 2, 3, 4, 6, 7, 8, 16, 32, 255))
            chunks[index][1] = bytes(fields)
        elif kind < 3 and body:
            chunks[index][1] = bytes_changed(body, rng)
        elif kind == 3:
            chunks[index][2] = rng.choice((*NUMBERS, size + 1, max(size - 1, 0)))
        elif kind == 4:
            chunks[index:index] = [[name, body, size]] * rng.choice((1, 3))
        else:
            made = rng.choice(MADE)
            text = rng.choice((b"", bytes(6), b"x\0\0" + zlib.compress(bytes(10**6)), rng.randbytes(30)))
            chunks.insert(index + 1, [made, text, len(text)])
    parts = [data[:8]]
    for name, body, size in chunks:
        # A length that was set stays; otherwise that of the data.
        told = len(body) if size == len(body) or rng.random() < 0.9 else size
        parts.append(struct.pack(">I", told) + name + body + struct.pack(">I", zlib.crc32(name + body)))
    return b"".join(parts)


def jpeg(data: bytes, rng: random.Random) -> bytes:
    """Markers, lengths and contents of the segments before the scan."""
    body, places, place = bytearray(data), [], 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        places.append(place)
        if data[place + 1] == 0xDA:
            break
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    for _ in range(rng.choice((1, 1, 2))):
        place = rng.choice(places)
        kind = rng.randrange(4)
        size = int.from_bytes(data[place + 2 : place + 4], "big")
        if kind == 0:
            body[place + 1] = rng.choice(MARKERS)
        elif kind == 1:
            struct.pack_into(">H", body, place + 2, rng.choice((0, 1, 2, 3, size + 1, size - 1, 255, 65535)))
        elif data[place + 1] == 0xC0 and kind == 2:
            struct.pack_into(">H", body, place + 5 + 2 * rng.randrange(2), rng.choice(HEIGHTS))
        else:
            spot = min(place + 4 + rng.randrange(max(size - 2, 1)), len(body) - 1)
            body[spot] = rng.choice((0, 1, 2, 4, 17, 128, 255))
    return bytes(body)


def numbers(data: bytes, rng: random.Random) -> bytes:
    """A number of two or four bytes near the beginning or the end, where headers are."""
    body = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3))):
        reach = rng.choice((32, 64, 256))
        place = rng.randrange(max(min(reach, len(body) - 4), 1))
        place = place if rng.random() < 0.8 else max(len(body) - 4 - place, 0)
        form = rng.choice(("<H", ">H", "<I", ">I"))
        value = rng.choice((*SIDES, *NUMBERS)) % (2 ** (8 * struct.calcsize(form)))
        if len(body) >= 4:
            struct.pack_into(form, body, place, value)
    return bytes(body)


def write(rng: random.Random, folder: Path) -> None:
    """A damaged picture; its ending says nothing of its format."""
    ending = rng.choice(list(sources()))
    data = rng.choice(sources()[ending])
    special = {".png": png, ".jpg": jpeg}.get(ending, numbers)
    kind = rng.choices((special, numbers, bytes_changed, cut), (5, 1, 2, 1))[0]
    (folder / "a.png").write_bytes(kind(data, rng))


def read(path: Path) -> None:
    """By every reader; what comes out is a picture of allowed size.

    Raises:
        AssertionError: it is not.
    """
    limit_megapixels(LIMIT)
    for reader in (glance, lambda file: decode_image(file, read_bytes(file), strict=True)):
        try:
            reader(path)
        except CUNetError:
            continue
    image = read_image(path)
    assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3
    assert 0 < image.shape[0] * image.shape[1] <= LIMIT * 1e6


TARGET = Target("picture", 150, "a.png", write=write, read=read)
