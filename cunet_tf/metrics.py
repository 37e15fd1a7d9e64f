"""Landmark metrics of whole data sets, in NumPy.

NME and failure rate are shares here (0.03 is 3 %); the commands print percent.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from cunet_tf.errors import CUNetError
from cunet_tf.skeletons import Skeleton

AUC_THRESHOLD = 0.08  # 300-W's failure threshold on the inter-ocular NME


def point_errors(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Euclidean distances ``[N, C]`` between points ``[N, C, 2]``."""
    return np.linalg.norm(np.asarray(predicted, np.float64) - np.asarray(truth, np.float64), axis=-1)


def normalizer_distance(truth: np.ndarray, skeleton: Skeleton, name: str, mask: np.ndarray | None = None) -> np.ndarray:
    """Distance ``[N]`` that errors are divided by; NaN where a landmark it needs is not annotated.

    Args:
        truth: annotated points ``[N, C, 2]``.
        skeleton: of the points.
        name: one of the skeleton's normalizers, such as ``"interocular"`` (outer eye
            corners 36 and 45) and ``"interpupil"`` (means of the six points of each eye),
            or ``"box"``, the square root of the area of the tight box of the annotated points.
        mask: ``[N, C]``, 1 where annotated; everything is when ``None``.

    Raises:
        CUNetError: the skeleton has no such normalizer.
    """
    truth = np.asarray(truth, np.float64)
    if mask is not None:
        truth = np.where(np.asarray(mask)[..., None] > 0, truth, np.nan)
    if name == "box":
        side = np.fmax.reduce(truth, axis=1) - np.fmin.reduce(truth, axis=1)
        return np.sqrt(side[:, 0] * side[:, 1])
    if name not in skeleton.normalizers:
        known = ", ".join([*skeleton.normalizers, "box"])
        raise CUNetError(f"skeleton {skeleton.name} has no normalizer {name!r}. Known: {known}.")
    first, second = skeleton.normalizers[name]
    gap = truth[:, list(first)].mean(axis=1) - truth[:, list(second)].mean(axis=1)
    return np.linalg.norm(gap, axis=-1)


def nme_per_image(errors: np.ndarray, mask: np.ndarray, distance: np.ndarray) -> np.ndarray:
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
    """Share of pictures with NME above the threshold; pictures without a value are left out."""
    return float(np.mean(_defined(nme) > threshold))


def auc(nme: np.ndarray, threshold: float = AUC_THRESHOLD) -> float:
    """Area under the cumulative error distribution from 0 to ``threshold``, over ``threshold``.

    Exact: the curve is a step function, so the area is the mean of
    ``max(threshold - nme, 0) / threshold``. Pictures without a value are left out.
    """
    return float(np.mean(np.clip(threshold - _defined(nme), 0.0, None)) / threshold)


def ced(nme: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Cumulative error distribution: share of the pictures with a value whose NME is <= each limit."""
    known = np.sort(_defined(nme))
    return np.searchsorted(known, limits, side="right") / len(known)


def _defined(nme: np.ndarray) -> np.ndarray:
    nme = np.asarray(nme, np.float64)
    return nme[~np.isnan(nme)]


def pck(errors: np.ndarray, mask: np.ndarray, distance: np.ndarray, share: float) -> float:
    """Percentage of correct keypoints as a share: errors <= ``share * distance``, points pooled.

    Args:
        errors: ``[N, C]`` pixels.
        mask: ``[N, C]``, 1 where the point counts.
        distance: ``[N]`` pixels, the torso for PCK, the head for PCKh. A picture with NaN
            does not count.
        share: 0.2 for PCK@0.2.
    """
    counts = mask * ~np.isnan(distance)[:, None]
    correct = errors <= share * distance[:, None]
    return float((correct * counts).sum() / max(counts.sum(), 1.0))


def pck_means(
    errors: np.ndarray, mask: np.ndarray, distance: np.ndarray, share: float, skeleton: Skeleton
) -> dict[str, Any]:
    """PCK in percent under each naming of "mean"; arguments as in :func:`pck`.

    Returns:
        ``joints``, all scored joints pooled (14 for LSP and MPII: the published reference's
        mean); ``groups``, the mean of the groups (MPII's official mean over Head, Sho, Elb,
        Wri, Hip, Knee, Ank); ``limbs``, the 12 joints of arms and legs pooled;
        ``per_group`` and ``per_joint``.
    """

    def percent(ids: Iterable[int]) -> float:
        ids = list(ids)
        return 100.0 * pck(errors[:, ids], mask[:, ids], distance, share)

    groups = {name: percent(ids) for name, ids in skeleton.groups.items()}
    limbs = [index for name, ids in skeleton.groups.items() if name != "Head" for index in ids]
    return {
        "joints": percent(skeleton.scored or range(skeleton.size)),
        "groups": float(np.mean(list(groups.values()))) if groups else None,
        "limbs": percent(limbs) if "Head" in skeleton.groups else None,
        "per_group": groups,
        "per_joint": {name: percent([index]) for index, name in enumerate(skeleton.names)},
    }
