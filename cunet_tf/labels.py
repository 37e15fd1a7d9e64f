"""Where labels go: beside their points, in no one's way; the same place for the same input."""

import numpy as np

ANGLES = np.deg2rad(np.arange(0, 360, 22.5))
RINGS = (1.0, 2.0, 3.5, 5.5, 8.0, 11.0)  # distances between label and point, in gaps
HIT = 1e3  # cost of a point under a label; a label under another costs the same and their common area


def place_labels(
    anchors: np.ndarray, sizes: np.ndarray, bounds: tuple[float, float, float, float], gap: float,
    obstacles: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Boxes of labels, one after the other at the free place nearest to its point.

    Args:
        anchors: ``[N, 2]`` points in pixels, y up or down.
        sizes: ``[N, 2]`` widths and heights of the labels in pixels.
        bounds: x0, y0, x1, y1 that labels stay inside of where they can.
        gap: pixels between a label and its point, and around points that no label hides.
        obstacles: ``[M, 2]`` points that no label should hide; the anchors when ``None``.

    Returns:
        ``[N, 4]`` x0, y0, x1, y1. Labels overlap only where every place within eleven gaps is taken.
    """
    points = np.asarray(anchors if obstacles is None else obstacles, np.float64).reshape(-1, 2)
    placed = np.zeros((0, 4))
    for anchor, size in zip(np.asarray(anchors, np.float64), np.asarray(sizes, np.float64), strict=True):
        boxes, distance = _candidates(anchor, size, gap)
        cost = distance / gap + HIT * _hidden(boxes, points, 0.6 * gap) + _outside(boxes, bounds) * HIT
        common = _common(boxes, placed)
        cost += (common + HIT * (common > 0)).sum(axis=1)
        placed = np.vstack([placed, boxes[cost.argmin()]])
    return placed


def _candidates(anchor: np.ndarray, size: np.ndarray, gap: float) -> tuple[np.ndarray, np.ndarray]:
    """Boxes ``[K, 4]`` around a point, to the right of it first, and their distances from it."""
    directions = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
    distance = np.repeat(gap * np.array(RINGS), len(ANGLES))
    directions = np.tile(directions, (len(RINGS), 1))
    # The box touches the circle of that distance with its nearest side or corner.
    centres = anchor + directions * distance[:, None] + np.clip(directions * 2, -1, 1) * size / 2
    return np.hstack([centres - size / 2, centres + size / 2]), distance


def _hidden(boxes: np.ndarray, points: np.ndarray, margin: float) -> np.ndarray:
    low, high = boxes[:, None, :2] - margin, boxes[:, None, 2:] + margin
    return ((points > low) & (points < high)).all(axis=2).sum(axis=1)


def _outside(boxes: np.ndarray, bounds: tuple[float, float, float, float]) -> np.ndarray:
    low, high = np.array(bounds[:2]), np.array(bounds[2:])
    return (np.maximum(low - boxes[:, :2], 0) + np.maximum(boxes[:, 2:] - high, 0)).sum(axis=1)


def _common(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Common areas ``[K, M]``, each box a pixel larger on all sides."""
    low = np.maximum(boxes[:, None, :2] - 1, others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:] + 1, others[None, :, 2:])
    return np.prod(np.maximum(high - low, 0), axis=2)
