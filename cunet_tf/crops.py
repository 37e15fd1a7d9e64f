"""A second crop of the same box, turned a little, and the mean of both crops' heat maps."""

import numpy as np

from cunet_tf.aliases import Affine, HeatMaps
from cunet_tf.data.geometry import apply, crop_matrix, whole_picture

TURN = 8.0  # degrees, clockwise as seen on the screen; chosen by cunet_tf.trainers.study.measure_crops


def about_middle(side: int, degrees: float) -> np.ndarray:
    """2x3 matrix from the pixels of one crop to those of another whose view's roll is larger by ``degrees``."""
    return crop_matrix(whole_picture(side, side), 1.0, side, rotation=degrees)


def carried(maps: HeatMaps, matrix: Affine) -> tuple[np.ndarray, np.ndarray]:
    """Heat maps of one crop on the pixels of another, bilinear.

    Args:
        maps: ``[B, h, w, C]``.
        matrix: 2x3, from the other crop's heat-map pixels to those of ``maps``.

    Returns:
        Values ``[B, h, w, C]``, for which cells outside count 0, and the share ``[h, w]`` of each that lies inside.
    """
    height, width = maps.shape[1:3]
    rows, columns = np.mgrid[:height, :width]
    places = apply(matrix, np.stack([columns, rows], axis=-1))
    first = np.floor(places).astype(int)
    rest = places - first
    values, inside = np.zeros(maps.shape, np.float32), np.zeros((height, width), np.float32)
    for step in ((0, 0), (1, 0), (0, 1), (1, 1)):
        x, y = np.moveaxis(first + step, -1, 0)
        weight = np.where(step, rest, 1.0 - rest).prod(axis=-1)
        weight = np.where((x >= 0) & (x < width) & (y >= 0) & (y < height), weight, 0.0).astype(np.float32)
        near = maps[:, np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
        values += weight[..., None] * near
        inside += weight
    return values, inside


def mean_of_crops(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Mean heat maps ``[B, h, w, C]`` on the first crop's pixels, of the first alone where the second does not reach.

    Args:
        first: of the crop.
        second: of the crop that is turned by ``TURN`` more.
    """
    values, inside = carried(second, about_middle(first.shape[1], TURN))
    return (first + values) / (1.0 + inside[..., None])
