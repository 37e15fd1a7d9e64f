"""Crops for records: the part of a picture that training may see, in its own pixels or reduced by whole blocks."""

from dataclasses import dataclass

import cv2
import numpy as np

from cunet_tf.data.sample import Sample
from cunet_tf.errors import CUNetError


@dataclass(frozen=True)
class Cut:
    """How crops are cut.

    Attributes:
        margin: side of the square around the box's centre that is kept, in longer sides of the box.
        detail: pixels of the box's longer side that are enough; larger pictures are reduced by a whole factor, never
            below it.
    """

    margin: float
    detail: float

    def __post_init__(self) -> None:
        if not 1.0 <= self.margin <= 100.0:
            raise CUNetError(f"--margin={self.margin:g}: give the side of what is kept in sides of the box, 1 to 100.")


@dataclass(frozen=True)
class Place:
    """Where a crop lies in its picture: pixel ``u`` of it is the mean of ``factor`` pixels from ``corner + factor u``.

    Attributes:
        corner: (x, y) of its first pixel in the picture.
        size: width and height of the crop in its own pixels.
        factor: pixels of the picture along a side of one of the crop.
    """

    corner: tuple[int, int]
    size: tuple[int, int]
    factor: int

    def to_crop(self, points: np.ndarray) -> np.ndarray:
        """Points ``[..., 2]`` of the picture in pixels of the crop; both (x, y), pixel centres on integers."""
        return (np.asarray(points, np.float64) - self.corner + 0.5) / self.factor - 0.5

    def to_picture(self, points: np.ndarray) -> np.ndarray:
        """Inverse of :meth:`to_crop`."""
        return (np.asarray(points, np.float64) + 0.5) * self.factor - 0.5 + self.corner

    def cut(self, image: np.ndarray) -> np.ndarray:
        """The crop of a picture ``uint8 [H, W, 3]``."""
        (x, y), (width, height) = self.corner, self.size
        part = image[y : y + height * self.factor, x : x + width * self.factor]
        return part if self.factor == 1 else cv2.resize(part, self.size, interpolation=cv2.INTER_AREA)


def place_of(cut: Cut, box: np.ndarray, width: int, height: int) -> Place:
    """Where the crop of a box lies in a picture of this size.

    What lies outside of the picture is left out: it is black in every view, of the picture and of the crop. Blocks lie
    as :func:`cunet_tf.data.geometry.warp` would lay them over the whole picture.

    Args:
        cut: how much is kept.
        box: ``[x0, y0, x1, y1]`` in picture pixels.
        width, height: of the picture.
    """
    side = float(max(box[2:] - box[:2]))
    factor = max(1, min(int(side / cut.detail), width, height))
    ends = []
    for low, high, pixels in zip(box[:2], box[2:], (width, height), strict=True):
        middle, blocks = (low + high) / 2.0, pixels // factor
        first = int(np.clip(np.floor((middle - cut.margin * side / 2.0) / factor) - 1, 0, blocks - 1))
        last = int(np.clip(np.ceil((middle + cut.margin * side / 2.0) / factor) + 1, first + 1, blocks))
        ends.append((first, last - first))
    (left, columns), (top, rows) = ends
    return Place((left * factor, top * factor), (columns, rows), factor)


def require_box(sample: Sample) -> None:
    """Refuse a sample whose box has no side.

    Raises:
        CUNetError: names the sample.
    """
    if not np.isfinite(sample.box).all() or max(sample.box[2:] - sample.box[:2]) <= 0:
        raise CUNetError(f"{sample.name}: its box {np.round(sample.box, 1).tolist()} has no side: run cunet check.")
