"""DARK's step below a pixel in a form that a loss can differentiate (Zhang et al., CVPR 2020).

The centroid of a map in a Gaussian window about a cell lies window^2 times the gradient of the logarithm of the map,
smoothed by that window, away from the cell (mean shift). DARK divides the same gradient by the curvature that it
measures; here it is divided by the curvature that a target has, 1 / (sigma^2 + window^2). With a window of the
targets' own sigma the step is twice the offset of the centroid: no small curvature is ever divided by, and a Gaussian
of sigma is found exactly.
"""

from keras import ops

from cunet_tf.aliases import Tensor
from cunet_tf.heatmaps import gaussian_profiles

STEP = 2.0  # (sigma^2 + window^2) / window^2
LEAST = 0.05  # of the mass of a perfect map; maps with less pull their points less, and gradients stay bounded


def peak_cells(heatmaps: Tensor) -> tuple[Tensor, Tensor]:
    """Integer x and y, ``[B, C]``, of the maximum of each map ``[B, h, w, C]``, the first one in row order."""
    height, width, channels = heatmaps.shape[1:]
    flat = ops.argmax(ops.reshape(heatmaps, (-1, height * width, channels)), axis=1)
    return flat % width, flat // width


def soft_points(heatmaps: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
    """Points of heat maps, differentiable about each maximum.

    Args:
        heatmaps: ``[B, side, side, C]``; what is below zero counts as zero.
        sigma: of the targets, in heat-map pixels.

    Returns:
        Points ``[B, C, 2]`` in heat-map pixels, and the cells ``[B, C, 2]`` of the maxima, which have no gradient.
    """
    side = heatmaps.shape[1]
    cells = ops.cast(ops.stack(peak_cells(heatmaps), axis=-1), "float32")
    window = gaussian_profiles(cells, sigma, side)
    maps = ops.relu(ops.cast(heatmaps, "float32"))
    columns = ops.einsum("byxc,bcy->bcx", maps, window[:, :, 1]) * window[:, :, 0]
    rows = ops.einsum("byxc,bcx->bcy", maps, window[:, :, 0]) * window[:, :, 1]
    total = ops.sum(columns, axis=-1, keepdims=True)
    perfect = 3.14159265 * sigma**2  # the sum of the target times the window
    shares = ops.stack([columns, rows], axis=2) / ops.expand_dims(ops.maximum(total, LEAST * perfect), -1)
    offsets = ops.arange(side, dtype="float32") - ops.expand_dims(cells, -1)
    return cells + STEP * ops.sum(shares * offsets, axis=-1), cells


def seen_points(points: Tensor, cells: Tensor, sigma: float, side: int) -> Tensor:
    """Where :func:`soft_points` finds perfect maps whose maxima it takes to be at ``cells``.

    These are the points themselves, but near the border, which cuts the Gaussian and moves its centroid: a perfect
    map shall have no error there either.

    Args:
        points: ``[B, C, 2]``, true ones.
        cells: ``[B, C, 2]``, as :func:`soft_points` gives them.
        sigma: of the targets.
        side: of the heat maps.
    """
    grid = ops.arange(side, dtype="float32")
    # Target times window is a Gaussian half way between; a softmax does not vanish however far they are apart.
    middle = ops.expand_dims((points + cells) / 2.0, -1)
    shares = ops.softmax(-ops.square(grid - middle) / sigma**2, axis=-1)
    return cells + STEP * (ops.sum(shares * grid, axis=-1) - cells)
