"""Checks of points, masks, boxes and of left and right; no picture is opened."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from cunet_tf.data.finding import ERROR, WARNING, Finding, file_of, finding_at
from cunet_tf.data.sample import Sample, Source
from cunet_tf.skeletons import Skeleton

SMALLEST_BOX = 8.0  # pixels, of the longer side
SWAPPED = "left and right may be swapped"


def flip_findings(skeleton: Skeleton) -> list[Finding]:
    """Pairs of the flip map that do not exist, do not come back or lie on one side."""
    indices = [index for pair in skeleton.mirror_pairs for index in pair]
    if any(not 0 <= index < skeleton.size for index in indices):
        text = f"skeleton {skeleton.name}: a flip pair is outside 0..{skeleton.size - 1}."
        return [Finding("flip map", ERROR, "", "", text)]
    found = []
    mirror = skeleton.flip_permutation
    if sorted(mirror) != list(range(skeleton.size)) or (mirror[mirror] != np.arange(skeleton.size)).any():
        text = f"skeleton {skeleton.name}: flipping twice does not give back every landmark."
        found.append(Finding("flip map", ERROR, "", "", text))
    for names in ([skeleton.names[index] for index in pair] for pair in skeleton.mirror_pairs):
        if {name.split("_")[0] for name in names} in ({"left"}, {"right"}):
            text = f"skeleton {skeleton.name}: the flip pair {' and '.join(names)} is on one side."
            found.append(Finding("flip map", ERROR, "", "", text))
    return found


def sample_findings(sample: Sample, skeleton: Skeleton) -> Iterator[Finding]:
    """What is wrong with the points, the mask and the box of one sample."""
    points, mask, size = sample.points, sample.mask, skeleton.size
    if points.shape != (size, 2) or mask.shape != (size,):
        text = f"{len(points)} points and {len(mask)} mask values, but {skeleton.name} has {size}."
        yield finding_at(sample, "wrong number of points", text)
        return
    if not ((mask == 0) | (mask == 1)).all():
        value = mask[(mask != 0) & (mask != 1)][0]
        yield finding_at(sample, "mask value", f"the mask holds {value:g}, but only 0 and 1 have a meaning.")
    finite = np.isfinite(points).all(axis=1) | (mask == 0)
    if not finite.all():
        yield finding_at(sample, "point not a number", f"point {int(np.argmin(finite))} is not a number.")
        return
    marked = points[mask > 0]
    if not len(marked):
        yield finding_at(sample, "too few annotated points", f"none of {size} points is annotated, one is needed.")
    elif len(marked) > 1 and (marked == marked[0]).all():
        yield finding_at(sample, "all points identical", f"every point lies on ({marked[0, 0]:g}, {marked[0, 1]:g}).")
        return
    sides = sample.box[2:] - sample.box[:2]
    if not (sides.min() > 0 and sides.max() >= SMALLEST_BOX):
        text = f"the box is {sides[0]:.4g} x {sides[1]:.4g} pixels, {SMALLEST_BOX:g} are needed."
        yield finding_at(sample, "degenerate box", text)


def repeated(source: Source) -> list[Finding]:
    """Samples that have the picture and the box of another."""
    seen: dict[Any, str] = {}
    found = []
    for sample in source:
        key = (file_of(sample), sample.box.round(3).tobytes())
        if file_of(sample) and key in seen:
            found.append(finding_at(sample, "same sample twice", f"{seen[key]} has this picture and box already."))
        seen[key] = sample.name
    return found


def side_findings(source: Source) -> list[Finding]:
    """Left and right by majority: a person who faces the camera has the right side at smaller x."""
    names, size = source.skeleton.names, source.skeleton.size
    pairs = [pair for pair in source.skeleton.mirror_pairs if all(0 <= index < size for index in pair)]
    ordered = [sorted(pair, key=lambda index: names[index].startswith("left_")) for pair in pairs]
    named = [(a, b) for a, b in ordered if names[a].startswith("right_") and names[b].startswith("left_")]
    samples = [s for s in source if s.points.shape == (size, 2) and s.mask.shape == (size,)]
    if not named or not samples:
        return []
    right, left = np.array(named).T
    x = np.stack([sample.points[:, 0] for sample in samples])
    known = np.stack([sample.mask for sample in samples]) > 0
    signs = np.nan_to_num(np.where(known[:, right] & known[:, left], np.sign(x[:, left] - x[:, right]), 0))
    facing = np.sign(signs.sum(axis=1))  # [N] 1 facing, -1 from behind (or swapped), 0 undecided
    return [*_side_majority(facing), *_odd_pairs(signs, facing, named, names), *_odd_samples(facing, samples)]


def _side_majority(facing: np.ndarray) -> Iterator[Finding]:
    if _most(facing < 0, facing > 0):
        text = f"{SWAPPED}: in {(facing < 0).sum()} of {len(facing)} samples left_* lies left of right_*."
        yield Finding("left and right", WARNING, "", "", text)


def _odd_pairs(signs: np.ndarray, facing: np.ndarray, pairs: list, names: tuple[str, ...]) -> Iterator[Finding]:
    agreement = signs * facing[:, None]
    for (right, left), column in zip(pairs, agreement.T, strict=True):
        if _most(column < 0, column > 0):
            text = f"{SWAPPED}: {names[right]} and {names[left]} lie against the other pairs."
            yield Finding("left and right", WARNING, "", "", text)


def _odd_samples(facing: np.ndarray, samples: list[Sample]) -> Iterator[Finding]:
    """Where nine of ten samples face one way, as faces do, those that face the other."""
    usual = np.sign(facing.sum())
    odd = facing == -usual
    if usual and len(samples) >= 10 and odd.mean() <= 0.1:
        for index in np.flatnonzero(odd):
            text = f"{SWAPPED}: it is the other way round in {(facing == usual).mean():.0%} of the samples."
            yield finding_at(samples[index], "left and right", text, WARNING)


def _most(some: np.ndarray, others: np.ndarray) -> bool:
    """More than half, by two standard deviations of a fair coin."""
    count = some.sum() + others.sum()
    return bool(count and some.sum() / count > 0.5 + count**-0.5)
