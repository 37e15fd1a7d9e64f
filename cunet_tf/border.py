"""What the border of a heat map does to a Gaussian that is smoothed, in closed form.

Smoothing by the targets' own Gaussian is a least-squares fit: the smoothed map is highest where a Gaussian of that
sigma, of any height, fits best. Near the border a part of that Gaussian has no cells, and zeros in their place pull
the maximum inward. Two things set that right, and both are nothing away from the border.
"""

from functools import lru_cache

import numpy as np

NARROWEST = 0.7  # sigma; below it the border shows too few cells of a Gaussian to tell where its centre is
FINE = 32  # steps of the table a cell
FARTHEST = 1.25  # cells from the highest cell to a centre that the table knows


def reach(sigma: float) -> int:
    """Cells from the border, or beyond it, past which nothing of a Gaussian on the other side matters."""
    return int(np.ceil(6 * sigma)) + 2


def pull(sigma: float) -> int:
    """Cells by which the maximum of the smoothed map may lie too far inside; 1 to a sigma of 1.5, 2 to 3."""
    return int(np.ceil(sigma / 1.5))


def share_inside(at: np.ndarray, sigma: float, side: int) -> np.ndarray:
    """Share of ``exp(-(t - at)^2 / sigma^2)``, summed over whole t, that falls on the cells ``0 .. side - 1``.

    Two Gaussians of ``sigma`` around a and b have this product around their middle, times a factor without t. So at
    ``at = x`` it is how much is left of the squares of a Gaussian around x, and at ``at = (x + c) / 2`` by how much
    a Gaussian around c is too low at x after smoothing. Below ``NARROWEST`` it is 1, so that nothing is set right.

    Args:
        at: places in heat-map pixels, any shape.
        sigma: in heat-map pixels.
        side: cells of the heat map along this axis.
    """
    if sigma < NARROWEST:
        return np.ones(np.shape(at))
    beyond = reach(sigma)
    cells = np.arange(-beyond, side + beyond)
    parts = np.exp(-(((cells - np.asarray(at, np.float64)[..., None]) / sigma) ** 2))
    return parts[..., beyond : beyond + side].sum(axis=-1) / parts.sum(axis=-1)


@lru_cache(maxsize=32)
def fit_weights(sigma: float, height: int, width: int) -> np.ndarray:
    """Factors float32 ``[height + 2, width + 2]`` of the smoothed map, from one cell outside to one cell outside.

    Divided by the norm of the part of the Gaussian that has cells, its maximum is the best fit again, and noise of
    the map is equally strong everywhere.
    """
    y, x = (1.0 / np.sqrt(share_inside(np.arange(-1, side + 1), sigma, side)) for side in (height, width))
    factors = np.outer(y, x).astype(np.float32)
    factors.flags.writeable = False  # shared by all callers
    return factors


@lru_cache(maxsize=32)
def step_corrections(sigma: float, side: int) -> np.ndarray:
    """What to add to the step from the highest cell to the top of the parabola through it and its neighbours.

    The fit's logarithm is no parabola near the border; this is how far its maximum lies from the parabola's.

    Returns:
        float64 ``[side, 2 * FINE + 1]`` in heat-map pixels: of each highest cell, steps -1 to 1.
    """
    # The other border is the mirror image; cells far from both need nothing.
    cells = np.arange(min(side, reach(sigma)))
    offsets = np.linspace(-FARTHEST, FARTHEST, int(2 * FARTHEST * FINE) + 1)
    x = cells[:, None, None] + np.arange(-1, 2)
    centre = cells[:, None, None] + offsets[:, None]
    log_fit = -((x - centre) ** 2) / (4 * sigma**2) + np.log(share_inside((x + centre) / 2, sigma, side))
    log_fit -= np.log(share_inside(x, sigma, side)) / 2
    below, middle, above = np.moveaxis(log_fit, -1, 0)
    steps = np.maximum.accumulate((above - below) / 2 / (2 * middle - below - above), axis=1)
    known = np.linspace(-1, 1, 2 * FINE + 1)
    low = np.stack([np.interp(known, row, offsets) for row in steps]) - known
    table = np.zeros((side, len(known)))
    table[cells], table[side - 1 - cells] = low, -low[:, ::-1]
    table.flags.writeable = False
    return table


def corrected(step: np.ndarray, cell: np.ndarray, sigma: float, side: int) -> np.ndarray:
    """Steps along one axis with their :func:`step_corrections`, linear between those of the table.

    Args:
        step: ``[B, C]``, -1 to 1.
        cell: ``[B, C]``, the highest cells, from which the steps go.
        sigma: in heat-map pixels.
        side: cells of the heat map along this axis.
    """
    table = step_corrections(sigma, side)
    place = (step + 1.0) * FINE
    before = np.minimum(place.astype(int), 2 * FINE - 1)
    return step + table[cell, before] + (place - before) * (table[cell, before + 1] - table[cell, before])
