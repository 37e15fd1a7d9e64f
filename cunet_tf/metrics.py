"""Landmark metrics of whole data sets, in NumPy.

NME and failure rate are shares here (0.03 is 3 %); the commands print percent.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from cunet_tf.aliases import Mask, Points
from cunet_tf.errors import CUNetError
from cunet_tf.skeletons import Skeleton

AUC_THRESHOLD = 0.08  # 300-W's failure threshold on the inter-ocular NME
LEAST_FOR_AREA = 3  # landmarks, whose tight box has an area


def point_errors(predicted: np.ndarray, truth: Points) -> np.ndarray:
    """Euclidean distances ``[N, C]`` between points ``[N, C, 2]``."""
    return np.linalg.norm(np.asarray(predicted, np.float64) - np.asarray(truth, np.float64), axis=-1)


def normalizer_distance(
    truth: Points, skeleton: Skeleton, name: str, mask: Mask | None = None, boxes: np.ndarray | None = None
) -> np.ndarray:
    """Distance ``[N]`` that errors are divided by; NaN where a landmark it needs is not annotated, or it is zero.

    Args:
        truth: annotated points ``[N, C, 2]``.
        skeleton: of the points.
        name: one of the skeleton's normalizers, such as ``"interocular"`` (outer eye
            corners 36 and 45) and ``"interpupil"`` (means of the six points of each eye),
            or ``"box"``, the square root of the area of the tight box of the annotated points. One or two landmarks
            span no area: for them it is the longer side of the object's own box.
        mask: ``[N, C]``, 1 where annotated; everything is when ``None``.
        boxes: ``[N, 4]``, the objects' own boxes ``[x0, y0, x1, y1]``, for skeletons of one or two landmarks.

    Raises:
        CUNetError: the skeleton has no such normalizer.
    """
    truth = np.asarray(truth, np.float64)
    if mask is not None:
        truth = np.where(np.asarray(mask)[..., None] > 0, truth, np.nan)
    if name == "box":
        return _box_distance(truth, boxes)
    if name not in skeleton.normalizers:
        known = ", ".join([*skeleton.normalizers, "box"])
        raise CUNetError(f"skeleton {skeleton.name} has no normalizer {name!r}. Known: {known}.")
    first, second = skeleton.normalizers[name]
    gap = truth[:, list(first)].mean(axis=1) - truth[:, list(second)].mean(axis=1)
    return _positive(np.linalg.norm(gap, axis=-1))


def _box_distance(truth: Points, boxes: np.ndarray | None) -> np.ndarray:
    if truth.shape[1] < LEAST_FOR_AREA and boxes is not None:
        boxes = np.asarray(boxes, np.float64)
        return _positive((boxes[:, 2:] - boxes[:, :2]).max(axis=1))
    side = np.fmax.reduce(truth, axis=1) - np.fmin.reduce(truth, axis=1)
    return _positive(np.sqrt(side[:, 0] * side[:, 1]))


def _positive(distance: np.ndarray) -> np.ndarray:
    """NaN in place of zero: nothing can be divided by it."""
    return np.where(distance > 0, distance, np.nan)


def nme_per_image(errors: np.ndarray, mask: Mask, distance: np.ndarray) -> np.ndarray:
    """Normalised mean error ``[N]``: mean over annotated points, divided by ``distance``.

    Args:
        errors: ``[N, C]`` pixels.
        mask: ``[N, C]``, 1 where annotated. Pictures without any point give NaN.
        distance: ``[N]`` pixels. NaN gives NaN.
    """
    counted = mask.sum(axis=1)
    total = (errors * mask).sum(axis=1)
    return np.divide(total, counted * distance, out=np.full(len(errors), np.nan), where=counted > 0)


def failure_rate(nme: np.ndarray, threshold: float = AUC_THRESHOLD) -> float:
    """Share of pictures with NME above the threshold; pictures without a value are left out, NaN without any."""
    known = _defined(nme)
    return float(np.mean(known > threshold)) if len(known) else float("nan")


def auc(nme: np.ndarray, threshold: float = AUC_THRESHOLD) -> float:
    """Area under the cumulative error distribution from 0 to ``threshold``, over ``threshold``.

    Exact: the curve is a step function, so the area is the mean of
    ``max(threshold - nme, 0) / threshold``. Pictures without a value are left out, NaN without any.
    """
    known = _defined(nme)
    return float(np.mean(np.clip(threshold - known, 0.0, None)) / threshold) if len(known) else float("nan")


def ced(nme: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Cumulative error distribution: share of the pictures with a value whose NME is <= each limit."""
    known = np.sort(_defined(nme))
    return np.searchsorted(known, limits, side="right") / max(len(known), 1)


def _defined(nme: np.ndarray) -> np.ndarray:
    nme = np.asarray(nme, np.float64)
    return nme[~np.isnan(nme)]


def pck(errors: np.ndarray, mask: Mask, distance: np.ndarray, share: float) -> float:
    """Percentage of correct keypoints as a share: errors <= ``share * distance``, points pooled.

    Args:
        errors: ``[N, C]`` pixels.
        mask: ``[N, C]``, 1 where the point counts.
        distance: ``[N]`` pixels, the torso for PCK, the head for PCKh. A picture with NaN
            does not count.
        share: 0.2 for PCK@0.2.

    Returns:
        NaN where nothing counts.
    """
    counts = mask * ~np.isnan(distance)[:, None]
    correct = errors <= share * distance[:, None]
    return float((correct * counts).sum() / counts.sum()) if counts.any() else float("nan")


def limb_joints(skeleton: Skeleton) -> list[int]:
    """Indices of the joints of arms and legs: those of every group but the head."""
    return [index for name, ids in skeleton.groups.items() if name != "Head" for index in ids]


def pck_means(errors: np.ndarray, mask: Mask, distance: np.ndarray, share: float, skeleton: Skeleton) -> dict[str, Any]:
    """PCK in percent under each naming of "mean"; arguments as in :func:`pck`.

    Returns:
        ``joints``, all scored joints pooled (14 for LSP and MPII: the published reference's
        mean); ``groups``, the mean of the groups (MPII's official mean over Head, Sho, Elb,
        Wri, Hip, Knee, Ank); ``limbs``, the 12 joints of arms and legs pooled;
        ``per_group`` and ``per_joint``; ``None`` where nothing counts.
    """

    def percent(ids: Iterable[int]) -> float | None:
        ids = list(ids)
        value = 100.0 * pck(errors[:, ids], mask[:, ids], distance, share)
        return None if np.isnan(value) else value

    groups = {name: percent(ids) for name, ids in skeleton.groups.items()}
    known = [value for value in groups.values() if value is not None]
    return {
        "joints": percent(skeleton.scored or range(skeleton.size)),
        "groups": float(np.mean(known)) if known else None,
        "limbs": percent(limb_joints(skeleton)) if "Head" in skeleton.groups else None,
        "per_group": groups,
        "per_joint": {name: percent([index]) for index, name in enumerate(skeleton.names)},
    }
