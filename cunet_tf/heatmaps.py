"""Heat maps: points -> targets, heat maps -> points.

Points are (x, y) in heat-map pixels, pixel centres on integers.
"""

import cv2
import numpy as np

from cunet_tf.aliases import HeatMaps, Points, Tensor
from cunet_tf.border import corrected, fit_weights, pull
from cunet_tf.errors import CUNetError, did_you_mean


def gaussian_maps(points: Tensor, sigma: float, side: int) -> Tensor:
    """Gaussians of peak 1 at sub-pixel centres, drawn by :mod:`keras.ops` on the training device.

    Args:
        points: ``[B, C, >=2]``; only x and y are read.
        sigma: standard deviation in heat-map pixels.
        side: of the heat maps.

    Returns:
        float32 ``[B, side, side, C]``, one outer product each.
    """
    return _outer(gaussian_profiles(points, sigma, side))


def gaussian_profiles(points: Tensor, sigma: float, side: int) -> Tensor:
    """The factors of :func:`gaussian_maps`: ``[B, C, 2, side]``, along x and along y."""
    from keras import ops

    return ops.exp(-ops.square(_offsets(points[..., :2], side)) / (2.0 * sigma**2))


def reference_maps(points: Tensor, sigma: float, side: int) -> Tensor:
    """As :func:`gaussian_maps`, drawn as the published reference does.

    Centres are rounded to whole pixels, and values stand only inside a 7x7 box; with
    ``sigma = REFERENCE_SIGMA`` that is its ``exp(-d^2 / 9)``.
    """
    from keras import ops

    offset = _offsets(ops.round(points[..., :2]), side)
    profile = ops.exp(-ops.square(offset) / (2.0 * sigma**2))
    return _outer(ops.where(ops.abs(offset) <= 3.5, profile, 0.0))


def disk_maps(points: Tensor, radius: float, side: int) -> Tensor:
    """Label maps for detection: 1 within ``radius`` of the point, else 0 (paper, section 3.4 and Table 6).

    Arguments and result as in :func:`gaussian_maps`.
    """
    from keras import ops

    squared = ops.square(_offsets(points[..., :2], side))
    distance = ops.expand_dims(squared[:, :, 1], 3) + ops.expand_dims(squared[:, :, 0], 2)
    return ops.transpose(ops.cast(distance <= radius**2, "float32"), (0, 2, 3, 1))


def _offsets(points: Tensor, side: int) -> Tensor:
    """``[B, C, 2, side]``: columns minus x, rows minus y."""
    from keras import ops

    return ops.arange(side, dtype="float32") - ops.expand_dims(points, -1)


def _outer(profile: Tensor) -> Tensor:
    """``[B, C, 2, side] -> [B, side, side, C]``."""
    from keras import ops

    columns, rows = (ops.transpose(profile[:, :, axis], (0, 2, 1)) for axis in (0, 1))
    return ops.expand_dims(rows, 2) * ops.expand_dims(columns, 1)


REFERENCE_SIGMA = 3.0 / 2.0**0.5  # exp(-d^2 / 9)
CV_CHANNELS = 128  # the most that OpenCV 5 takes in one picture


def decode(heatmaps: HeatMaps, decoder: str = "dark", sigma: float = 1.0) -> tuple[Points, np.ndarray]:
    """Points and scores of a batch of heat maps.

    Args:
        heatmaps: ``[B, h, w, C]``.
        decoder: ``"argmax"``; ``"quarter"``, a quarter pixel toward the higher neighbour
            (the reference's); ``"dark"``, the maximum of a local quadratic fit to the
            logarithm of the smoothed map (Zhang et al., CVPR 2020), which finds a Gaussian
            of ``sigma`` 0.9 to 3 within 0.01 anywhere on the map, corners and the half pixel
            outside the outermost centres included; ``"plateau"``, the
            centroid of the disk in a map of logits (detection supervision).
        sigma: of the training targets, or the disks' radius; sets the smoothing.

    Returns:
        points float64 ``[B, C, 2]`` in heat-map pixels; scores float32 ``[B, C]``, the
        maxima clipped to 0..1.

    Raises:
        CUNetError: unknown decoder.
    """
    if decoder not in DECODERS:
        raise CUNetError(f"--decoder={decoder}: {did_you_mean(decoder, DECODERS)}")
    maps = np.ascontiguousarray(heatmaps, np.float32)
    if decoder == "plateau":  # logits -> probabilities
        maps = 0.5 + 0.5 * np.tanh(0.5 * maps)
    scores = np.clip(maps.max(axis=(1, 2)), 0.0, 1.0)
    return DECODERS[decoder](maps, sigma), scores


def _peaks(maps: HeatMaps) -> tuple[np.ndarray, np.ndarray]:
    """Integer (x, y) of each maximum, the first one in row order."""
    batch, height, width, channels = maps.shape
    flat = maps.reshape(batch, height * width, channels).argmax(axis=1)
    return flat % width, flat // width


def _patches(maps: HeatMaps, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """3x3 neighbourhoods ``[B, C, 3, 3]`` around (x, y), which must not touch the border."""
    step = np.arange(-1, 2)
    return _cells(maps, x[..., None] + step, y[..., None] + step)


def _cells(maps: HeatMaps, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Values ``[B, C, rows, columns]`` of every map ``[B, h, w, C]`` at its columns and rows ``[B, C, n]``."""
    b = np.arange(maps.shape[0])[:, None, None, None]
    c = np.arange(maps.shape[3])[None, :, None, None]
    return maps[b, y[..., :, None], x[..., None, :], c]


def _argmax(maps: HeatMaps, sigma: float) -> np.ndarray:
    return np.stack(_peaks(maps), axis=-1).astype(np.float64)


def _quarter(maps: HeatMaps, sigma: float) -> np.ndarray:
    x, y = _peaks(maps)
    # Reflected, so that a peak on the border has equal neighbours across it and stays there.
    padded = np.pad(maps, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
    patch = _patches(padded, x + 1, y + 1)
    toward = np.stack([patch[..., 1, 2] - patch[..., 1, 0], patch[..., 2, 1] - patch[..., 0, 1]], axis=-1)
    return np.stack([x, y], axis=-1) + 0.25 * np.sign(toward)


def _dark(maps: HeatMaps, sigma: float) -> np.ndarray:
    """Newton step on the log of the smoothed map, at most one pixel; at the border as :mod:`cunet_tf.border` says."""
    height, width = maps.shape[1:3]
    smooth = np.stack([blur(one, sigma) for one in np.pad(maps, ((0, 0), (1, 1), (1, 1), (0, 0)))])
    weights = fit_weights(sigma, height, width)[None, ..., None]
    x, y = _best_fit(smooth, weights, sigma)
    fits = _patches(smooth, x + 1, y + 1) * _patches(weights, x + 1, y + 1)
    step, peaked = _newton(np.log(np.maximum(fits.astype(np.float64), 1e-6)))
    refined_x = x + corrected(step[..., 0], x, sigma, width)
    refined_y = y + corrected(step[..., 1], y, sigma, height)
    points = np.where(peaked, [refined_x, refined_y], [x, y]).transpose(1, 2, 0)
    return np.clip(points, -0.5, [width - 0.5, height - 0.5])


def _best_fit(smooth: np.ndarray, weights: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Integer (x, y) of the best fit about the maximum of each smoothed map, both with one cell around."""
    # Not the best fit of all: a small peak cut by the border may be anything, and would beat a true one elsewhere.
    x, y = _peaks(smooth[:, 1:-1, 1:-1])
    about = np.arange(-pull(sigma), pull(sigma) + 1)
    columns = np.clip(x[..., None] + about, 0, smooth.shape[2] - 3)
    rows = np.clip(y[..., None] + about, 0, smooth.shape[1] - 3)
    fits = _cells(smooth, columns + 1, rows + 1) * _cells(weights, columns + 1, rows + 1)
    best = fits.reshape(*x.shape, -1).argmax(axis=-1)[..., None]
    row, column = np.divmod(best, len(about))
    return np.take_along_axis(columns, column, -1)[..., 0], np.take_along_axis(rows, row, -1)[..., 0]


def _newton(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Steps ``[B, C, 2]`` of -1 to 1 from the middle of 3x3 patches to the top of a quadric, and where it has one."""
    dx, dy = (p[..., 1, 2] - p[..., 1, 0]) / 2, (p[..., 2, 1] - p[..., 0, 1]) / 2
    dxx = p[..., 1, 2] - 2 * p[..., 1, 1] + p[..., 1, 0]
    dyy = p[..., 2, 1] - 2 * p[..., 1, 1] + p[..., 0, 1]
    dxy = (p[..., 2, 2] - p[..., 2, 0] - p[..., 0, 2] + p[..., 0, 0]) / 4
    determinant = dxx * dyy - dxy * dxy
    peaked = (determinant > 1e-9) & (dxx < 0)
    safe = np.where(peaked, determinant, 1.0)
    step = -np.stack([dyy * dx - dxy * dy, dxx * dy - dxy * dx], axis=-1) / safe[..., None]
    return np.clip(np.where(peaked[..., None], step, 0.0), -1.0, 1.0), peaked


def blur(heatmap: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian smoothing of ``[h, w, C]`` with the targets' sigma, zero outside."""
    parts = [heatmap[..., first : first + CV_CHANNELS] for first in range(0, heatmap.shape[-1], CV_CHANNELS)]
    blurred = [cv2.GaussianBlur(part, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT) for part in parts]
    smooth = [found.reshape(part.shape) for found, part in zip(blurred, parts, strict=True)]
    return smooth[0] if len(smooth) == 1 else np.concatenate(smooth, axis=-1)


def _plateau(maps: HeatMaps, radius: float) -> np.ndarray:
    """Centroid of the probabilities around the most probable disk, re-centred three times.

    The first maximum of a plateau is its upper left edge: smoothing by the radius makes its
    middle the maximum.
    """
    smooth = np.stack([blur(one, radius) for one in maps])
    height, width = maps.shape[1:3]
    centre = np.stack(_peaks(smooth), axis=-1).astype(np.float64)
    reach = radius + 1.5
    for _ in range(3):
        near_x = np.clip(reach + 0.5 - np.abs(np.arange(width)[:, None] - centre[:, None, :, 0]), 0, 1)
        near_y = np.clip(reach + 0.5 - np.abs(np.arange(height)[:, None] - centre[:, None, :, 1]), 0, 1)
        weight = maps * near_y[:, :, None] * near_x[:, None]
        total = np.maximum(weight.sum(axis=(1, 2)), 1e-12)
        x = (weight * np.arange(width)[:, None]).sum(axis=(1, 2)) / total
        y = (weight * np.arange(height)[:, None, None]).sum(axis=(1, 2)) / total
        centre = np.stack([x, y], axis=-1)
    return centre


DECODERS = {"dark": _dark, "quarter": _quarter, "argmax": _argmax, "plateau": _plateau}
