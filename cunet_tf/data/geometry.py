"""One exact affine for pixels and points.

Coordinates are (x, y) with pixel centres on integers: an image of width w spans
x = -0.5 .. w - 0.5. Matrices are 2x3 float64 and map column points ``[x, y, 1]``.
"""

from collections.abc import Sequence
from typing import TypeVar

import cv2
import numpy as np

from cunet_tf.aliases import Affine, Box, Mask, Points
from cunet_tf.config import STRIDE

Coordinates = TypeVar("Coordinates", float, np.ndarray)  # one of them, or an array

IDENTITY = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def tight_box(points: Points, mask: Mask | None = None) -> Box:
    """Smallest box ``[x0, y0, x1, y1]`` around the points ``[C, 2]`` with mask > 0."""
    kept = points if mask is None else points[np.asarray(mask) > 0]
    return np.concatenate([kept.min(axis=0), kept.max(axis=0)]).astype(np.float64)


def whole_picture(width: int, height: int) -> Box:
    """The box that covers every pixel of a picture."""
    return np.array([-0.5, -0.5, width - 0.5, height - 0.5])


def crop_matrix(
    box: Box | Sequence[float], crop_factor: float, size: int,
    scale: float = 1.0, rotation: float = 0.0, shift: tuple[float, float] = (0.0, 0.0), flip: bool = False,
) -> np.ndarray:  # fmt: skip
    """Picture pixels -> pixels of the square crop.

    The crop is centred on the box, its side is ``crop_factor * max(w, h)`` of the box and
    becomes ``size`` pixels.

    Args:
        box: ``[x0, y0, x1, y1]`` in picture pixels.
        crop_factor: enlargement of the box.
        size: side of the crop in pixels.
        scale: above 1 the object appears larger.
        rotation: degrees, counter-clockwise as seen on the screen.
        shift: displacement of the object (x, y), as shares of the crop's side.
        flip: mirror left and right, last.

    Returns:
        2x3 float64 matrix, a similarity transform (times a mirror image).
    """
    x0, y0, x1, y1 = np.asarray(box, np.float64)
    zoom = size / (crop_factor * max(x1 - x0, y1 - y0)) * scale
    angle = np.deg2rad(rotation)
    cos, sin = zoom * np.cos(angle), zoom * np.sin(angle)
    linear = np.array([[cos, sin], [-sin, cos]])
    middle = (size - 1) / 2.0
    offset = middle + np.asarray(shift) * size - linear @ [(x0 + x1) / 2.0, (y0 + y1) / 2.0]
    matrix = np.hstack([linear, offset[:, None]])
    if flip:
        matrix[0] = -matrix[0]
        matrix[0, 2] += size - 1
    return matrix


def apply(matrix: Affine, points: Points) -> np.ndarray:
    """Map points ``[..., 2]`` by a 2x3 matrix; float64."""
    return np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]


def invert(matrix: Affine) -> Affine:
    """The float inverse of a 2x3 affine, never rounded."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.hstack([linear, -linear @ matrix[:, 2:]])


def warp(image: np.ndarray, matrix: Affine, size: int) -> np.ndarray:
    """Resample a picture ``[H, W, 3]`` through ``matrix`` (picture -> crop), bilinear, black outside.

    A picture much larger than the crop is first reduced by area averaging, so that a crop
    of a large photograph is not aliased.

    Returns:
        ``[size, size, 3]`` of the picture's type.
    """
    zoom = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    if zoom < 0.5:
        factor = min(int(1.0 / zoom), *image.shape[:2])
        height, width = (side // factor * factor for side in image.shape[:2])
        image = cv2.resize(image[:height, :width], (width // factor, height // factor), interpolation=cv2.INTER_AREA)
        # Centre of reduced pixel u is picture coordinate factor * u + (factor - 1) / 2.
        reduced = np.array([[factor, 0.0, (factor - 1) / 2], [0.0, factor, (factor - 1) / 2]])
        matrix = compose(matrix, reduced)
    return cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderValue=(0, 0, 0))


def compose(outer: Affine, inner: Affine) -> Affine:
    """The affine that applies ``inner`` first, then ``outer``."""
    linear = outer[:, :2] @ inner[:, :2]
    return np.hstack([linear, (outer[:, :2] @ inner[:, 2] + outer[:, 2])[:, None]])


def to_heatmap(points: Coordinates) -> Coordinates:
    """Input pixels -> heat-map pixels (1/4 of the resolution, pixel centres on integers)."""
    return (points + 0.5) / STRIDE - 0.5


def from_heatmap(points: Coordinates) -> Coordinates:
    """Heat-map pixels -> input pixels, inverse of :func:`to_heatmap`."""
    return (points + 0.5) * STRIDE - 0.5
