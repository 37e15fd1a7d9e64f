"""Boxes ``[x0, y0, x1, y1]`` in a picture's pixels: whether they make sense, which are the same, whose they are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cunet_tf.aliases import Box, BoxLike
from cunet_tf.errors import CUNetError


@dataclass(frozen=True, eq=False)
class Detection:
    """One object that a detector found.

    Attributes:
        box: ``[x0, y0, x1, y1]`` in the picture's pixels, before it was turned.
        score: 0..1.
        roll: degrees by which the object is turned clockwise about the box's centre, as seen on the screen.
    """

    box: Box
    score: float
    roll: float = 0.0


@dataclass(frozen=True)
class BoxMap:
    """From a detector's boxes to the tight boxes that a model was trained with (``detector`` of its description).

    Attributes:
        name: of the detector, see :class:`cunet_tf.detector.Detector`.
        shift: of the centre, (x, y), in sides of the detector's box, along the object's own axes.
        scale: side of the tight box over the side of the detector's.
    """

    name: str
    shift: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0

    def __call__(self, found: Detection) -> Detection:
        """The detection with a square in place of its box, as large as the tight box is long."""
        low, high = found.box[:2], found.box[2:]
        side, angle = float(np.max(high - low)), np.deg2rad(found.roll)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        centre = (low + high) / 2.0 + turn @ (np.asarray(self.shift) * side)
        half = self.scale * side / 2.0
        return replace(found, box=np.concatenate([centre - half, centre + half]))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"name": self.name, "shift": list(self.shift), "scale": self.scale}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "BoxMap":
        """Inverse of :meth:`to_dict`."""
        x, y = (float(value) for value in fields["shift"])
        scale = float(fields["scale"])
        if not (np.isfinite([x, y, scale]).all() and scale > 0.0):
            raise ValueError(f"detector: shift {[x, y]} and scale {scale} are no map of boxes")
        return cls(str(fields["name"]), (x, y), scale)


def overlap(box: Box, boxes: np.ndarray, of_smaller: bool = False) -> np.ndarray:
    """Intersection of a box with each of ``boxes [n, 4]`` over their union, or over the smaller of the two."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    shared = np.prod(np.clip(high - low, 0.0, None), axis=-1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=-1)
    area = np.prod(box[2:] - box[:2])
    return shared / np.maximum(np.minimum(area, areas) if of_smaller else area + areas - shared, 1e-9)


def best_over(box: Box, boxes: Sequence[np.ndarray]) -> int | None:
    """Index of the one of ``boxes`` that overlaps ``box`` most; ``None`` where none touches it."""
    shares = overlap(box, np.array(boxes, np.float64).reshape(-1, 4))
    return int(shares.argmax()) if len(shares) and shares.max() > 0.0 else None


def check_box(box: BoxLike, width: int, height: int, name: str = "box") -> Box:
    """A box in pixels as float64 ``[4]``.

    Args:
        box: four numbers.
        width, height: of the picture.
        name: what the message calls the box.

    Raises:
        CUNetError: not four finite numbers, empty or reversed, or wholly outside the picture.
    """
    try:
        values = np.asarray(box, np.float64)
    except (TypeError, ValueError):
        values = np.empty(0)
    shown = f"{name} {np.round(values, 2).tolist() if values.size else box!r}"
    if values.shape != (4,):
        raise CUNetError(f"{shown}: a box has four numbers, x0, y0, x1, y1, in pixels.")
    if not np.isfinite(values).all():
        raise CUNetError(f"{shown}: a box needs finite numbers; give None where there is none.")
    if values[2] <= values[0] or values[3] <= values[1]:
        raise CUNetError(
            f"{shown}: the box is empty or reversed, x0 < x1 and y0 < y1 are needed; "
            "from x, y, width, height make x, y, x + width, y + height."
        )
    if values[0] > width - 0.5 or values[1] > height - 0.5 or values[2] < -0.5 or values[3] < -0.5:
        raise CUNetError(f"{shown} lies outside the picture of {width}x{height} pixels.")
    return values
