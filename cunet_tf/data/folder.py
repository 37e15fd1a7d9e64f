"""Your own pictures and points: any number of landmarks, in landmarks.json or landmarks.csv.

Coordinates are pixels, (x, y), counted from 0 with pixel centres on integers: the middle of
the top left pixel is (0, 0). Picture files are named relative to the root.

``landmarks.json``::

    {"skeleton": {"name": "cat", "names": ["left_eye", "right_eye", "nose"],
                  "flip_pairs": [["left_eye", "right_eye"]],
                  "edges": [["left_eye", "nose"], ["right_eye", "nose"]],
                  "normalizer": ["left_eye", "right_eye"]},
     "images": [{"file": "a.jpg", "split": "train",
                 "points": [[10, 12.5], [20, 12, 0], null],
                 "box": [4, 4, 30, 30]}]}

A landmark is named, or given by its place from 0. ``flip_pairs`` are what a mirror image
swaps; ``[]`` says that nothing is swapped. The distance between the two landmarks of
``normalizer`` divides the errors. Of the skeleton only ``names`` is required, of an image
``file`` and ``points``. A point is ``[x, y]``, ``[x, y, visible]`` (0: it does not count) or
``null`` (not annotated). Without ``box``, the tight box of the points that count is taken. Several entries of one
file are several objects in one picture.

``landmarks.csv`` has the header ``file,split,NAME_x,NAME_y,...`` and, where wanted,
``box_x0,box_y0,box_x1,box_y1``; empty cells are not annotated. ``skeleton.json`` beside it
holds the skeleton object; without it the names are the header's.
"""

import hashlib
import json
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cunet_tf.data.folder_csv import read_csv
from cunet_tf.data.geometry import tight_box
from cunet_tf.data.sample import Sample, Source
from cunet_tf.errors import CUNetError, did_you_mean
from cunet_tf.skeletons import Skeleton

OWN_SPLIT = " (own split: test is every file whose sha1(name) mod 5 is 0)"
SKELETON_FIELDS = ("name", "names", "flip_pairs", "edges", "normalizer")
Entries = list[tuple[str, dict[str, Any]]]  # where an entry stands, and its fields as in landmarks.json


def load_folder(root: str, split: str = "all") -> Source:
    """The pictures of one split; the format is in the module's docstring.

    Args:
        root: folder with ``landmarks.json`` or ``landmarks.csv``.
        split: ``all``, or a value of the ``split`` fields. Where no entry has one: ``train``
            or ``test``, our own split by file name, and ``Source.split`` says so.

    Returns:
        Points 0-based, in the files' order. That the pictures are there is not checked.

    Raises:
        CUNetError: names the file, the entry and the field that is wrong.
    """
    fields, entries, where = _read(Path(root))
    skeleton = parse_skeleton(fields, where)
    say_unpaired(skeleton, where)
    splits, note = _splits(entries)
    samples = [_sample(Path(root), *entry, part, skeleton) for entry, part in zip(entries, splits, strict=True)]
    samples = _objects(entries, samples)
    known = list(dict.fromkeys(["all", *(("train", "test") if note else splits)]))
    if split not in known:
        raise CUNetError(f"folder split {split!r}: {did_you_mean(split, known)}")
    chosen = [index for index, part in enumerate(splits) if split in ("all", part)]
    if not chosen:
        raise CUNetError(f"{root}: no picture in split {split!r}{note}: use --split=all.")
    boxes = _boxes([entries[index][1].get("box") is not None for index in chosen])
    named = split if split == "all" else split + note
    return Source("folder", named, skeleton, [samples[index] for index in chosen], boxes)


def say_unpaired(skeleton: Skeleton, where: str) -> None:
    """A line on stderr where nobody has said what a mirror image swaps."""
    if skeleton.flip_pairs is None:
        print(
            f"notice: {where}: no flip_pairs, mirroring is impossible: a mirror image would mix up left and "
            "right. Give the pairs, or [] where no landmark has a partner.",
            file=sys.stderr,
        )


def parse_skeleton(fields: dict[str, Any], where: str) -> Skeleton:
    """The skeleton object of a file, landmarks by name or by place.

    Raises:
        CUNetError: an unknown field or landmark, names that are no list of different words,
            or a landmark paired twice; the message starts with ``where``.
    """
    for field in fields:
        if field not in SKELETON_FIELDS:
            raise CUNetError(f"{where}, {field}: unknown field. {did_you_mean(field, SKELETON_FIELDS)}")
    if not isinstance(fields.get("name", ""), str):
        raise CUNetError(f"{where}, name: {json.dumps(fields['name'])} is no word: write it in quotes.")
    names = _names(fields.get("names"), where)
    parsed: dict[str, Any] = {"name": fields.get("name", "custom"), "names": names, "normalizers": {}}
    for field in ("flip_pairs", "edges"):
        if fields.get(field) is None:
            continue
        pairs = fields[field]
        if not isinstance(pairs, list):
            raise CUNetError(f"{where}, {field}: a list of pairs is needed.")
        parsed[field] = [_pair(pair, names, f"{where}, {field}[{place}]") for place, pair in enumerate(pairs)]
    if fields.get("normalizer") is not None:
        a, b = _pair(fields["normalizer"], names, f"{where}, normalizer")
        parsed["normalizers"][f"{names[a]}-{names[b]}"] = ([a], [b])
    paired = [index for pair in parsed.get("flip_pairs", ()) for index in pair]
    twice = next((names[index] for index in paired if paired.count(index) > 1), None)
    if twice is not None:
        raise CUNetError(f"{where}, flip_pairs: {twice!r} stands in two pairs: a landmark has one partner.")
    return Skeleton.from_dict(parsed)


def _names(names: Any, where: str) -> list[str]:
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        raise CUNetError(f"{where}, names: a list with the name of each landmark is needed.")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise CUNetError(f"{where}, names: {twice!r} stands there twice: rename one.")
    return names


def _pair(pair: Any, names: list[str], where: str) -> list[int]:
    """Two different landmarks as 0-based places."""
    places = [_place(item, names, where) for item in pair] if isinstance(pair, list) else []
    if len(places) != 2 or places[0] == places[1]:
        raise CUNetError(f"{where}: {json.dumps(pair)} is no pair of two different landmarks.")
    return places


def _place(item: Any, names: list[str], where: str) -> int:
    """0-based place of a landmark given by name or place."""
    if isinstance(item, str):
        if item not in names:
            raise CUNetError(f"{where}: no landmark {item!r}. {did_you_mean(item, names)}")
        return names.index(item)
    if type(item) is not int or not 0 <= item < len(names):
        raise CUNetError(f"{where}: {json.dumps(item)} is neither a name nor a place in 0..{len(names) - 1}.")
    return item


def _read(base: Path) -> tuple[dict[str, Any], Entries, str]:
    """The skeleton's fields, the entries, and where the skeleton stands."""
    files = [base / name for name in ("landmarks.json", "landmarks.csv") if (base / name).is_file()]
    if len(files) != 1:
        found = "both landmarks.json and landmarks.csv: keep one" if files else "no landmarks.json or landmarks.csv"
        raise CUNetError(f"--root={base}: {found}. Give the folder with your pictures and one of the two.")
    if files[0].suffix == ".json":
        content = read_object(files[0])
        for field, kind in (("skeleton", dict), ("images", list)):
            if not isinstance(content.get(field), kind):
                raise CUNetError(f"{files[0]}, {field}: missing, or no {kind.__name__}: see docs/data.md.")
        named = [(f"{files[0]}, images[{place}]", entry) for place, entry in enumerate(content["images"])]
        return content["skeleton"], named, f"{files[0]}, skeleton"
    drawn = base / "skeleton.json"
    fields = read_object(drawn) if drawn.is_file() else {}
    wanted = _names(fields["names"], str(drawn)) if "names" in fields else None
    names, entries = read_csv(files[0], wanted)
    return {**fields, "names": names}, entries, str(drawn if fields else files[0])


def read_object(file: Path) -> dict[str, Any]:
    """A JSON file that holds an object.

    Raises:
        CUNetError: it cannot be read, or holds something else.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise CUNetError(f"{file}: not readable as JSON ({error}): repair it.") from None
    if not isinstance(content, dict):
        raise CUNetError(f"{file}: an object {{...}} is needed, this is a {type(content).__name__}.")
    return content


def _splits(entries: Entries) -> tuple[list[str], str]:
    """The split of each entry, and a note where it is our own."""
    for where, entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("file"), str) or not entry["file"]:
            raise CUNetError(f"{where}, file: the picture's file name is missing.")
        if not isinstance(entry.get("split"), str | None):
            raise CUNetError(f"{where}, split: {json.dumps(entry['split'])} is no word: write it in quotes.")
    if not any(entry.get("split") for _, entry in entries):
        return [own_split(entry["file"]) for _, entry in entries], OWN_SPLIT
    for where, entry in entries:
        if not entry.get("split"):
            raise CUNetError(f"{where}, split: missing, other entries have one: give it to every entry or to none.")
    return [entry["split"] for _, entry in entries], ""


def own_split(file: str) -> str:
    """``train`` or ``test`` by a picture's name, where nobody has said it; a fifth is ``test``, the same everywhere."""
    digest = hashlib.sha1(Path(file).as_posix().encode()).hexdigest()
    return "train" if int(digest, 16) % 5 else "test"


def _sample(base: Path, where: str, entry: dict[str, Any], part: str, skeleton: Skeleton) -> Sample:
    rows = entry.get("points")
    if not isinstance(rows, list) or len(rows) != skeleton.size:
        count = len(rows) if isinstance(rows, list) else "no"
        raise CUNetError(f"{where}, points: {count} points, {skeleton.size} are needed, null where not annotated.")
    points, mask = np.zeros((skeleton.size, 2), np.float32), np.zeros(skeleton.size, np.float32)
    for place, (row, name) in enumerate(zip(rows, skeleton.names, strict=True)):
        if row is not None:
            x, y, visible = [*_numbers(row, (2, 3), f"{where}, points[{place}] ({name})"), 1.0][:3]
            if visible > 0:
                points[place], mask[place] = (x, y), 1.0
    name = Path(entry["file"]).as_posix()
    return Sample(name, part, points, mask, _box(entry.get("box"), points, mask, where), base / name)


def _box(value: Any, points: np.ndarray, mask: np.ndarray, where: str) -> np.ndarray:
    """The box given, or the tight box ``[x0, y0, x1, y1]`` of the points that count."""
    if value is not None:
        box = np.array(_numbers(value, (4,), f"{where}, box"))
        if not (box[2:] > box[:2]).all():
            raise CUNetError(f"{where}, box: {box.tolist()} is not [x0, y0, x1, y1] with x0 < x1 and y0 < y1.")
        return box
    box = tight_box(points, mask) if mask.sum() >= 2 else np.zeros(4)
    if not (box[2:] > box[:2]).any():
        raise CUNetError(f"{where}, box: missing, and {int(mask.sum())} points that count make none: add a box.")
    return box


def _numbers(value: Any, sizes: tuple[int, ...], where: str) -> list[float]:
    """A list of finite numbers, as long as one of ``sizes``."""
    good = isinstance(value, list) and all(_finite(item) for item in value)
    if not good or len(value) not in sizes:
        needed = " or ".join(str(size) for size in sizes)
        raise CUNetError(f"{where}: {json.dumps(value):.100}, a list of {needed} finite numbers is needed.")
    return [float(item) for item in value]


def _finite(item: Any) -> bool:
    """Whether it is a number that a float holds; whole numbers of JSON may have any length."""
    try:
        return isinstance(item, int | float) and math.isfinite(item)
    except OverflowError:
        return False


def _objects(entries: Entries, samples: list[Sample]) -> list[Sample]:
    """The samples, the second object of a picture named ``FILE#2``; the same object twice is refused."""
    seen: dict[str, list[tuple[str, Sample]]] = {}
    named = []
    for (where, _), sample in zip(entries, samples, strict=True):
        others = seen.setdefault(sample.name, [])
        twin = next((place for place, other in others if _same(sample, other)), None)
        if twin is not None:
            raise CUNetError(f"{where}, file: {sample.name} stands already in {twin} with this box and these points: "
                             "remove one.")  # fmt: skip
        others.append((where, sample))
        named.append(sample if len(others) == 1 else replace(sample, name=f"{sample.name}#{len(others)}"))
    return named


def _same(one: Sample, other: Sample) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ("points", "mask", "box"))


def _boxes(given: list[bool]) -> str:
    """What to call the boxes of a source: given, tight, or how many of each."""
    if all(given):
        return "given"
    return f"{sum(given)} given and {len(given) - sum(given)} tight" if any(given) else "tight"
