"""The contact sheet of ``cunet check``: what the samples look like, and those with findings."""

from collections import Counter

import cv2
import numpy as np

from cunet_tf.data.check import SMALLEST_BOX, Finding
from cunet_tf.data.geometry import apply, crop_matrix, warp
from cunet_tf.data.sample import Sample, Source
from cunet_tf.draw import contact_sheet, draw_landmarks
from cunet_tf.errors import CUNetError
from cunet_tf.skeletons import Skeleton

SPREAD, SUSPECTS = 24, 8  # tiles of the two blocks
COLUMNS, SIDE, STRIP = 8, 240, 24  # tiles in a row, pixels of a tile, pixels of a line of text


def sheet(source: Source, findings: list[Finding]) -> np.ndarray:
    """RGB ``uint8``: samples spread evenly over the source, then some that have findings."""
    chosen = np.unique(np.linspace(0, len(source) - 1, min(SPREAD, len(source))).round().astype(int))
    blocks = [_block(f"{len(chosen)} of {len(source)} samples",
                     [_tile(source.samples[i], source.skeleton, "") for i in chosen])]  # fmt: skip
    samples = {sample.name: sample for sample in source}
    kind_of = _suspects([finding for finding in findings if finding.sample in samples])
    suspects = [_tile(samples[name], source.skeleton, kind) for name, kind in list(kind_of.items())[:SUSPECTS]]
    if suspects:
        blocks.append(_block(f"{len(suspects)} of {len(kind_of)} samples with findings", suspects))
    return np.vstack(blocks)


def _suspects(findings: list[Finding]) -> dict[str, str]:
    """Sample -> kind of finding: one sample of each kind first, then the second of each kind, and so on."""
    turns: Counter[str] = Counter()
    ranked = []
    for finding in findings:
        turns[finding.kind] += 1
        ranked.append((turns[finding.kind], finding.severity, finding.sample, finding.kind))
    kind_of: dict[str, str] = {}
    for _, _, sample, kind in sorted(ranked):
        kind_of.setdefault(sample, kind)
    return kind_of


def _block(title: str, tiles: list[np.ndarray]) -> np.ndarray:
    strip = np.full((STRIP, COLUMNS * SIDE, 3), 48, np.uint8)
    return np.vstack([_text(strip, title, STRIP - 8), contact_sheet(tiles, COLUMNS, SIDE)])


def _tile(sample: Sample, skeleton: Skeleton, kind: str) -> np.ndarray:
    """The sample's surroundings with points and box, its name and what is wrong with it."""
    try:
        image = sample.load()
    except CUNetError:
        image = np.zeros((SIDE, SIDE, 3), np.uint8)
    image, points, mask, box = _view(image, sample)
    if len(points) == skeleton.size == len(mask):
        image = draw_landmarks(image, points, skeleton, mask, box)
    tile = contact_sheet([image], 1, SIDE)
    return _text(_text(tile, sample.name[-34:], SIDE - 8), kind, 14)


def _view(image: np.ndarray, sample: Sample) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    """Picture, points, mask and box for drawing: cut out around the box where that is possible."""
    finite = np.isfinite(sample.points).all(axis=1)
    mask = np.where(finite, sample.mask, 0) if len(finite) == len(sample.mask) else sample.mask
    points, box = np.where(finite[:, None], sample.points, 0), sample.box
    if not np.isfinite(box).all():
        return image, points, mask, None
    if (box[2:] - box[:2]).max() >= SMALLEST_BOX:
        matrix = crop_matrix(box, 1.7, 2 * SIDE)
        image, points, box = warp(image, matrix, 2 * SIDE), apply(matrix, points), apply(matrix, box.reshape(2, 2))
    limit = 8 * max(image.shape)
    return image, points.clip(-limit, limit), mask, box.reshape(4).clip(-limit, limit)


def _text(image: np.ndarray, text: str, y: int) -> np.ndarray:
    """A copy with one line of text on a darker band, its base line at ``y``."""
    image = image.copy()
    if text:
        image[y - 12 : y + 6] //= 3
        cv2.putText(image, text, (4, y), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1, cv2.LINE_AA)
    return image
