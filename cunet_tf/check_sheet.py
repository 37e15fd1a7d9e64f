"""The contact sheet of ``cunet check``: what the samples look like, and those with findings."""

from collections import Counter

import numpy as np

from cunet_tf.data.check import SMALLEST_BOX, Finding
from cunet_tf.data.geometry import apply, crop_matrix, warp
from cunet_tf.data.sample import Sample, Source
from cunet_tf.draw import contact_sheet, draw_disc, draw_numbers, draw_on, fitted, write, zoomed
from cunet_tf.errors import CUNetError
from cunet_tf.sides import sides_of
from cunet_tf.skeletons import Skeleton
from cunet_tf.style import INK, MIDDLE, PAPER, SIDES, TEXT

SPREAD, SUSPECTS = 24, 12  # tiles of the two blocks
COLUMNS, SIDE, LINE, STRIP = 6, 320, 24, 28  # tiles in a row; pixels of a tile's picture, of a line, of a headline
MARGIN = 1.5  # side of what is shown, in sides of the box
ALL_NUMBERED = 20  # landmarks; of more, only the first of each line is numbered
LETTERS = 40  # of a caption
WORDS = {"right": "person's right", "left": "person's left", "middle": "no mirror partner",
         "first": "first of a mirror pair", "second": "second of a mirror pair"}  # fmt: skip


def sheet(source: Source, findings: list[Finding]) -> np.ndarray:
    """RGB ``uint8``: a legend, samples spread evenly over the source, then some that have findings."""
    chosen = np.unique(np.linspace(0, len(source) - 1, min(SPREAD, len(source))).round().astype(int))
    tiles = [_tile(source.samples[i], source.skeleton, []) for i in chosen]
    parts = [_legend(source.skeleton), _title(f"{len(chosen)} of {len(source)} samples"), _grid(tiles)]
    samples = {sample.name: sample for sample in source}
    kind_of = _suspects([finding for finding in findings if finding.sample in samples])
    suspects = [_tile(samples[name], source.skeleton, [kind]) for name, kind in list(kind_of.items())[:SUSPECTS]]
    if suspects:
        parts += [_title(f"{len(suspects)} of {len(kind_of)} samples with findings"), _grid(suspects)]
    return np.vstack([part for part in parts if part.size])


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


def _legend(skeleton: Skeleton) -> np.ndarray:
    """A strip that says what colours and numbers mean."""
    strip = np.full((STRIP, COLUMNS * SIDE, 3), PAPER, np.uint8)
    x, y = 12, LINE - 6
    for side in [side for side in WORDS if side in sides_of(skeleton)]:
        draw_disc(strip, np.array([x, y - 5]), 4, SIDES[side])
        x += 34 + write(strip, WORDS[side], (x + 10, y), TEXT)
    numbers = "all points" if skeleton.size <= ALL_NUMBERED else "the first point of each line"
    write(strip, f"Numbers: index from 0, of {numbers}. White frame: the box.", (x, y), TEXT)
    return strip


def _title(text: str) -> np.ndarray:
    strip = np.full((STRIP, COLUMNS * SIDE, 3), INK, np.uint8)
    write(strip, text, (8, LINE - 5), 0.55, (0, 0, 0))
    return strip


def _grid(tiles: list[np.ndarray]) -> np.ndarray:
    return contact_sheet(tiles, COLUMNS, PAPER) if tiles else np.zeros((0, COLUMNS * SIDE, 3), np.uint8)


def _tile(sample: Sample, skeleton: Skeleton, kinds: list[str]) -> np.ndarray:
    """The sample's surroundings with points and box; below them its name and what is wrong with it."""
    try:
        image = sample.load()
    except CUNetError:
        image = np.zeros((SIDE, SIDE, 3), np.uint8)
    image, points, mask, box = _view(image, sample)
    if len(points) == skeleton.size == len(mask):
        draw_on(image, 1, points, skeleton, mask, box)
        shown = mask > 0
        draw_numbers(image, points, shown, np.intersect1d(numbered(skeleton), np.flatnonzero(shown)), skeleton)
    image[:, -1] = PAPER  # parts it from the next tile
    caption = np.full((LINE * (1 + len(kinds)), SIDE, 3), PAPER, np.uint8)
    for line, (text, colour) in enumerate([(sample.name, INK), *((kind, MIDDLE) for kind in kinds)]):
        write(caption, text[-LETTERS:], (6, LINE * (line + 1) - 8), TEXT, colour)
    return np.vstack([image, caption])


def numbered(skeleton: Skeleton) -> np.ndarray:
    """Indices of the landmarks that carry their number: all of a few, else the first of each line of edges."""
    first = np.arange(skeleton.size)
    if skeleton.size > ALL_NUMBERED:
        for _ in range(skeleton.size):  # the smallest index spreads along the edges
            before = first.copy()
            for edge in skeleton.edges:
                first[list(edge)] = first[list(edge)].min()
            if (before == first).all():
                break
        joined = np.unique(np.array(skeleton.edges, int))
        return np.unique(first[joined])
    return first


def _view(image: np.ndarray, sample: Sample) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    """A square of ``SIDE`` pixels, points, mask and box in it: cut out around the box where that is possible."""
    finite = np.all(np.isfinite(sample.points), axis=1)
    mask = np.where(finite, sample.mask, 0) if len(finite) == len(sample.mask) else sample.mask
    points, box = np.where(finite[:, None], sample.points, 0), sample.box.reshape(2, 2)
    usable = bool(np.isfinite(box).all())
    if usable and (box[1] - box[0]).max() >= SMALLEST_BOX:
        matrix = crop_matrix(sample.box, MARGIN, 2 * SIDE)  # twice as large, so that a large picture is not jagged
        image, points, box = warp(image, matrix, 2 * SIDE), apply(matrix, points), apply(matrix, box)
    image, scale = fitted(image, SIDE)
    limit = 8 * SIDE
    points, box = zoomed(points, scale).clip(-limit, limit), zoomed(box, scale).clip(-limit, limit)
    return image, points, mask, box.reshape(4) if usable else None
