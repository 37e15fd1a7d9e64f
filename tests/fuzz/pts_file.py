"""The ``.pts`` files of 300-W."""

import random
from pathlib import Path

import numpy as np

from cunet_tf.data.w300 import read_pts
from tests.fuzz.changes import bytes_changed, cut
from tests.fuzz.target import Target

LINES = ["version: 1", "n_points: 68", "{", *(f"{10 + i}.25 {200 - i}.5" for i in range(68)), "}"]
WORDS = ("{", "}", "nan", "inf", "1e999", "-1e7", "1" * 5000, "x" * 5000, "", "{ 1 2 }", "n_points: 99999999999",
         "1", "1 2", "1 2 3", "\0", "\x1b[2J", "1,5 2", "0x10 1", "٣ ٤", "n_points: -1", "n_points:")  # fmt: skip


def write(rng: random.Random, folder: Path) -> None:
    """Damaged lines or bytes."""
    lines = list(LINES)
    for _ in range(rng.choice((0, 1, 1, 2, 4))):
        place = rng.randrange(len(lines))
        kind = rng.randrange(4)
        if kind == 0:
            lines[place] = rng.choice(WORDS)
        elif kind == 1:
            line = rng.choice((*WORDS, *LINES))
            lines[place:place] = [line] * rng.choice((1, 1, 5000 if len(line) < 100 else 2))
        elif kind == 2:
            del lines[place : place + rng.choice((1, 1, 3))]
        else:
            lines[place] = lines[place].replace(rng.choice(" .15"), rng.choice(("", " ", "\t", ".", "-", "e")), 1)
    data = rng.choice(("\n", "\n", "\r\n", "\r")).join(lines).encode(rng.choice(("utf-8",) * 10 + ("utf-16",)))
    if rng.random() < 0.3:
        data = rng.choice((bytes_changed, cut))(data, rng)
    (folder / "face.pts").write_bytes(data)


def read(path: Path) -> None:
    """What is accepted are 68 points.

    Raises:
        AssertionError: others came out.
    """
    points = read_pts(path)
    assert points.shape == (68, 2) and np.isfinite(points).all()


TARGET = Target("pts", 50, "face.pts", write=write, read=read, memory=64 << 20)
