"""Films: MP4 whose boxes are of other sizes and say other numbers, AVI, both cut."""

import contextlib
import functools
import random
import struct
import tempfile
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from cunet_tf.data.sample import limit_megapixels
from cunet_tf.errors import CUNetError
from cunet_tf.video import FrameReader
from tests.fuzz.changes import NUMBERS, bytes_changed, cut
from tests.fuzz.mp4_atoms import boxes, index_first
from tests.fuzz.target import Target

LIMIT = 1.0  # megapixels
SIDES = (0, 1, 47, 48, 64, 1000, 1001, 30_000, 65_535)
FRAMES = 50  # at most that many are looked at


@functools.cache
def sources() -> tuple[bytes, ...]:
    """A sound film of 8 frames as MP4, the index behind or before them, and as AVI."""
    films = []
    for ending, code in ((".mp4", "mp4v"), (".avi", "MJPG")):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, f"a{ending}")
            writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*code), 10.0, (64, 48))
            for index in range(8):
                writer.write(np.full((48, 64, 3), 20 * index, np.uint8))
            writer.release()
            films.append(file.read_bytes())
    return films[0], index_first(films[0]), films[1]


def in_boxes(data: bytes, rng: random.Random) -> bytes:
    """Sizes, names and numbers of an MP4's boxes; of an AVI any number of its header."""
    body, found = bytearray(data), list(boxes(data))
    avi = data[:4] == b"RIFF"
    for _ in range(rng.choice((1, 1, 2, 3))):
        place, size, _ = rng.choice(found)
        if avi:
            struct.pack_into("<I", body, 4 * rng.randrange(min(len(body), 512) // 4), rng.choice(NUMBERS))
        elif rng.random() < 0.3:
            struct.pack_into(">I", body, place, rng.choice((*NUMBERS, size + 1, size - 1, size + 8)))
        else:
            spot = min(place + 8 + 2 * rng.randrange(max((size - 8) // 2, 1)), len(body) - 4)
            struct.pack_into(">I", body, spot, rng.choice(NUMBERS))
    return bytes(body)


def in_sides(data: bytes, rng: random.Random) -> bytes:
    """Width and height, where the header says them."""
    body, sides = bytearray(data), [rng.choice(SIDES), rng.choice(SIDES)]
    places = [64, 176] if data[:4] == b"RIFF" else [data.index(b"mp4v", data.index(b"stsd")) + 28]
    for place in places:
        struct.pack_into("<II" if data[:4] == b"RIFF" else ">HH", body, place, *sides)
    return bytes(body)


KINDS = {in_boxes: 6, in_sides: 1, bytes_changed: 3, cut: 2}


def write(rng: random.Random, folder: Path) -> None:
    """A damaged film."""
    data = rng.choices(list(KINDS), list(KINDS.values()))[0](rng.choice(sources()), rng)
    (folder / "film.mp4").write_bytes(data)


def read(path: Path) -> None:
    """Its first frames.

    Raises:
        CUNetError: refused, or fewer frames came than its header promises.
        AssertionError: a frame that is none, or is larger than allowed.
    """
    limit_megapixels(LIMIT)
    with contextlib.closing(FrameReader(path)) as reader:
        for seconds, frame in islice(reader, FRAMES):
            assert seconds >= 0 and frame.dtype == np.uint8 and frame.ndim == 3
            assert frame.shape[0] * frame.shape[1] <= LIMIT * 1e6
        if reader.shortfall:  # a notice of the command
            raise CUNetError(reader.shortfall)


TARGET = Target("video", 60, "film.mp4", write=write, read=read, seconds=20.0)
