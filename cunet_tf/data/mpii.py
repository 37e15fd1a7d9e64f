"""MPII Human Pose: 16 joints, many people in a picture, boxes from a centre and a scale.

Two forms of the annotations are read; where a root holds both, the official file is taken:

- ``mpii_human_pose_v1_u12_1.mat``, as distributed;
- ``train.json``, ``valid.json``, ``test.json``, the widespread excerpt, see
  :mod:`cunet_tf.data.mpii_json`.

They lie in the root or in ``annot/`` (the official one also in the folder that its archive
makes), the pictures in ``images/``. Both forms count pixels from 1.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from cunet_tf.data.fence import Fence
from cunet_tf.data.mpii_json import read_people
from cunet_tf.data.mpii_release import RELEASE, Picture, centre, head_size, joints, number, read_release
from cunet_tf.data.sample import Sample, Source
from cunet_tf.errors import CUNetError, did_you_mean, shown
from cunet_tf.reading import MIB, read_text
from cunet_tf.skeletons import MPII16

VAL_LIST = "tompson_val.txt"
FOLDERS = (".", "annot", "mpii_human_pose_v1_u12_2")
JSON_FILES = {"train": ("train",), "val": ("valid",), "trainval": ("train", "valid"), "test": ("test",)}
OWN_SPLIT = " (own split: val is every picture whose sha1(name) mod 10 is 0)"


def load_mpii(root: str, split: str = "train", allow_outside: bool = False) -> Source:
    """The people of one split; the official ``.mat`` file is preferred to the JSON files.

    Args:
        root: folder with ``images/`` and the annotations.
        split: ``train``, ``val``, ``trainval`` (all labelled people of the training part) or
            ``test`` (labels are not public: points and mask are zeros). With the ``.mat``
            file ``val`` is what ``tompson_val.txt`` lists, see :func:`read_val_list`; without
            a list it is our own, by picture, and ``Source.split`` says so. With the JSON
            files ``val`` is ``valid.json``.
        allow_outside: pictures may lie outside the root.

    Returns:
        Points 0-based; every labelled joint counts, occluded or not. Boxes are the official
        ones, see :func:`person_box`. A sample is named ``IMAGE/PERSON_INDEX`` (JSON:
        ``FILE/PLACE/IMAGE``); its subset is ``single`` for the sufficiently separated people
        whom the official figure counts, else ``group`` (JSON: ``mpii``). People without
        centre or scale, or with fewer than 2 labelled joints, are left out. That the
        pictures are there is not checked.

    Raises:
        CUNetError: no annotations, another split, nobody in it, or a malformed file.
    """
    if split not in JSON_FILES:
        raise CUNetError(f"mpii split {split!r}: {did_you_mean(split, JSON_FILES)}")
    base, note = Path(root), ""
    fence = Fence(base, allow_outside)
    file = find(base, RELEASE)
    if file:
        samples, note = _from_release(base, fence, file, split)
    else:
        samples = [sample for stem in JSON_FILES[split] for sample in _from_json(base, fence, stem)]
    if not samples:
        raise CUNetError(f"{root}: nobody in mpii split {split!r}{note}: choose one of {', '.join(JSON_FILES)}.")
    return Source("mpii", split + note, MPII16, samples, box="official")


def find(base: Path, name: str) -> Path | None:
    """The annotation file ``name`` below ``base``."""
    return next((base / folder / name for folder in FOLDERS if (base / folder / name).is_file()), None)


def person_box(middle: tuple[float, float] | None, scale: float | None) -> np.ndarray | None:
    """MPII's box ``[x0, y0, x1, y1]``, 0-based: 200 s wide, its centre 15 s below the annotated one.

    Enlarged by a crop factor of 1.25 it is the usual crop, 250 s wide. ``None`` where the
    1-based centre or the scale s is unknown; some files write -1 for that.
    """
    if middle is None or scale is None or scale <= 0 or middle[0] == -1:
        return None
    x, y, half = middle[0] - 1.0, middle[1] - 1.0 + 15.0 * scale, 100.0 * scale
    return np.array([x - half, y - half, x + half, y + half])


def own_val(image: str) -> bool:
    """Whether a picture is in our own validation part; whole pictures, so that none is on both sides."""
    return int(hashlib.sha1(image.encode()).hexdigest(), 16) % 10 == 0


def read_val_list(file: Path, known: set[str]) -> set[str]:
    """Names of the samples that a validation list holds.

    Args:
        file: lines ``IMAGE_NAME PERSON_INDEX``, the index counted from 0 in ``annorect``.
            Tompson's list has 2,958.
        known: names of all labelled people, ``IMAGE_NAME/PERSON_INDEX``.

    Raises:
        CUNetError: a line is malformed, or names nobody who is labelled.
    """
    names = ["/".join(line.strip().rsplit(maxsplit=1)) for line in read_text(file, MIB).splitlines()]
    for place, name in enumerate(names, 1):
        if name and name not in known:
            raise CUNetError(
                f"{file}, line {place}: {shown(name.replace('/', ' '))} is nobody labelled in {RELEASE}: "
                "write IMAGE_NAME PERSON_INDEX, the index counted from 0 in annorect."
            )
    return {name for name in names if name}


def _from_release(base: Path, fence: Fence, file: Path, split: str) -> tuple[list[Sample], str]:
    """The samples, and a note where the split is our own."""
    labelled = split != "test"
    samples = [
        sample
        for picture in read_release(file)
        if picture.training == labelled
        for index, person in enumerate(picture.people)
        if (sample := _sample(base, fence, file, picture, index, person))
    ]
    if split in ("trainval", "test"):
        return samples, ""
    listed = find(base, VAL_LIST)
    if listed:
        held_out = read_val_list(listed, {sample.name for sample in samples})
    else:
        held_out = {sample.name for sample in samples if own_val(sample.name.rpartition("/")[0])}
    return [s for s in samples if (s.name in held_out) == (split == "val")], "" if listed else OWN_SPLIT


def _sample(
    base: Path, fence: Fence, file: Path, picture: Picture, index: int, person: dict[str, Any]
) -> Sample | None:
    points, mask = np.zeros((MPII16.size, 2), np.float32), np.zeros(MPII16.size, np.float32)
    if picture.training:
        points, mask = joints(person, f"{file}: picture {picture.name}, person {index}")
    box = person_box(centre(person), number(person, "scale"))
    if box is None or (picture.training and mask.sum() < 2):
        return None
    subset = "single" if index in picture.single else "group"
    path = fence.passed(base / "images" / picture.name, f"{file}, image.name")
    return Sample(f"{picture.name}/{index}", subset, points, mask, box, path, head_size(person))


def _from_json(base: Path, fence: Fence, stem: str) -> list[Sample]:
    file = find(base, f"{stem}.json")
    if file is None:
        raise CUNetError(
            f"--root={base}: neither {RELEASE} nor {stem}.json in it or in annot/. "
            "Give the folder that holds images/ and MPII's annotations."
        )
    samples = []
    for place, person in enumerate(read_people(file, labelled=stem != "test")):
        box = person_box(person.centre, person.scale)
        if box is not None and (stem == "test" or person.mask.sum() >= 2):
            name = f"{stem}/{place}/{person.image}"
            path = fence.passed(base / "images" / person.image, f"{file}: entry {place}, image")
            samples.append(Sample(name, "mpii", person.points, person.mask, box, path, person.head))
    return samples
