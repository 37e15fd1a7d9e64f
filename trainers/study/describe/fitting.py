"""From annotated pictures to what a description holds: shape model, confidence, map of a detector's boxes."""

from collections.abc import Callable

import numpy as np

from cunet_tf.boxes import BoxMap, overlap
from cunet_tf.confidence import AGREEMENT, FEATURES, HALF, PEAKS, SHAPE, Confidence, ShapeModel
from cunet_tf.data.sample import Source
from cunet_tf.detector import Detector
from cunet_tf.errors import CUNetError
from cunet_tf.trainers.study.describe.logistic import fit_logistic
from cunet_tf.trainers.study.describe.results import Results

MODES = 12  # of the shape model
KEPT = 0.97  # share of good results that the threshold keeps; more than the 95 % that are promised on other pictures
SURE_POINTS = 0.95  # share of right points that count as visible
RIGHT, WRONG = 0.5, 1.5  # error of a right point, and of a wrong one, over the border of good results
FOUND = 0.5  # share of the smaller box, the detector's or the tight one, that lies in the other: it found the object
ENOUGH = 0.5  # share of the objects that a detector has to find to be of use


def shape_of(source: Source) -> ShapeModel:
    """Shape model of a data set, its mean turned as most objects stand.

    Raises:
        CUNetError: fewer than three landmarks have no shape, or too few objects have all of theirs.
    """
    if source.skeleton.size < 3:
        raise CUNetError(f"{source.skeleton.size} landmarks have no shape to compare: a confidence needs three.")
    points = np.stack([sample.points for sample in source])
    masks = np.stack([sample.mask for sample in source])
    return ShapeModel.fit(points, masks, min(MODES, 2 * source.skeleton.size - 4))


def blank(shape: ShapeModel) -> Confidence:
    """A confidence that computes features and knows nothing yet."""
    return Confidence(shape, np.zeros(1 + len(PEAKS + SHAPE)), np.zeros(1 + len(FEATURES)))


def fit_confidence(shape: ShapeModel, one: Results, two: Results) -> Confidence:
    """Weights for one look and for two, moved so that ``HALF`` keeps ``KEPT`` of the good results.

    Raises:
        CUNetError: too few good or bad results to learn from.
    """
    assert len(AGREEMENT) == two.features.shape[1] - one.features.shape[1]
    return Confidence(shape, _weights(one), _weights(two), HALF, _visible(one))


def _weights(results: Results) -> np.ndarray:
    good, lost = results.good, results.lost
    groups = (good, lost, ~good & ~lost)
    if min(group.sum() for group in groups[:2]) < 2 * results.features.shape[1]:
        raise CUNetError(
            f"{good.sum()} good and {lost.sum()} lost results are too few to learn from: use more pictures."
        )
    weight = sum(share * group / max(group.sum(), 1) for share, group in zip((0.5, 0.25, 0.25), groups, strict=True))
    weights = fit_logistic(results.features, good, weight)
    values = weights[0] + results.features[good] @ weights[1:]
    weights[0] -= np.quantile(values, 1.0 - KEPT)
    return weights


def _visible(results: Results) -> float:
    """Peak height that ``SURE_POINTS`` of the right points of good results reach."""
    right = (results.points < RIGHT * results.borders[0]) & results.good[:, None]
    return round(float(np.quantile(results.scores[right], 1.0 - SURE_POINTS)), 4)


def fit_box_map(source: Source, detector: Detector, progress: Callable[[int], None] | None = None) -> BoxMap | None:
    """Median shift and scale from a detector's boxes to tight ones; ``None`` where it finds too few objects."""
    shifts, scales = [], []
    for index, sample in enumerate(source, 1):
        found = detector(sample.load())
        if progress:
            progress(index)
        if not found:
            continue
        shares = overlap(sample.box, np.array([each.box for each in found]), of_smaller=True)
        best = found[int(shares.argmax())]
        if shares.max() < FOUND:
            continue
        side, angle = np.max(best.box[2:] - best.box[:2]), np.deg2rad(best.roll)
        gap = (sample.box.reshape(2, 2).mean(axis=0) - best.box.reshape(2, 2).mean(axis=0)) / side
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        shifts.append(turn @ gap)
        scales.append(np.max(sample.box[2:] - sample.box[:2]) / side)
    if len(scales) < ENOUGH * len(source):
        return None
    x, y = np.round(np.median(shifts, axis=0), 4).tolist()
    return BoxMap(detector.name, (x, y), round(float(np.median(scales)), 4))
