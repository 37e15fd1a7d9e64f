"""MPII's official annotations: nested MATLAB structs, read as they are, in 1-based pixels.

The file leaves fields out where there is nothing to say, or empty. The functions here ask
for a field and take its absence for an answer.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cunet_tf.data.matlab import MAT_ERRORS, read_matlab, structs
from cunet_tf.data.schema import FileName
from cunet_tf.errors import CUNetError
from cunet_tf.reading import FARTHEST, fitting
from cunet_tf.skeletons import MPII16

RELEASE = "mpii_human_pose_v1_u12_1.mat"


@dataclass(frozen=True, eq=False)
class Picture:
    """One entry of ``RELEASE.annolist``.

    Attributes:
        name: file name of the picture.
        training: ``img_train``; test pictures have no joints.
        single: places in ``people`` of the sufficiently separated ones, 0-based.
        people: the structs of ``annorect``, in the file's order.
    """

    name: str
    training: bool
    single: frozenset[int]
    people: list[dict[str, Any]]


def read_release(file: Path) -> list[Picture]:
    """All pictures of the official file, in its order.

    Raises:
        CUNetError: not a ``.mat`` file, or without the fields of the official one.
    """
    try:
        (release,) = structs(read_matlab(file, "RELEASE"))
        entries, training = structs(release["annolist"]), np.ravel(release["img_train"])
        cells = release.get("single_person")  # a file without the field marks nobody
        cells = (
            cells if isinstance(cells, list) and len(cells) == len(entries) else [()] * len(entries)
        )  # a file without the field marks nobody
        return [
            Picture(
                name=_name(entry),
                training=bool(flag),
                single=frozenset(int(place) - 1 for place in np.ravel(cell)),
                people=structs(entry.get("annorect")),
            )
            for entry, flag, cell in zip(entries, training, cells, strict=True)
        ]
    except MAT_ERRORS as error:
        raise CUNetError(f"{file}: not MPII's official annotations ({error}): fetch {RELEASE} again.") from None


def _name(entry: dict[str, Any]) -> str:
    (image,) = structs(entry["image"])
    return fitting(image["name"], FileName, "image.name")


def number(item: dict[str, Any], field: str) -> float | None:
    """A field of a struct as a number; ``None`` where it is absent, empty, no number, NaN or farther than any pixel."""
    try:
        value = float(item.get(field, math.nan))
    except (TypeError, ValueError):
        return None
    return value if abs(value) <= FARTHEST else None


def centre(person: dict[str, Any]) -> tuple[float, float] | None:
    """``objpos`` of a person, (x, y) in the file's 1-based pixels."""
    for position in structs(person.get("objpos")):
        x, y = number(position, "x"), number(position, "y")
        if x is not None and y is not None:
            return x, y
    return None


def joints(person: dict[str, Any], where: str) -> tuple[np.ndarray, np.ndarray]:
    """Points float32 ``[16, 2]``, 0-based, and mask float32 ``[16]``.

    The ids come in any order and some are absent. ``is_visible`` (a number, a string or
    empty) only tells occluded joints from visible ones; both are labelled, so it is not asked.

    Raises:
        CUNetError: an id outside 0..15; the message starts with ``where``.
    """
    points, mask = np.zeros((MPII16.size, 2), np.float32), np.zeros(MPII16.size, np.float32)
    for holder in structs(person.get("annopoints")):
        for item in structs(holder.get("point")):
            joint, x, y = number(item, "id"), number(item, "x"), number(item, "y")
            if joint is None or x is None or y is None:
                continue
            if joint not in range(MPII16.size):
                raise CUNetError(f"{where}, annopoints.point.id: {joint:g} is not one of 0..15: repair the file.")
            points[int(joint)], mask[int(joint)] = (x - 1.0, y - 1.0), 1.0
    return points, mask


def head_size(person: dict[str, Any]) -> float | None:
    """0.6 times the diagonal of the head rectangle in pixels; ``None`` where there is none."""
    x1, y1, x2, y2 = (number(person, field) for field in ("x1", "y1", "x2", "y2"))
    if x1 is None or y1 is None or x2 is None or y2 is None:
        return None
    return 0.6 * math.hypot(x2 - x1, y2 - y1) or None
