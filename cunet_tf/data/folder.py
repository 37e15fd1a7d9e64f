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
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cunet_tf.data.fence import Fence
from cunet_tf.data.folder_csv import read_csv
from cunet_tf.data.geometry import tight_box
from cunet_tf.data.sample import Sample, Source
from cunet_tf.data.schema import FolderEntry, FolderSkeleton, Names, Pairs
from cunet_tf.errors import CUNetError, did_you_mean, shown
from cunet_tf.reading import fitting, read_json, require_plain
from cunet_tf.skeletons import Skeleton

OWN_SPLIT = " (own split: test is every file whose sha1(name) mod 5 is 0)"
Entries = list[tuple[str, FolderEntry]]  # where an entry stands, and its fields


def load_folder(root: str, split: str = "all", allow_outside: bool = False) -> Source:
    """The pictures of one split; the format is in the module's docstring.

    Args:
        root: folder with ``landmarks.json`` or ``landmarks.csv``.
        split: ``all``, or a value of the ``split`` fields. Where no entry has one: ``train``
            or ``test``, our own split by file name, and ``Source.split`` says so.
        allow_outside: pictures may lie outside the root.

    Returns:
        Points 0-based, in the files' order. That the pictures are there is not checked.

    Raises:
        CUNetError: names the file, the entry and the field that is wrong.
    """
    fields, entries, where = _read(Path(root))
    skeleton = parse_skeleton(fields, where)
    say_unpaired(skeleton, where)
    splits, note = _splits(entries)
    fence = Fence(Path(root), allow_outside)
    samples = [_sample(Path(root), fence, *entry, part, skeleton) for entry, part in zip(entries, splits, strict=True)]
    samples = _objects(entries, samples)
    known = list(dict.fromkeys(["all", *(("train", "test") if note else splits)]))
    if split not in known:
        raise CUNetError(f"folder split {split!r}: {did_you_mean(split, known)}")
    chosen = [index for index, part in enumerate(splits) if split in ("all", part)]
    if not chosen:
        raise CUNetError(f"{root}: no picture in split {split!r}{note}: use --split=all.")
    boxes = _boxes([entries[index][1].box is not None for index in chosen])
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
    known = FolderSkeleton.__struct_fields__
    for field in fields:
        if field not in known:
            raise CUNetError(f"{where}, {field[:60]}: unknown field. {did_you_mean(field, known)}")
    given = fitting(fields, FolderSkeleton, where)
    names = _different(given.names, where)
    parsed: dict[str, Any] = {"name": given.name, "names": names, "normalizers": {}}
    if given.edges is not None:
        parsed["edges"] = _pairs(given.edges, names, f"{where}, edges")
    if given.normalizer is not None:
        ((a, b),) = _pairs([given.normalizer], names, f"{where}, normalizer")
        parsed["normalizers"][f"{names[a]}-{names[b]}"] = ([a], [b])
    if given.flip_pairs is not None:
        parsed["flip_pairs"] = _pairs(given.flip_pairs, names, f"{where}, flip_pairs")
        paired = [index for pair in parsed["flip_pairs"] for index in pair]
        if len(set(paired)) != len(paired):
            twice = names[next(index for index, count in Counter(paired).items() if count > 1)]
            raise CUNetError(f"{where}, flip_pairs: {twice!r} stands in two pairs: a landmark has one partner.")
    return Skeleton.from_dict(parsed)


def _different(names: list[str], where: str) -> list[str]:
    require_plain(names, f"{where}, names")
    (twice, count), *_ = Counter(names).most_common(1)
    if count > 1:
        raise CUNetError(f"{where}, names: {twice!r} stands there twice: rename one.")
    return names


def _pairs(pairs: Pairs, names: list[str], where: str) -> list[list[int]]:
    """Two different landmarks each, as 0-based places."""
    places = {name: place for place, name in enumerate(names)}
    found = []
    for number, pair in enumerate(pairs):
        here = f"{where}[{number}]"
        for item in pair:
            if isinstance(item, str) and item not in places:
                raise CUNetError(f"{here}: no landmark {item!r}. {did_you_mean(item, names)}")
            if isinstance(item, int) and item >= len(names):
                raise CUNetError(f"{here}: {item} is neither a name nor a place in 0..{len(names) - 1}.")
        ends = [item if isinstance(item, int) else places[item] for item in pair]
        if ends[0] == ends[1]:
            raise CUNetError(f"{here}: {shown(list(pair))} is no pair of two different landmarks.")
        found.append(ends)
    return found


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
        places = ((f"{files[0]}, images[{place}]", entry) for place, entry in enumerate(content["images"]))
        entries = [(place, fitting(entry, FolderEntry, place)) for place, entry in places]
        return content["skeleton"], entries, f"{files[0]}, skeleton"
    drawn = base / "skeleton.json"
    fields = read_object(drawn) if drawn.is_file() else {}
    wanted = fitting(fields["names"], Names, f"{drawn}, names") if "names" in fields else None
    names, rows = read_csv(files[0], wanted and _different(wanted, str(drawn)))
    entries = [(place, fitting(row, FolderEntry, place)) for place, row in rows]
    return {**fields, "names": names}, entries, str(drawn if fields else files[0])


def read_object(file: Path) -> dict[str, Any]:
    """A JSON file that holds an object.

    Raises:
        CUNetError: it cannot be read, or holds something else.
    """
    content = read_json(file)
    if not isinstance(content, dict):
        raise CUNetError(f"{file}: an object {{...}} is needed, this is a {type(content).__name__}.")
    return content


def _splits(entries: Entries) -> tuple[list[str], str]:
    """The split of each entry, and a note where it is our own."""
    if not any(entry.split for _, entry in entries):
        return [own_split(entry.file) for _, entry in entries], OWN_SPLIT
    for where, entry in entries:
        if not entry.split:
            raise CUNetError(f"{where}, split: missing, other entries have one: give it to every entry or to none.")
    return [entry.split or "" for _, entry in entries], ""


def own_split(file: str) -> str:
    """``train`` or ``test`` by a picture's name, where nobody has said it; a fifth is ``test``, the same everywhere."""
    digest = hashlib.sha1(Path(file).as_posix().encode()).hexdigest()
    return "train" if int(digest, 16) % 5 else "test"


def _sample(base: Path, fence: Fence, where: str, entry: FolderEntry, part: str, skeleton: Skeleton) -> Sample:
    if len(entry.points) != skeleton.size:
        raise CUNetError(f"{where}, points: {len(entry.points)} points, {skeleton.size} are needed, null where not "
                         "annotated.")  # fmt: skip
    points, mask = np.zeros((skeleton.size, 2), np.float32), np.zeros(skeleton.size, np.float32)
    for place, row in enumerate(entry.points):
        if row is not None and (len(row) == 2 or row[2] > 0):
            points[place], mask[place] = row[:2], 1.0
    name = Path(entry.file).as_posix()
    picture = fence.passed(base / name, f"{where}, file")
    return Sample(name, part, points, mask, _box(entry.box, points, mask, where), picture)


def _box(value: tuple[float, ...] | None, points: np.ndarray, mask: np.ndarray, where: str) -> np.ndarray:
    """The box given, or the tight box ``[x0, y0, x1, y1]`` of the points that count."""
    if value is not None:
        box = np.array(value)
        if not (box[2:] > box[:2]).all():
            raise CUNetError(f"{where}, box: {box.tolist()} is not [x0, y0, x1, y1] with x0 < x1 and y0 < y1.")
        return box
    box = tight_box(points, mask) if mask.sum() >= 2 else np.zeros(4)
    if not (box[2:] > box[:2]).any():
        raise CUNetError(f"{where}, box: missing, and {int(mask.sum())} points that count make none: add a box.")
    return box


def _objects(entries: Entries, samples: list[Sample]) -> list[Sample]:
    """The samples, the second object of a picture named ``FILE#2``; the same object twice is refused."""
    seen: dict[tuple[str, bytes], str] = {}
    counts: Counter[str] = Counter()
    named = []
    for (where, _), sample in zip(entries, samples, strict=True):
        key = sample.name, b"".join(each.tobytes() for each in (sample.points, sample.mask, sample.box))
        if key in seen:
            raise CUNetError(f"{where}, file: {sample.name} stands already in {seen[key]} with this box and these "
                             "points: remove one.")  # fmt: skip
        seen[key] = where
        counts[sample.name] += 1
        number = counts[sample.name]
        named.append(sample if number == 1 else replace(sample, name=f"{sample.name}#{number}"))
    return named


def _boxes(given: list[bool]) -> str:
    """What to call the boxes of a source: given, tight, or how many of each."""
    if all(given):
        return "given"
    return f"{sum(given)} given and {len(given) - sum(given)} tight" if any(given) else "tight"
