"""Is a data set sound? Checks of points, boxes, files and pictures, before training."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cunet_tf.data.near_duplicates import BITS, near_pairs, picture_hash
from cunet_tf.data.sample import PICTURE_ENDINGS, FaultyFile, Sample, Source, decode_image, read_bytes
from cunet_tf.errors import CUNetError
from cunet_tf.skeletons import Skeleton

ERROR, WARNING = "error", "warning"
FAR = 0.5  # a point this share of the picture's side beyond its edge is an error
SMALLEST_BOX = 8.0  # pixels, of the longer side
SWAPPED = "left and right may be swapped"
Progress = Callable[[int, int], None]
Hashed = tuple[Sample, np.ndarray]  # the first sample of a picture, and the picture's hash


@dataclass(frozen=True)
class Finding:
    """One thing wrong with a data set.

    Attributes:
        kind: what is wrong in a few words, the same for all findings of a kind.
        severity: ``"error"``, training would fail or learn nonsense, or ``"warning"``.
        sample: its name; empty when the finding is about the whole data set.
        file: the file to look at; empty for drawn samples.
        message: one sentence, without the file.
    """

    kind: str
    severity: str
    sample: str
    file: str
    message: str

    def __str__(self) -> str:
        place = self.file or self.sample
        return f"{place}: {self.message}" if place else self.message


def require_sound(source: Source) -> None:
    """Refuse a source without labels, or one in which :func:`quick_check` finds errors.

    Raises:
        CUNetError: how many errors there are, the first three, and the command that shows all.
    """
    if hidden_labels(source):
        raise CUNetError(f"data {source.name}, split {source.split}: no sample is annotated: choose another split.")
    errors = [finding for finding in quick_check(source) if finding.severity == ERROR]
    if errors:
        shown = " ".join(str(finding) for finding in errors[:3])
        raise CUNetError(
            f"data {source.name}, split {source.split}: {len(errors)} error{'s' if len(errors) > 1 else ''}: {shown} "
            f"See all with cunet check --data={source.name} and the same --root and --split."
        )


def quick_check(source: Source) -> list[Finding]:
    """All that is found without decoding pictures; thousands of samples take about a second."""
    findings = _flip_findings(source.skeleton)
    findings += [Finding("absent subset", WARNING, "", part, "this subset is not on disk.") for part in source.missing]
    per_sample = [finding for sample in source for finding in _annotation_findings(sample, source.skeleton)]
    if hidden_labels(source):  # MPII's test part: one finding says it for all
        text = "no sample is annotated: fit for prediction, not for training or evaluation."
        findings.append(Finding("hidden labels", WARNING, "", source.split, text))
        per_sample = [finding for finding in per_sample if finding.kind != "too few annotated points"]
    return [*findings, *per_sample, *_repeated(source), *_twins(source), *_file_findings(source),
            *_side_findings(source)]  # fmt: skip


def hidden_labels(source: Source) -> bool:
    """Whether not one landmark of the source is annotated."""
    return len(source) > 0 and not any(sample.mask.any() for sample in source)


def full_check(source: Source, against: Source | None = None, progress: Progress | None = None) -> list[Finding]:
    """:func:`quick_check`, and every picture decoded, measured and compared, with what is nearly the same too.

    Args:
        source: what to check.
        against: another split; pictures that are in both are errors, nearly the same ones warnings.
        progress: called with the number of pictures done and in all.
    """
    findings = quick_check(source)
    faulty = {finding.file for finding in findings if finding.kind.endswith(" picture")}
    groups = [group for group in _by_picture(source) if _file(group[0]) not in faulty]
    first: dict[str, str] = {}
    seen: list[Hashed] = []
    for group, look in zip(groups, _each(_look, [group[0] for group in groups], progress), strict=True):
        if isinstance(look, FaultyFile):
            findings.append(finding_of(look, group[0].name))
            continue
        digest, width, height, hashed = look
        findings += [finding for sample in group for finding in _outside(sample, width, height)]
        place = _file(group[0]) or group[0].name
        if first.setdefault(digest, place) != place:
            text = f"the same picture as {first[digest]}."
            findings.append(_of(group[0], "duplicate picture", text, WARNING))
        elif hashed is not None:
            seen.append((group[0], hashed))
    findings += _near_duplicates(seen)
    return findings + (_leaks(source, against, first, seen, progress) if against is not None else [])


def finding_of(problem: CUNetError, sample: str = "") -> Finding:
    """The finding for an error that a loader has collected."""
    if not isinstance(problem, FaultyFile):
        return Finding("malformed annotation", ERROR, sample, "", str(problem))
    return Finding(problem.kind, ERROR, problem.sample or sample, problem.file, problem.text)


def _twins(source: Source) -> list[Finding]:
    """Pictures of the same name in another format beside those of the source, and not in it."""
    pictures = {sample.picture: sample for sample in source if isinstance(sample.picture, Path)}
    beside: dict[Path, list[Path]] = defaultdict(list)
    for folder in {picture.parent for picture in pictures}:
        for file in folder.iterdir() if folder.is_dir() else ():
            if file.suffix.lower() in PICTURE_ENDINGS and not file.name.startswith("."):
                beside[file.with_suffix("")].append(file)
    found = []
    for picture, sample in pictures.items():
        for twin in beside[picture.with_suffix("")]:
            if twin not in pictures:
                text = f"{twin.name} lies beside it: which of the two was annotated? Keep that one."
                found.append(_of(sample, "two pictures", text, WARNING))
    return found


# Annotations --------------------------------------------------------------------------------


def _flip_findings(skeleton: Skeleton) -> list[Finding]:
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


def _annotation_findings(sample: Sample, skeleton: Skeleton) -> Iterator[Finding]:
    points, mask, size = sample.points, sample.mask, skeleton.size
    if points.shape != (size, 2) or mask.shape != (size,):
        text = f"{len(points)} points and {len(mask)} mask values, but {skeleton.name} has {size}."
        yield _of(sample, "wrong number of points", text)
        return
    if not ((mask == 0) | (mask == 1)).all():
        value = mask[(mask != 0) & (mask != 1)][0]
        yield _of(sample, "mask value", f"the mask holds {value:g}, but only 0 and 1 have a meaning.")
    finite = np.isfinite(points).all(axis=1)
    if not finite.all():
        yield _of(sample, "point not a number", f"point {int(np.argmin(finite))} is not a number.")
        return
    marked = points[mask > 0]
    if not len(marked):
        yield _of(sample, "too few annotated points", f"none of {size} points is annotated, one is needed.")
    elif len(marked) > 1 and (marked == marked[0]).all():
        yield _of(sample, "all points identical", f"every point lies on ({marked[0, 0]:g}, {marked[0, 1]:g}).")
        return
    sides = sample.box[2:] - sample.box[:2]
    if not (sides.min() > 0 and sides.max() >= SMALLEST_BOX):
        text = f"the box is {sides[0]:.4g} x {sides[1]:.4g} pixels, {SMALLEST_BOX:g} are needed."
        yield _of(sample, "degenerate box", text)


def _repeated(source: Source) -> list[Finding]:
    seen: dict[Any, str] = {}
    found = []
    for sample in source:
        key = (_file(sample), sample.box.round(3).tobytes())
        if _file(sample) and key in seen:
            found.append(_of(sample, "same sample twice", f"{seen[key]} has this picture and box already."))
        seen[key] = sample.name
    return found


def _side_findings(source: Source) -> list[Finding]:
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
            yield _of(samples[index], "left and right", text, WARNING)


def _most(some: np.ndarray, others: np.ndarray) -> bool:
    """More than half, by two standard deviations of a fair coin."""
    count = some.sum() + others.sum()
    return bool(count and some.sum() / count > 0.5 + count**-0.5)


# Pictures -----------------------------------------------------------------------------------


def _file_findings(source: Source) -> Iterator[Finding]:
    for group in _by_picture(source):
        picture = group[0].picture
        if isinstance(picture, Path):
            try:
                read_bytes(picture, ends_only=True)
            except FaultyFile as fault:
                yield finding_of(fault, group[0].name)


def _look(sample: Sample) -> tuple[str, int, int, np.ndarray | None] | FaultyFile:
    """SHA-256, width, height and, of a file, hash of the picture, or what is wrong with it."""
    picture = sample.picture
    data: bytes | memoryview
    try:
        if isinstance(picture, Path):
            data = read_bytes(picture)
            image = decode_image(picture, data)
        else:
            image = picture()
            data = image.data
    except FaultyFile as fault:
        return fault
    # Drawn pictures are different by their making, and no copy of one can be nearly the same.
    hashed = picture_hash(image) if isinstance(picture, Path) else None
    return hashlib.sha256(data).hexdigest(), image.shape[1], image.shape[0], hashed


def _digest(sample: Sample) -> tuple[str, np.ndarray | None]:
    """SHA-256, empty of a file that cannot be read, and, where the file is a picture, its hash."""
    picture, hashed = sample.picture, None
    if not isinstance(picture, Path):
        return hashlib.sha256(picture().data).hexdigest(), None
    try:
        data = picture.read_bytes()
        hashed = picture_hash(decode_image(picture, data)) if data else None
    except OSError:
        return "", None
    except FaultyFile:
        pass
    return hashlib.sha256(data).hexdigest(), hashed


def _near_duplicates(seen: list[Hashed]) -> Iterator[Finding]:
    for place, nearest in near_pairs(*_hashes(seen)):
        text = f"nearly the same picture as {_file(seen[nearest][0])}: encoded anew, resized, cropped or mirrored?"
        yield _of(seen[place][0], "near duplicate", text, WARNING)


def _hashes(seen: list[Hashed]) -> tuple[list[Path], np.ndarray]:
    return [Path(_file(sample)) for sample, _ in seen], np.array([hashed for _, hashed in seen], np.int8).reshape(
        -1, BITS
    )


def _leaks(
    source: Source, against: Source, first: dict[str, str], seen: list[Hashed], progress: Progress | None
) -> list[Finding]:
    samples = {_file(sample) or sample.name: sample for sample in source}
    groups = [group[0] for group in _by_picture(against)]
    text = f"not on disk: split {against.split} is compared without it."
    found = [Finding("not compared", WARNING, "", part, text) for part in against.missing]
    others: list[Hashed] = []
    for other, (digest, hashed) in zip(groups, _each(_digest, groups, progress), strict=True):
        if not digest:
            text = f"cannot be read: split {against.split} is compared without it."
            found.append(Finding("not compared", WARNING, "", _file(other), text))
        elif digest in first:
            text = f"the same picture is in split {against.split}: {_file(other) or other.name}."
            found.append(_of(samples[first[digest]], "in both splits", text))
        elif hashed is not None:
            others.append((other, hashed))
    for place, nearest in near_pairs(*_hashes(others), others=_hashes(seen)):
        text = f"nearly the same picture is in split {against.split}: {_file(others[place][0])}."
        found.append(_of(seen[nearest][0], "nearly in both splits", text, WARNING))
    return found


def _outside(sample: Sample, width: int, height: int) -> Iterator[Finding]:
    if sample.points.shape[1:] != (2,) or len(sample.mask) != len(sample.points):
        return
    points = sample.points[(sample.mask > 0) & np.isfinite(sample.points).all(axis=1)]
    sides = np.array([width, height])
    beyond = np.maximum(-0.5 - points, points - (sides - 0.5)) / sides
    worst = beyond.max(initial=0.0)
    if worst > 0:
        far = worst > FAR
        count = f"{(beyond.max(axis=1) > 0).sum()} of {len(points)} points"
        text = f"{count} outside the {width} x {height} picture, by {worst:.1%} of its side at most."
        yield _of(sample, "point far outside" if far else "point outside", text, ERROR if far else WARNING)


def _each(function: Callable[[Sample], Any], samples: list[Sample], progress: Progress | None) -> Iterator[Any]:
    """Results in order, from two threads: OpenCV and hashlib work without Python's lock."""
    pool = ThreadPoolExecutor(2)
    try:
        for done, result in enumerate(pool.map(function, samples), 1):
            if progress:
                progress(done, len(samples))
            yield result
    finally:
        pool.shutdown(cancel_futures=True)


def _by_picture(source: Source) -> list[list[Sample]]:
    """Samples that share a picture file, together; drawn samples stand alone."""
    groups: dict[str, list[Sample]] = defaultdict(list)
    for sample in source:
        groups[_file(sample) or f"drawn {sample.name}"].append(sample)
    return list(groups.values())


def _file(sample: Sample) -> str:
    return str(sample.picture) if isinstance(sample.picture, Path) else ""


def _of(sample: Sample, kind: str, message: str, severity: str = ERROR) -> Finding:
    return Finding(kind, severity, sample.name, _file(sample), message)
