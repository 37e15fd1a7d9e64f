"""Do the parts of a sample fit each other: points and box; and values that stand for "not annotated"."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from cunet_tf.data.check_annotations import SMALLEST_BOX
from cunet_tf.data.finding import WARNING, Finding, finding_at
from cunet_tf.data.sample import Sample, Source
from cunet_tf.skeletons import Skeleton

CROP = 1.25  # enlargement of the box to the crop, the largest of the recipes
STANDS_FOR_NONE = ((0.0, 0.0), (-1.0, -1.0), (-0.5, -0.5), (-2.0, -2.0))  # also after half a pixel or one was taken off
CORNERS = 2  # points of one sample in one corner of the picture


def fits(source: Source) -> list[Finding]:
    """Boxes that miss their points, and points that are no points."""
    usable = [sample for sample in source if _usable(sample, source.skeleton)]
    found = [finding for sample in usable for finding in box_findings(sample)]
    return [*found, *stand_ins(usable, source.skeleton)]


def _usable(sample: Sample, skeleton: Skeleton) -> bool:
    shaped = sample.points.shape == (skeleton.size, 2) and sample.mask.shape == (skeleton.size,)
    sides = sample.box[2:] - sample.box[:2]
    return shaped and bool(sides.min() > 0 and sides.max() >= SMALLEST_BOX and sample.mask.any())


def box_findings(sample: Sample) -> Iterator[Finding]:
    """Annotated points outside of the crop around the box: they are neither learned nor found."""
    points = sample.points[(sample.mask > 0) & np.isfinite(sample.points).all(axis=1)]
    inside = _inside(points, sample.box)
    if inside.all():
        return
    if inside.any():
        count = f"{int((~inside).sum())} of {len(points)} points lie outside the crop around the box"
        yield finding_at(sample, "point outside the box", f"{count}: they will not be learned.", WARNING)
        return
    advice = "is it the box of another object?"
    x, y, width, height = sample.box  # that were meant as corner and size
    if width > 0 and height > 0 and _inside(points, np.array([x, y, x + width, y + height])).all():
        advice = "it looks like x, y, width, height, and x0, y0, x1, y1 are needed."
    text = f"no point lies in the box {sample.box.round(1).tolist()}: {advice}"
    yield finding_at(sample, "box without points", text)


def _inside(points: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Which points ``[N, 2]`` lie in the square crop around a box."""
    half = CROP * max(box[2:] - box[:2]) / 2.0
    return (np.abs(points - (box[:2] + box[2:]) / 2.0) <= half).all(axis=1)


def stand_ins(samples: list[Sample], skeleton: Skeleton) -> Iterator[Finding]:
    """Landmarks at (0, 0), (-1, -1) and the like, as many exports write "not annotated"."""
    for value in STANDS_FOR_NONE:
        at = np.array([(sample.mask > 0) & (sample.points == value).all(axis=1) for sample in samples])
        for index in np.flatnonzero(at.any(axis=0)) if len(at) else ():
            count = int(at[:, index].sum())
            if count > 1 or at[at[:, index]].sum() > 1:  # one point may lie in the corner
                text = (
                    f"{skeleton.names[index]} is ({value[0]:g}, {value[1]:g}) in {count} of {len(samples)} samples: "
                    "does that mean 'not annotated'? Then write null, or visibility 0."
                )
                yield Finding("stand-in for a missing point", WARNING, "", "", text)


def corner_findings(sample: Sample, skeleton: Skeleton, width: int, height: int) -> Iterator[Finding]:
    """Several points in one corner of the picture ``width`` x ``height``."""
    if not _usable(sample, skeleton):
        return
    places = Counter(map(tuple, sample.points[sample.mask > 0].tolist()))
    for right, low in ((width, 0), (0, height), (width, height)):
        for step in (0, 1):
            place = (float(max(right - step, 0) if right else 0), float(max(low - step, 0) if low else 0))
            if places[place] >= CORNERS:
                text = f"{places[place]} points lie in the corner ({place[0]:g}, {place[1]:g}): are they not annotated?"
                yield finding_at(sample, "stand-in for a missing point", text, WARNING)
