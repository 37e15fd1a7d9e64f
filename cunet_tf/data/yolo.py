"""YOLO-pose labels, also as CVAT and Label Studio export them: a ``data.yaml`` and a text file for each picture.

``--root`` is the ``data.yaml`` file or the folder that holds it. Its splits (``train``, ``val``, ``test``) name
folders of pictures or lists of them; ``kpt_shape`` is ``[C, 2]`` or ``[C, 3]``; ``flip_idx`` gives the mirror
image's order; ``kpt_names``, where given, the landmarks' names. The labels of ``images/a/b.jpg`` are in
``labels/a/b.txt``: a line for each object, ``class cx cy w h`` and ``x y`` or ``x y v`` for each landmark, as shares
of the picture's width and height, counted from its left upper corner.

Label Studio writes no ``data.yaml`` but ``notes.json``, ``images/`` and ``labels/``: one split, ``train``.
"""

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cunet_tf.data.coco import mirror_pairs, named_normalizers
from cunet_tf.data.fence import Fence
from cunet_tf.data.folder import read_object, say_unpaired
from cunet_tf.data.sample import PICTURE_ENDINGS, Sample, Source, files_below, is_note, read_image
from cunet_tf.data.schema import CocoCategory, FileName, Name, YoloPlaces
from cunet_tf.errors import CUNetError, FaultyFile, did_you_mean, shown
from cunet_tf.reading import FARTHEST, MIB, fitting, read_text, require_plain
from cunet_tf.skeletons import Skeleton
from cunet_tf.spec_schema import MOST_LANDMARKS

SPLITS = ("train", "val", "test")
NOTES = "notes.json"  # Label Studio's
LIST_BYTES, LABEL_BYTES = 64 * MIB, 16 * MIB
HEAD = 5  # numbers of a line before the landmarks: class and box


def load_yolo(
    root: str | Path, split: str = "train", problems: list[CUNetError] | None = None, allow_outside: bool = False
) -> Source:
    """The objects of one split.

    Args:
        root: see the module's docstring.
        split: one of the file's own, or ``all``.
        problems: takes the faults of single label files, which are then left out.
        allow_outside: pictures may lie outside the data set's folder: that of the file, or its ``path``.

    Returns:
        Points 0-based with pixel centres on integers, in the order of the pictures' names.

    Raises:
        CUNetError: names the file, the line and what is wrong.
    """
    file = _file(Path(root))
    fields = _fields(file)
    skeleton, numbers = _skeleton(file, fields)
    say_unpaired(skeleton, f"{file}, flip_idx")
    places = fitting({name: fields.get(name) for name in YoloPlaces.__struct_fields__}, YoloPlaces, str(file))
    splits = [name for name in SPLITS if getattr(places, name)]
    if split != "all" and split not in splits:
        raise CUNetError(f"{file}: yolo split {split!r}: {did_you_mean(split, ['all', *splits])}")
    samples: list[Sample] = []
    for part in splits if split == "all" else [split]:
        for picture in _pictures(file, places, part, allow_outside):
            try:
                samples += _samples(picture, part, skeleton, numbers)
            except CUNetError as error:
                if problems is None:
                    raise
                problems.append(FaultyFile("annotation", picture, str(error)))
    if not samples:
        raise CUNetError(f"{file}: no object with landmarks in split {split!r}.")
    return Source("yolo", split, skeleton, _named(samples), "given")


def _named(samples: list[Sample]) -> list[Sample]:
    """The second object of a picture, or the second picture of a name, is ``NAME#2``."""
    seen: Counter[str] = Counter()
    found = []
    for sample in samples:
        seen[sample.name] += 1
        number = seen[sample.name]
        found.append(sample if number == 1 else replace(sample, name=f"{sample.name}#{number}"))
    return found


def _file(root: Path) -> Path:
    if root.is_file():
        return root
    files = sorted([*root.glob("*.yaml"), *root.glob("*.yml")])
    if not files and (root / NOTES).is_file():
        return root / NOTES
    if len(files) != 1:
        found = ", ".join(file.name for file in files) or "none"
        raise CUNetError(f"--root={root}: one data.yaml is needed here, found: {found}. Name the file itself.")
    return files[0]


def _fields(file: Path) -> dict[str, Any]:
    if file.name == NOTES:
        return _label_studio(file)
    from cunet_tf.data.plain_yaml import read_yaml  # here, as other data sets do without it

    fields = read_yaml(file)
    if not isinstance(fields, dict):
        raise CUNetError(f"{file}: fields such as train, val and kpt_shape are needed.")
    return fields


def _label_studio(file: Path) -> dict[str, Any]:
    """The fields of a ``data.yaml`` that says the same as Label Studio's notes."""
    given = read_object(file).get("categories")
    entries = fitting(given, list[CocoCategory], f"{file}, categories")
    names = [each.keypoints for each in entries if each.keypoints]
    if not names or any(other != names[0] for other in names):
        raise CUNetError(f"{file}, categories: one list of keypoints is needed, as a project has it that is labelled "
                         "with KeyPointLabels inside RectangleLabels.")  # fmt: skip
    words = [name.strip().replace(" ", "_") for name in names[0]]
    return {"train": "images", "kpt_shape": [len(words), 3], "kpt_names": words}


def _skeleton(file: Path, fields: dict[str, Any]) -> tuple[Skeleton, int]:
    """The landmarks, and the numbers that each has in a line, 2 or 3."""
    shape = fields.get("kpt_shape")
    if not isinstance(shape, list) or len(shape) != 2 or shape[1] not in (2, 3) or not _is_count(shape[0]):
        raise CUNetError(f"{file}, kpt_shape: {shown(shape)}, [landmarks, 2] or [landmarks, 3] is needed: is this a "
                         "pose data set? Add it.")  # fmt: skip
    count = shape[0]
    given = fields.get("kpt_names")
    given = next(iter(given.values()), None) if isinstance(given, dict) else given
    if given is None:
        given = [f"point_{index}" for index in range(count)]
    names = [str(name) for name in fitting(given, list[Name | int], f"{file}, kpt_names")]
    require_plain(names, f"{file}, kpt_names")
    if len(names) != count or len(set(names)) != count:
        raise CUNetError(f"{file}, kpt_names: {count} different names are needed, these are {shown(names)}.")
    order = fields.get("flip_idx")
    if order is None:
        pairs = mirror_pairs(names) or None
    elif _swaps(order, count):
        pairs = tuple((index, other) for index, other in enumerate(order) if index < other)
    else:
        raise CUNetError(f"{file}, flip_idx: {shown(order)} is no order of 0..{count - 1} that swaps pairs.")
    return Skeleton("yolo", tuple(names), pairs, normalizers=named_normalizers(names)), shape[1]


def _is_count(value: object) -> bool:
    return type(value) is int and 0 < value <= MOST_LANDMARKS


def _swaps(order: object, count: int) -> bool:
    """Whether a list names every place once and swaps pairs."""
    if not isinstance(order, list) or not all(type(place) is int for place in order):
        return False
    return sorted(order) == list(range(count)) and all(order[order[place]] == place for place in order)


def _pictures(file: Path, fields: YoloPlaces, part: str, allow_outside: bool) -> list[Path]:
    """Pictures of a split: folders, or text files that list pictures."""
    base = Path(fields.path or ".")
    base = base if base.is_absolute() and os.path.isdir(base) else file.parent / ("" if base.is_absolute() else base)
    base = base if os.path.isdir(base) else file.parent  # `path` often names a place of the machine that made it
    fence, given = Fence(base, allow_outside), getattr(fields, part)
    found: list[Path] = []
    for place in (base / name for name in (given if isinstance(given, list) else [given])):
        if os.path.isdir(place):  # also of names that no system takes
            fence.passed(place, f"{file}, {part}")
            found += [
                each for each in files_below(place) if each.suffix.lower() in PICTURE_ENDINGS and not is_note(each.name)
            ]
        elif os.path.isfile(place):
            fence.passed(place, f"{file}, {part}")
            lines = enumerate(read_text(place, LIST_BYTES).splitlines(), 1)
            found += [
                fence.passed(place.parent / fitting(line.strip(), FileName, where), where) for number, line in lines
                if line.strip() and (where := f"{place}, line {number}")
            ]  # fmt: skip
        else:
            raise CUNetError(f"{file}, {part}: {shown(str(place))}: no such folder or list of pictures.")
    return found


def _samples(picture: Path, part: str, skeleton: Skeleton, numbers: int) -> list[Sample]:
    """Objects of one picture; a picture without a label file has none."""
    labels = label_file(picture)
    if not os.path.lexists(labels):
        return []
    text = read_text(labels, LABEL_BYTES)
    rows = [(index, line.split()) for index, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not rows:
        return []
    height, width = read_image(picture).shape[:2]
    samples: list[Sample] = []
    for index, words in rows:
        values = _values(f"{labels}, line {index}", words, HEAD + numbers * skeleton.size)
        points = values[HEAD:].reshape(skeleton.size, numbers)
        known = points[:, 2] > 0 if numbers == 3 else np.any(points, axis=1)
        mask = np.asarray(known, np.float32)
        if not mask.any():
            continue
        scaled = (points[:, :2] * [width, height] - 0.5) * mask[:, None]
        centre, half = values[1:3] * [width, height] - 0.5, values[3:5] * [width, height] / 2.0
        box = np.concatenate([centre - half, centre + half])
        samples.append(Sample(f"{part}/{picture.name}", part, scaled.astype(np.float32), mask, box, picture))
    return samples


def label_file(picture: Path) -> Path:
    """Where the labels of a picture are: its path with the last ``images`` turned into ``labels``."""
    parts = list(picture.parts)
    for index in range(len(parts) - 2, -1, -1):
        if parts[index] == "images":
            parts[index] = "labels"
            return Path(*parts).with_suffix(".txt")
    return picture.with_suffix(".txt")


def _values(where: str, words: list[str], needed: int) -> np.ndarray:
    try:
        values = np.array([float(word) for word in words])
    except ValueError:
        raise CUNetError(f"{where}: numbers are needed, here stands {shown(' '.join(words[:20]))}.") from None
    if len(values) != needed:
        raise CUNetError(f"{where}: {len(values)} numbers, {needed} are needed (class, box, landmarks): see kpt_shape.")
    if not (np.abs(values) <= FARTHEST).all():
        raise CUNetError(f"{where}: {values[~(np.abs(values) <= FARTHEST)][0]:g} is no share of a picture.")
    shares = values[1:HEAD]
    if (shares < 0).any() or (shares > 1).any() or (values[3:5] <= 0).any():
        raise CUNetError(f"{where}: box {shares.tolist()}: shares of the picture, 0 to 1, with a width and a height.")
    return values
