"""MPII's annotations as the widespread JSON excerpt: train.json, valid.json, test.json.

Each is a list of people ``{"image": "a.jpg", "center": [x, y], "scale": s, "joints":
[[x, y], ... 16], "joints_vis": [0 or 1, ... 16]}``; test.json has no joints. The tools that
brought the format into use subtract 1 from centre and joints: the files count from 1.
Head rectangles are not in them; the validation people's lie in ``gt_valid.mat``.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cunet_tf.data.matlab import MAT_ERRORS, read_matlab
from cunet_tf.data.schema import MpiiLabelled, MpiiPerson
from cunet_tf.errors import CUNetError
from cunet_tf.reading import fitting, read_json
from cunet_tf.skeletons import MPII16

HEADS = "gt_valid.mat"


@dataclass(frozen=True, eq=False)
class Person:
    """One entry of a file.

    Attributes:
        image: file name of the picture.
        centre: (x, y), 1-based as in the file.
        scale: height of the person over 200 pixels.
        points: float32 ``[16, 2]``, 0-based; zeros where not labelled.
        mask: float32 ``[16]``, 1 where labelled.
        head: 0.6 times the diagonal of the head rectangle, in pixels, where it is known.
    """

    image: str
    centre: tuple[float, float]
    scale: float
    points: np.ndarray
    mask: np.ndarray
    head: float | None


def read_people(file: Path, labelled: bool) -> list[Person]:
    """The people of a file, in its order.

    Args:
        file: the JSON file; ``gt_valid.mat`` is read when it lies beside ``valid.json``.
        labelled: read the joints; otherwise points and mask are zeros.

    Raises:
        CUNetError: not JSON, or a field is missing, of another shape, or no number.
    """
    entries = read_json(file)
    if not isinstance(entries, list):
        raise CUNetError(f"{file}: a list of people is needed, this is a {type(entries).__name__}: fetch it again.")
    heads = read_heads(file.with_name(HEADS), len(entries)) if file.name == "valid.json" else None
    return [
        _person(entry, f"{file}: entry {place}", labelled, heads[place] if heads else None)
        for place, entry in enumerate(entries)
    ]


def _person(entry: object, where: str, labelled: bool, head: float | None) -> Person:
    points, mask = np.zeros((MPII16.size, 2)), np.zeros(MPII16.size, bool)
    told = fitting(entry, MpiiLabelled if labelled else MpiiPerson, where)
    if isinstance(told, MpiiLabelled):
        mask = np.array(told.joints_vis) > 0
        points = np.where(mask[:, None], np.array(told.joints) - 1.0, 0.0)
    return Person(told.image, told.center, told.scale, points.astype(np.float32), mask.astype(np.float32), head)


def read_heads(file: Path, count: int) -> list[float | None] | None:
    """Head sizes of ``count`` people from ``headboxes_src`` ``[2, 2, N]`` (corner, axis, person).

    Returns:
        ``None`` without the file, or (with a notice) where it is of other people.

    Raises:
        CUNetError: the file has no such array.
    """
    if not file.is_file():
        return None
    try:
        boxes = np.asarray(read_matlab(file, "headboxes_src"), np.float64)
    except MAT_ERRORS as error:
        raise CUNetError(f"{file}: no array 'headboxes_src' in it ({error}): fetch it again or remove it.") from None
    if boxes.shape[:2] != (2, 2) or boxes.size != 4 * count:
        shape = "x".join(str(size) for size in boxes.shape)
        print(f"notice: {file}: headboxes_src is {shape}, not 2x2x{count}: no head sizes.", file=sys.stderr)
        return None
    sizes = 0.6 * np.linalg.norm(boxes[1] - boxes[0], axis=0).ravel()
    return [float(size) if np.isfinite(size) and size > 0 else None for size in sizes]
