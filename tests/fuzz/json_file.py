"""Annotations in JSON: our folder's, COCO's, MPII's excerpt, Label Studio's notes."""

import os
import random
from pathlib import Path

import numpy as np

from cunet_tf.data.coco import load_coco
from cunet_tf.data.folder import load_folder
from cunet_tf.data.mpii import load_mpii
from cunet_tf.data.sample import Source
from cunet_tf.reading import FARTHEST
from tests.fuzz.changes import bytes_changed, cut
from tests.fuzz.target import Target
from tests.fuzz.values import changed, json_text

SKELETON = {"name": "cat", "names": ["left_eye", "right_eye", "nose"], "flip_pairs": [["left_eye", "right_eye"]],
            "edges": [["left_eye", 2], [1, "nose"]], "normalizer": ["left_eye", "right_eye"]}  # fmt: skip
FOLDER = {
    "skeleton": SKELETON,
    "images": [
        {"file": "a.png", "split": "train", "points": [[10, 12.5], [20, 12, 1], [15, 18, True]]},
        {"file": "sub/b.png", "split": "test", "points": [[10, 12], [20, 13, 0], None], "box": [4, 5.5, 30, 31]},
    ],
}
COCO = {
    "images": [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "sub/b.png"}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "bbox": [1, 2, 30, 40],
         "keypoints": [5, 6, 2, 20, 21, 1, 0, 0, 0]},
        {"id": 2, "image_id": 2, "category_id": 1, "keypoints": [5, 6, 2, 20, 21, 1, 9.5, 30, 2]},
    ],
    "categories": [{"id": 1, "name": "cat", "keypoints": SKELETON["names"], "skeleton": [[1, 3], [2, 3]]}],
}  # fmt: skip
MPII = [
    {"image": "a.jpg", "center": [30, 20], "scale": 2, "joints": [[i, 2 * i] for i in range(16)],
     "joints_vis": [1] * 15 + [0]}
] * 2  # fmt: skip
FILES = {"landmarks.json": FOLDER, "coco.json": COCO, "train.json": MPII}


def write(rng: random.Random, folder: Path) -> None:
    """One of the files, its values or its bytes damaged."""
    name = rng.choice(list(FILES))
    data = json_text(changed(FILES[name], rng), rng)
    if rng.random() < 0.15:
        data = rng.choice((bytes_changed, cut))(data or b"{}", rng)
    (folder / name).write_bytes(data)


def read(folder: Path) -> None:
    """The loader of the file that is there.

    Raises:
        AssertionError: see :func:`require_true`.
    """
    (file,) = folder.iterdir()
    load = {"landmarks.json": load_folder, "coco.json": load_coco, "train.json": load_mpii}[file.name]
    source = load(file if file.name == "coco.json" else folder, "train" if file.name == "train.json" else "all")
    require_true(source, folder)


def require_true(source: Source, folder: Path) -> None:
    """What was accepted can be true.

    Raises:
        AssertionError: points or boxes that are none, names twice, or pictures outside the folder.
    """
    names = [sample.name for sample in source]
    assert len(set(names)) == len(names), "a name stands twice"
    for sample in source:
        assert sample.points.shape == (source.skeleton.size, 2) and np.abs(sample.points).max() <= FARTHEST
        assert np.isin(sample.mask, (0, 1)).all()
        assert np.isfinite(sample.box).all() and (sample.box[2:] >= sample.box[:2]).all()
        assert os.path.realpath(sample.picture).startswith(os.path.join(os.path.realpath(folder), ""))


TARGET = Target("json", 150, ".", write=write, read=read, memory=256 << 20)
