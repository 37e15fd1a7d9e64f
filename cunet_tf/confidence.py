"""How far a result can be trusted, from what is at hand when it is found.

The mean height of the peaks does not tell: a network is as sure of points on a hat as of those on a face. What
does is the shape of the peaks, whether all points together look like the objects of the training set (a point
distribution model: Cootes et al., 1995), how they lie in the crop, and whether a second look agrees.
A logistic regression of these makes one number; its parameters are part of a model's description.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cunet_tf.errors import CUNetError

NEAR = 2.5  # heat-map pixels around a peak
HALF = 0.5  # the confidence below which nothing was found
PEAKS = ("peak", "low_peak", "concentration", "low_concentration")
SHAPE = ("residual", "modes", "size", "size_squared", "offset", "roll")
AGREEMENT = ("agreement",)
FEATURES = (*PEAKS, *SHAPE, *AGREEMENT)
TINY = 1e-6


@dataclass(frozen=True, eq=False)
class ShapeModel:
    """Where the points of an object may lie: a mean shape and the ways in which it varies.

    Attributes:
        mean: ``[C, 2]``, centred, of norm 1.
        modes: ``[k, 2C]``, orthonormal.
        spread: ``[k]``, standard deviations along them.
    """

    mean: np.ndarray
    modes: np.ndarray
    spread: np.ndarray

    @classmethod
    def fit(cls, shapes: np.ndarray, masks: np.ndarray, count: int, rounds: int = 3) -> "ShapeModel":
        """Generalized Procrustes analysis of ``[N, C, 2]``, then ``count`` principal components.

        Args:
            shapes: points in any frame; scale, place and rotation of each do not matter.
            masks: ``[N, C]``; only shapes with every point are used.
            count: k.
            rounds: of aligning all shapes to their mean.

        Raises:
            CUNetError: fewer whole shapes than modes.
        """
        whole = np.asarray(shapes, np.float64)[np.asarray(masks).min(axis=1) > 0]
        if len(whole) <= count:
            raise CUNetError(
                f"{len(whole)} objects have all their landmarks: {count + 1} are needed for a shape model."
            )
        mean = _unit(whole[0])
        for _ in range(rounds):
            aligned = np.stack([align(shape, mean)[0] for shape in whole])
            mean = _unit(aligned.mean(axis=0))
        mean = _turned(mean, float(np.median([align(shape, mean)[2] for shape in whole])))
        aligned = np.stack([align(shape, mean)[0] for shape in whole])
        flat = (aligned - mean).reshape(len(whole), -1)
        _, values, modes = np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)
        return cls(mean, modes[:count], values[:count] / np.sqrt(len(whole)))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, rounded as :meth:`rounded` does."""
        return {name: _integers(getattr(self, name)) for name in ("mean", "modes", "spread")}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "ShapeModel":
        """Inverse of :meth:`to_dict`."""
        return cls(*(np.asarray(fields[name], np.float64) / SCALE for name in ("mean", "modes", "spread")))


SCALE = 10_000  # descriptions store shapes as integers: short in JSON, and the same numbers for every reader


def _integers(values: np.ndarray) -> list:
    return np.rint(values * SCALE).astype(int).tolist()


@dataclass(frozen=True, eq=False)
class Confidence:
    """A model's own measure of trust (``confidence`` of its description).

    Attributes:
        shape: of the training set.
        one: ``[11]``, bias and weights of the features of one look.
        two: ``[12]``, the same with the agreement of two looks.
        threshold: results below it count as not found.
        visible: height of a peak from which a single point is sure.
    """

    shape: ShapeModel
    one: np.ndarray
    two: np.ndarray
    threshold: float = HALF
    visible: float = 0.0

    def __post_init__(self) -> None:
        modes, points = len(self.shape.spread), self.shape.mean.shape
        sound = (
            len(points) == 2 and points[1] == 2 and self.shape.modes.shape == (modes, 2 * points[0])
            and self.one.shape == (1 + len(PEAKS + SHAPE),) and self.two.shape == (1 + len(FEATURES),)
            and np.isfinite([*self.one, *self.two, self.threshold, self.visible]).all()
            and (self.shape.spread > 0).all()
        )  # fmt: skip
        if not sound:
            raise ValueError("confidence: shape, one, two, threshold and visible do not fit each other")

    def __call__(self, features: np.ndarray) -> float:
        """0..1 from the features of one look ``[10]`` or of two ``[11]``."""
        weights = self.one if len(features) == len(self.one) - 1 else self.two
        return float(1.0 / (1.0 + np.exp(-np.clip(weights[0] + features @ weights[1:], -50.0, 50.0))))

    def features(
        self, maps: np.ndarray, points: np.ndarray, scores: np.ndarray, before: np.ndarray | None = None
    ) -> np.ndarray:
        """Features of a result; see :func:`peak_features` and :func:`shape_features` for the arguments.

        Args:
            maps, points, scores: of the last look.
            before: the points of the look before in the same frame, where there was one.
        """
        parts = [peak_features(maps, points, scores), shape_features(points, self.shape, maps.shape[0])]
        if before is not None:
            parts.append(agreement_feature(before, points))
        return np.concatenate(parts)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "features": list(FEATURES), "shape": self.shape.to_dict(),
            "one": np.round(self.one, 5).tolist(), "two": np.round(self.two, 5).tolist(),
            "threshold": self.threshold, "visible": self.visible,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "Confidence":
        """Inverse of :meth:`to_dict`.

        Raises:
            ValueError: not the features that this code computes, or parts that do not fit.
        """
        if tuple(fields["features"]) != FEATURES:
            raise ValueError(f"confidence: features {fields['features']} are not {list(FEATURES)}")
        one, two = (np.asarray(fields[name], np.float64) for name in ("one", "two"))
        return cls(
            ShapeModel.from_dict(fields["shape"]), one, two, float(fields["threshold"]), float(fields["visible"])
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Confidence) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.threshold, self.visible, len(self.shape.mean)))


def _unit(shape: np.ndarray) -> np.ndarray:
    centred = shape - shape.mean(axis=0)
    return centred / max(float(np.linalg.norm(centred)), TINY)


def _turned(shape: np.ndarray, degrees: float) -> np.ndarray:
    """A shape turned clockwise, as seen on the screen."""
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return shape @ np.array([[cos, sin], [-sin, cos]])


def align(points: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, float, float]:
    """The similarity that lays points over the mean shape by least squares.

    Args:
        points: ``[C, 2]``.
        mean: ``[C, 2]``, centred, of norm 1.

    Returns:
        The points in the mean's frame; the size of the object, as the norm of its centred points along the
        mean; and the degrees by which it is turned clockwise, as seen on the screen.
    """
    centred = points - points.mean(axis=0)
    cos = float((centred * mean).sum())
    sin = float((centred[:, 1] * mean[:, 0] - centred[:, 0] * mean[:, 1]).sum())
    size = max(float(np.hypot(cos, sin)), TINY)
    turn = np.array([[cos, -sin], [sin, cos]]) / size  # from the mean's axes to the object's
    return centred @ turn / size, size, float(np.degrees(np.arctan2(sin, cos)))


def peak_features(maps: np.ndarray, points: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """``[4]``: mean and lower decile of the peaks' heights, and of the share of each map that lies near its peak.

    Args:
        maps: ``[h, w, C]``.
        points: ``[C, 2]`` in heat-map pixels.
        scores: ``[C]``.
    """
    height, width = maps.shape[:2]
    positive = np.maximum(maps, 0.0)
    near_x = np.abs(np.arange(width)[:, None] - points[:, 0]) <= NEAR
    near_y = np.abs(np.arange(height)[:, None] - points[:, 1]) <= NEAR
    near = np.einsum("yxc,yc,xc->c", positive, near_y.astype(np.float32), near_x.astype(np.float32))
    share = near / np.maximum(positive.sum(axis=(0, 1)), TINY)
    return np.array([scores.mean(), np.quantile(scores, 0.1), share.mean(), np.quantile(share, 0.1)])


def shape_features(points: np.ndarray, shape: ShapeModel, side: int) -> np.ndarray:
    """``[6]``: how unlike the training shapes the points are, and how they lie in the crop.

    Args:
        points: ``[C, 2]`` in heat-map pixels of a crop.
        shape: of the training set.
        side: of the heat maps.
    """
    aligned, size, roll = align(points, shape.mean)
    difference = (aligned - shape.mean).ravel()
    weights = shape.modes @ difference
    rest = difference - weights @ shape.modes
    size = np.log(size / (side * np.sqrt(len(points))))
    offset = np.linalg.norm(points.mean(axis=0) - (side - 1) / 2.0) / side
    return np.array([np.log(np.linalg.norm(rest) + TINY), np.log(np.mean((weights / shape.spread) ** 2) + TINY),
                     size, size**2, offset, abs(roll) / 90.0])  # fmt: skip


def agreement_feature(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """``[1]``: mean distance of two looks' points ``[C, 2]``, by the extent of the second, as a logarithm."""
    extent = max(float(np.ptp(second, axis=0).max()), TINY)
    return np.array([np.log(np.linalg.norm(first - second, axis=1).mean() / extent + 1e-3)])
