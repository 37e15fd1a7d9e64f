"""COCO keypoints, as COCO has them and as CVAT and Label Studio export them.

``--root`` is the ``.json`` file, or a folder that holds it, itself or in ``annotations/``. Each file is a split,
named by its stem without ``person_keypoints_`` (``train2017``, ``val2017``, CVAT's ``default``); where there is one
file only, its pictures are also ``train`` and ``test``, our own split by file name. Pictures are looked for beside
the file, in ``images/``, in the folder of the split, and one folder up.

A keypoint is ``x, y, v`` in pixels: v = 0 is not annotated; 1 (hidden) and 2 count. Several people in one picture are
several samples. The box is the annotation's ``bbox`` (x, y, width, height), else the tight box of its points.
"""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from cunet_tf.data.fence import Fence
from cunet_tf.data.folder import OWN_SPLIT, own_split, read_object, say_unpaired
from cunet_tf.data.geometry import tight_box
from cunet_tf.data.sample import Sample, Source
from cunet_tf.data.schema import CocoAnnotation, CocoCategory, CocoImage
from cunet_tf.errors import CUNetError, FaultyFile, did_you_mean, shown
from cunet_tf.reading import fitting, require_plain
from cunet_tf.skeletons import Skeleton

PREFIX = "person_keypoints_"
SIDES = (("left", "right"), ("Left", "Right"), ("LEFT", "RIGHT"))
TORSO = ("left_shoulder", "right_hip")
EYES = ("left_eye", "right_eye")


def load_coco(
    root: str | Path, split: str = "all", problems: list[CUNetError] | None = None, allow_outside: bool = False
) -> Source:
    """The annotated objects of one split.

    Args:
        root: see the module's docstring.
        split: ``all``, a file's name without prefix and ending, or ``train`` and ``test`` of a single file.
        problems: takes the faults of single annotations, which are then left out.
        allow_outside: pictures may lie outside the root.

    Returns:
        Points 0-based, in the files' order. Crowds and objects without a keypoint are left out.

    Raises:
        CUNetError: names the file, the entry and the field that is wrong.
    """
    files = _files(Path(root))
    named = {file.stem.removeprefix(PREFIX): file for file in files}
    own = len(files) == 1 and split in ("train", "test") and split not in named
    known = ["all", *named, *(("train", "test") if len(files) == 1 else ())]
    if split != "all" and not own and split not in named:
        raise CUNetError(f"coco split {split!r}: {did_you_mean(split, list(dict.fromkeys(known)))}")
    chosen = {split: named[split]} if split in named else named
    parts = [
        _read(file, name, problems, _Places(Path(root), file, name, allow_outside)) for name, file in chosen.items()
    ]
    skeletons = {skeleton.names: skeleton for skeleton, _ in parts}
    if len(skeletons) > 1:
        raise CUNetError(f"{root}: the files name different keypoints: choose one of the splits {', '.join(named)}.")
    say_unpaired(parts[0][0], f"{root}, keypoints whose names differ by left and right")
    samples = [sample for _, part in parts for sample in part]
    if own:
        samples = [sample for sample in samples if own_split(str(sample.name).split("#")[0]) == split]
    if not samples:
        raise CUNetError(f"{root}: no object with keypoints in split {split!r}: use --split=all.")
    return Source("coco", split + OWN_SPLIT if own else split, next(iter(skeletons.values())), samples, "given")


def _files(root: Path) -> list[Path]:
    if root.is_file():
        return [root]
    found = sorted(file for folder in (root, root / "annotations") for file in folder.glob("*.json"))
    files = [file for file in found if _is_coco(file)]
    if not files:
        raise CUNetError(
            f"--root={root}: no COCO keypoints file here or in annotations/ (a .json with images, annotations and "
            "categories)."
        )
    return files


def _is_coco(file: Path) -> bool:
    try:
        content = read_object(file)
    except CUNetError:
        return False
    return all(isinstance(content.get(name), list) for name in ("images", "annotations", "categories"))


def _read(
    file: Path, split: str, problems: list[CUNetError] | None, places: "_Places"
) -> tuple[Skeleton, list[Sample]]:
    """The skeleton and the samples of one file."""
    content = read_object(file)
    for field in ("images", "annotations", "categories"):
        if not isinstance(content.get(field), list):
            raise CUNetError(f"{file}, {field}: missing, or no list: this is no COCO keypoints file.")
    category, skeleton = _skeleton(file, content["categories"])
    pictures = _pictures(file, content["images"])
    samples: list[Sample] = []
    seen: Counter[str] = Counter()
    for index, entry in enumerate(content["annotations"]):
        where = f"{file}, annotations[{index}]"
        try:
            made = _sample(where, fitting(entry, CocoAnnotation, where), pictures, category, skeleton)
            picture = made and places.of(made[0], f"{where}, image_id")
        except CUNetError as error:
            if problems is None:
                raise
            problems.append(FaultyFile("annotation", file, str(error)))
            continue
        if made is None or picture is None:
            continue
        name, points, mask, box = made
        seen[name] += 1
        whole = name if seen[name] == 1 else f"{name}#{seen[name]}"
        samples.append(Sample(whole, split, points, mask, box, picture))
    return skeleton, samples


def _pictures(file: Path, images: list[Any]) -> dict[Any, str]:
    """File names by id."""
    found: dict[Any, str] = {}
    for index, entry in enumerate(images):
        image = fitting(entry, CocoImage, f"{file}, images[{index}]")
        if found.setdefault(image.id, image.file_name) != image.file_name:
            raise CUNetError(f"{file}, images[{index}], id: {shown(image.id)} is another picture's too: correct it.")
    return found


def _skeleton(file: Path, categories: list[Any]) -> tuple[Any, Skeleton]:
    """The one category with keypoints: its id, and its skeleton; mirror pairs follow from ``left`` and ``right``."""
    every = [fitting(each, CocoCategory, f"{file}, categories[{index}]") for index, each in enumerate(categories)]
    found = [each for each in every if each.keypoints]
    if len(found) != 1:
        some = ", ".join(str(each.name) for each in found[:20]) or "none"
        raise CUNetError(f"{file}, categories: one with keypoints is needed, here have some: {some}. Export one alone.")
    (category,) = found
    names = [name.strip().replace(" ", "_") for name in category.keypoints or ()]
    require_plain([*names, category.name or ""], f"{file}, categories, keypoints and name")
    (twice, count), *_ = Counter(names).most_common(1)
    if count > 1:
        raise CUNetError(f"{file}, categories, keypoints: {twice!r} stands there twice: rename one.")
    edges = category.skeleton or []
    if any(not 1 <= end <= len(names) for edge in edges for end in edge):
        raise CUNetError(f"{file}, categories, skeleton: {shown(edges)} are no pairs of places from 1 to {len(names)}.")
    return category.id, Skeleton(
        name=category.name or "coco", names=tuple(names), flip_pairs=mirror_pairs(names) or None,
        edges=tuple((start - 1, end - 1) for start, end in edges), normalizers=named_normalizers(names),
    )  # fmt: skip


def mirror_pairs(names: list[str]) -> tuple[tuple[int, int], ...]:
    """Pairs of names that differ by ``left`` and ``right`` alone, as (left, right)."""
    pairs = []
    for index, name in enumerate(names):
        for left, right in SIDES:
            partner = name.replace(left, right)
            if partner != name and partner in names:
                pairs.append((index, names.index(partner)))
    return tuple(pairs)


def named_normalizers(names: list[str]) -> dict[str, tuple[tuple[int, ...], tuple[int, ...]]]:
    """The torso of a body, the distance of the eyes of a face; the box serves others."""
    known = {"torso": TORSO, "eyes": EYES}
    name = next((name for name, ends in known.items() if set(ends) <= set(names)), None)
    return {name: ((names.index(known[name][0]),), (names.index(known[name][1]),))} if name else {}


def _sample(
    where: str, entry: CocoAnnotation, pictures: dict[Any, str], category: object, skeleton: Skeleton
) -> tuple[str, np.ndarray, np.ndarray, np.ndarray] | None:
    """Picture, points, mask and box; ``None`` for crowds, other categories and objects without keypoints."""
    if entry.category_id not in (None, category) or entry.iscrowd:
        return None
    name = pictures.get(entry.image_id)
    if name is None:
        raise CUNetError(f"{where}, image_id: {shown(entry.image_id)} is the id of no image with a file_name.")
    if not entry.keypoints:
        return None
    if len(entry.keypoints) != 3 * skeleton.size:
        count = len(entry.keypoints)
        raise CUNetError(f"{where}, keypoints: {count} numbers, {3 * skeleton.size} are needed (x, y, v each).")
    triples = np.array(entry.keypoints).reshape(-1, 3)
    mask = (triples[:, 2] > 0).astype(np.float32)
    if not mask.any():
        return None
    points = np.where(mask[:, None] > 0, triples[:, :2], 0.0).astype(np.float32)
    return Path(name).as_posix(), points, mask, _box(entry.bbox or [], points, mask, where)


def _box(value: list[float], points: np.ndarray, mask: np.ndarray, where: str) -> np.ndarray:
    if len(value) not in (0, 4):
        raise CUNetError(f"{where}, bbox: {len(value)} numbers, x, y, width, height are needed.")
    numbers = np.array(value)
    if len(numbers) and (numbers[2:] > 0).all():
        return np.concatenate([numbers[:2], numbers[:2] + numbers[2:]])
    box = tight_box(points, mask)
    if not (box[2:] > box[:2]).any():
        raise CUNetError(f"{where}, bbox: missing, and {int(mask.sum())} keypoints make no box: add one.")
    return box


class _Places:
    """Where the pictures of a file lie: beside it, in ``images/``, in the split's folder, and one folder up."""

    def __init__(self, root: Path, file: Path, split: str, allow_outside: bool):
        bases = (file.parent, file.parents[1]) if len(file.parents) > 1 else (file.parent,)
        # One folder up may be above the root: then a name must stay below that.
        within = [root if root.is_dir() and base.is_relative_to(root) else base for base in bases]
        self._folders = [
            (base / folder, Fence(limit, allow_outside))
            for base, limit in zip(bases, within, strict=True)
            for folder in (".", "images", split, f"images/{split}")
        ]

    def of(self, name: str, where: str) -> Path:
        """The picture's place; the first one where none has it, for the message of the reader."""
        places = [(folder / name, fence) for folder, fence in self._folders]
        place, fence = next((each for each in places if os.path.isfile(each[0])), places[0])
        return fence.passed(place, where)
