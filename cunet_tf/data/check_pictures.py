"""Checks of picture files: are they there, whole, large enough for their points, and each of them once?"""

import contextlib
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from cunet_tf.data.check_fit import corner_findings
from cunet_tf.data.finding import ERROR, WARNING, Finding, file_of, finding_at, finding_of
from cunet_tf.data.near_duplicates import BITS, Picture, near_pairs, picture_hash
from cunet_tf.data.records import Crop
from cunet_tf.data.sample import PICTURE_ENDINGS, Sample, Source, decode_image, glance, raw_bytes, read_bytes
from cunet_tf.errors import FaultyFile

FAR = 0.5  # a point this share of the picture's side beyond its edge is an error
Progress = Callable[[int, int], None]
Hashed = tuple[Sample, np.ndarray]  # the first sample of a picture, and the picture's hash


def twins(source: Source) -> list[Finding]:
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
                found.append(finding_at(sample, "two pictures", text, WARNING))
    return found


def picture_findings(
    source: Source, faulty: set[str], against: Source | None = None, progress: Progress | None = None
) -> list[Finding]:
    """Every picture decoded, measured and compared.

    Args:
        source: what to check.
        faulty: files that need no second look.
        against: another split.
        progress: called with the number of pictures done and in all.
    """
    findings: list[Finding] = []
    groups = [group for group in _by_picture(source) if file_of(group[0]) not in faulty]
    first: dict[str, str] = {}
    seen: list[Hashed] = []
    for group, look in zip(groups, _each(_look, [group[0] for group in groups], progress), strict=True):
        if isinstance(look, FaultyFile):
            findings.append(finding_of(look, group[0].name))
            continue
        digest, width, height, hashed = look
        for sample in group:
            findings += [*_outside(sample, width, height), *corner_findings(sample, source.skeleton, width, height)]
        place = file_of(group[0]) or group[0].name
        if first.setdefault(digest, place) != place:
            text = f"the same picture as {first[digest]}."
            findings.append(finding_at(group[0], "duplicate picture", text, WARNING))
        elif hashed is not None:
            seen.append((group[0], hashed))
    findings += _near_duplicates(seen)
    return findings + (_leaks(source, against, first, seen, progress) if against is not None else [])


def file_findings(source: Source) -> Iterator[Finding]:
    """What is wrong with picture files and can be told without decoding them."""
    for group in _by_picture(source):
        picture = group[0].picture
        if isinstance(picture, Path):
            try:
                glance(picture)
            except FaultyFile as fault:
                yield finding_of(fault, group[0].name)


def _look(sample: Sample) -> tuple[str, int, int, np.ndarray | None] | FaultyFile:
    """SHA-256, width, height and, of a file, hash of the picture, or what is wrong with it."""
    picture = sample.picture
    data: bytes | memoryview
    try:
        if isinstance(picture, Path):
            data = read_bytes(picture)
            image = decode_image(picture, data, strict=True)
        else:
            image = picture()
            data = image.data
    except FaultyFile as fault:
        return fault
    # Drawn pictures are different by their making, and no copy of one can be nearly the same.
    hashed = picture_hash(image) if isinstance(picture, Path | Crop) else None
    return hashlib.sha256(data).hexdigest(), image.shape[1], image.shape[0], hashed


def _digest(sample: Sample) -> tuple[str, np.ndarray | None]:
    """SHA-256, empty of a file that cannot be read, and, where the file is a picture, its hash."""
    picture, hashed = sample.picture, None
    if not isinstance(picture, Path):
        try:
            image = picture()
        except FaultyFile:
            return "", None
        return hashlib.sha256(image.data).hexdigest(), picture_hash(image) if isinstance(picture, Crop) else None
    try:
        data = raw_bytes(picture)
    except FaultyFile:
        return "", None
    with contextlib.suppress(FaultyFile):
        hashed = picture_hash(decode_image(picture, data)) if data else None
    return hashlib.sha256(data).hexdigest(), hashed


def _near_duplicates(seen: list[Hashed]) -> Iterator[Finding]:
    for place, nearest in near_pairs(*_hashes(seen)):
        if _origin(seen[place][0]) and _origin(seen[place][0]) == _origin(seen[nearest][0]):
            continue  # two objects of one picture
        text = f"nearly the same picture as {file_of(seen[nearest][0])}: encoded anew, resized, cropped or mirrored?"
        yield finding_at(seen[place][0], "near duplicate", text, WARNING)


def _origin(sample: Sample) -> str:
    return sample.picture.origin if isinstance(sample.picture, Crop) else ""


def _hashes(seen: list[Hashed]) -> tuple[list[Picture], np.ndarray]:
    return [sample.picture for sample, _ in seen], np.array([hashed for _, hashed in seen], np.int8).reshape(-1, BITS)


def _leaks(
    source: Source, against: Source, first: dict[str, str], seen: list[Hashed], progress: Progress | None
) -> list[Finding]:
    samples = {file_of(sample) or sample.name: sample for sample in source}
    groups = [group[0] for group in _by_picture(against)]
    text = f"not on disk: split {against.split} is compared without it."
    found = [Finding("not compared", WARNING, "", part, text) for part in against.missing]
    others: list[Hashed] = []
    for other, (digest, hashed) in zip(groups, _each(_digest, groups, progress), strict=True):
        if not digest:
            text = f"cannot be read: split {against.split} is compared without it."
            found.append(Finding("not compared", WARNING, "", file_of(other), text))
        elif digest in first:
            text = f"the same picture is in split {against.split}: {file_of(other) or other.name}."
            found.append(finding_at(samples[first[digest]], "in both splits", text))
        elif hashed is not None:
            others.append((other, hashed))
    for place, nearest in near_pairs(*_hashes(others), others=_hashes(seen)):
        text = f"nearly the same picture is in split {against.split}: {file_of(others[place][0])}."
        found.append(finding_at(seen[nearest][0], "nearly in both splits", text, WARNING))
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
        yield finding_at(sample, "point far outside" if far else "point outside", text, ERROR if far else WARNING)


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
        groups[file_of(sample) or f"drawn {sample.name}"].append(sample)
    return list(groups.values())
