"""``landmarks.csv`` with and without ``skeleton.json``: cells, columns, quotes and encodings."""

import csv
import io
import random
from pathlib import Path

from cunet_tf.data.folder import load_folder
from tests.fuzz.changes import bytes_changed, cut
from tests.fuzz.json_file import SKELETON, require_true
from tests.fuzz.target import Target
from tests.fuzz.values import NAMES, changed, json_text

ROWS = [
    ["file", "split", *(f"{name}_{axis}" for name in SKELETON["names"] for axis in "xy"),
     "box_x0", "box_y0", "box_x1", "box_y1"],
    ["a.png", "train", 10, 12.5, 20, 12, 15, 18, "", "", "", ""],
    ["sub/b.png", "test", 10, 12, "", "", "", "", 4, 5.5, 30, 31],
]  # fmt: skip
CELLS = ("", "nan", "inf", "-1e999", "1e7", "1_0", "0x10", '"', "'", ",", "\n", "\r", "x" * 200_000, "1" * 500, "1,5",
         "=1+1", "\u0663", "left_eye_x", "file", "box_x0", "_x", "_y", " 5 ", *NAMES)  # fmt: skip


def _table(rng: random.Random) -> list[list]:
    rows = [list(row) for row in ROWS]
    for _ in range(rng.choice((1, 1, 2, 4))):
        row = rng.choice(rows)
        place = rng.randrange(len(row) or 1)
        kind = rng.randrange(6)
        if kind < 3 and row:
            row[place] = rng.choice(CELLS)
        elif kind == 3:
            del row[place : place + 1]
        elif kind == 4:
            cell = rng.choice(CELLS)
            row[place:place] = [cell] * rng.choice((1, 1, 2, 10_000 if len(cell) < 10 else 3))
        else:
            rows.insert(rng.randrange(len(rows) + 1), list(row))
    return rows


def write(rng: random.Random, folder: Path) -> None:
    """A damaged table; beside a third of them the skeleton, damaged or not."""
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=rng.choice(",,,,,,,,;\t"), lineterminator=rng.choice(("\n", "\r\n", "\r")))
    writer.writerows(_table(rng))
    text = stream.getvalue()
    if rng.random() < 0.1:
        place = rng.randrange(len(text) + 1)
        text = text[:place] + rng.choice(('"', '""', "\0", '"x')) + text[place:]
    data = text.encode(rng.choice(("utf-8",) * 10 + ("utf-8-sig", "utf-16", "utf-32")))
    if rng.random() < 0.2:
        data = rng.choice((bytes_changed, cut))(data, rng)
    (folder / "landmarks.csv").write_bytes(data)
    if rng.random() < 0.3:
        skeleton = SKELETON if rng.random() < 0.5 else changed(SKELETON, rng)
        (folder / "skeleton.json").write_bytes(json_text(skeleton, rng))


def read(folder: Path) -> None:
    """The folder's loader."""
    require_true(load_folder(str(folder)), folder)


TARGET = Target("csv", 100, ".", write=write, read=read, memory=256 << 20)
