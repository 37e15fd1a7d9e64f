"""Drawn faces and figures: endless, seeded, no download."""

from functools import partial

import numpy as np

from cunet_tf.data.drawn_face import face_points, paint_face
from cunet_tf.data.drawn_figure import LSP_FROM_MPII, figure_points, paint_figure
from cunet_tf.data.geometry import tight_box
from cunet_tf.data.sample import Sample, Source
from cunet_tf.data.scene import background, light, occlude
from cunet_tf.errors import CUNetError, did_you_mean
from cunet_tf.skeletons import FACE68, LSP14, SKELETONS, Skeleton

SIDE = 160  # pixels of a drawn picture
SPLITS = {"train": (0, 2000), "test": (1, 200)}  # seed and number of pictures


def load_synthetic(skeleton: Skeleton, split: str = "train") -> Source:
    """Drawn pictures with exact points.

    Args:
        skeleton: ``face68``, ``lsp14`` or ``mpii16``.
        split: ``train``, ``test`` (another seed), or ``SEED:COUNT``, for example ``7:500``.

    Raises:
        CUNetError: another skeleton, or a split that is neither a name nor two numbers.
    """
    if skeleton.name not in SKELETONS:
        raise CUNetError(f"synthetic data has no {skeleton.name!r}. {did_you_mean(skeleton.name, SKELETONS)}")
    if not can_draw(skeleton):
        raise CUNetError(f"synthetic data has other landmarks by the name of {skeleton.name}: name yours otherwise.")
    seed, count = _parse(split)
    return Source("synthetic", split, skeleton, [_sample(skeleton.name, seed, i) for i in range(count)])


def can_draw(skeleton: Skeleton) -> bool:
    """Whether :func:`load_synthetic` has these landmarks, by name and in this order."""
    return skeleton.name in SKELETONS and SKELETONS[skeleton.name].names == skeleton.names


def _parse(split: str) -> tuple[int, int]:
    if split in SPLITS:
        return SPLITS[split]
    try:
        seed, count = (int(part) for part in split.split(":"))
        if seed >= 0 and count >= 1:
            return seed, count
    except ValueError:
        pass
    raise CUNetError(f"synthetic split {split!r}: use train, test, or SEED:COUNT such as 7:500.")


def _sample(kind: str, seed: int, index: int) -> Sample:
    points = _picture_points(_shape_points(kind, seed, index), kind).astype(np.float32)
    return Sample(
        name=f"{kind}/{seed}/{index}", subset="synthetic", points=points,
        mask=np.ones(len(points), np.float32), box=tight_box(points),
        picture=partial(draw, kind, seed, index),
    )  # fmt: skip


def draw(kind: str, seed: int, index: int) -> np.ndarray:
    """The drawn picture, RGB ``uint8 [SIDE, SIDE, 3]``; the same for equal arguments."""
    rng = np.random.default_rng((seed, index, 1))
    canvas = background(rng, SIDE)
    paint = paint_face if kind == FACE68.name else paint_figure
    paint(rng, canvas, _shape_points(kind, seed, index))
    occlude(rng, canvas)
    return light(rng, canvas)


def _shape_points(kind: str, seed: int, index: int) -> np.ndarray:
    """Points as the painter wants them: 68, or 16 for both kinds of figures."""
    rng = np.random.default_rng((seed, index, 0))
    return (face_points if kind == FACE68.name else figure_points)(rng, SIDE)


def _picture_points(points: np.ndarray, kind: str) -> np.ndarray:
    return points[list(LSP_FROM_MPII)] if kind == LSP14.name else points
