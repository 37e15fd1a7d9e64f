"""YOLO's ``data.yaml``, its lists of pictures and its label files; Label Studio's notes."""

import functools
import random
from pathlib import Path

import cv2
import numpy as np
import yaml

from cunet_tf.data.yolo import load_yolo
from tests.fuzz.changes import bytes_changed, cut
from tests.fuzz.json_file import require_true
from tests.fuzz.target import Target
from tests.fuzz.values import NAMES, changed, json_text

FIELDS = {"path": ".", "train": "images/train", "kpt_shape": [3, 3], "flip_idx": [1, 0, 2],
          "names": {0: "cat"}, "kpt_names": {0: ["left_eye", "right_eye", "nose"]}}  # fmt: skip
NOTES = {"categories": [{"id": 0, "name": "cat", "keypoints": ["left eye", "right eye", "nose"]}], "info": {}}
LABEL = "0 0.5 0.5 0.4 0.4 0.4 0.4 2 0.6 0.4 1 0 0 0"
WORDS = ("nan", "inf", "-1", "1e9", "1e-9", "x", "1" * 5000, "", "0.5 " * 2000, "\0", "2", "0", "٣")
LAUGHS = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\ntrain: *c\n"
ODD = ("[" * 2000, "train: a\ntrain: b\n", "x: 2020-13-45\n", "? [a]\n: 1\n", "x: !!python/name:os\n")
LISTED = ("images/train/0.png", "../0.png", "/etc/passwd", *NAMES)


@functools.cache
def picture() -> bytes:
    """A small grey picture."""
    return cv2.imencode(".png", np.full((20, 24, 3), 128, np.uint8))[1].tobytes()


def _yaml(rng: random.Random) -> bytes:
    text = yaml.safe_dump(changed(FIELDS, rng), allow_unicode=rng.random() < 0.5)
    kind = rng.randrange(12)
    if kind == 0:
        text = LAUGHS + text
    elif kind == 1:
        text += rng.choice(ODD)
    elif kind == 2:
        text += "x: " + "y" * rng.choice((1000, 300_000))
    return text.encode()


def _labels(rng: random.Random) -> bytes:
    words = LABEL.split()
    for _ in range(rng.choice((1, 1, 2))):
        words[rng.randrange(len(words))] = rng.choice(WORDS)
    return "\n".join([LABEL, " ".join(words), *[LABEL] * rng.choice((0, 0, 100))]).encode()


def write(rng: random.Random, folder: Path) -> None:
    """A data set of one picture, one of its files damaged."""
    for part in ("images/train", "labels/train"):
        (folder / part).mkdir(parents=True)
    files = {"images/train/0.png": picture(), "labels/train/0.txt": LABEL.encode(), "data.yaml": _plain(FIELDS)}
    damaged = rng.choice(("data.yaml", "data.yaml", "labels/train/0.txt", "list.txt", "notes.json"))
    if damaged == "notes.json":
        del files["data.yaml"]
        files[damaged] = json_text(changed(NOTES, rng), rng)
    elif damaged == "list.txt":
        files["data.yaml"] = _plain({**FIELDS, "train": "list.txt"})
        files[damaged] = "\n".join(rng.choices(LISTED, k=3)).encode()
    else:
        files[damaged] = _yaml(rng) if damaged == "data.yaml" else _labels(rng)
    if rng.random() < 0.15:
        files[damaged] = rng.choice((bytes_changed, cut))(files[damaged] or b" ", rng)
    for name, data in files.items():
        (folder / name).write_bytes(data)


def _plain(fields: dict) -> bytes:
    return yaml.safe_dump(fields).encode()


def read(folder: Path) -> None:
    """The loader."""
    require_true(load_yolo(folder), folder)


TARGET = Target("yolo", 40, ".", write=write, read=read, memory=256 << 20)
