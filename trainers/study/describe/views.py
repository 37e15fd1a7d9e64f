"""Good and bad views of annotated pictures: boxes that sit, that are off, that show something else."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from cunet_tf.boxes import overlap
from cunet_tf.data.sample import Sample, Source
from cunet_tf.data.scene import background, clutter

ELSEWHERE = 0.05  # largest overlap with the object's box of a box that shows something else
TRIES = 20


@dataclass(frozen=True, eq=False)
class Disturbed:
    """A picture and a box in it.

    Attributes:
        kind: which disturbance.
        image: RGB ``uint8 [H, W, 3]``.
        box: ``[x0, y0, x1, y1]``.
        sample: gives the true points; ``None`` where the box shows no object.
    """

    kind: str
    image: np.ndarray
    box: np.ndarray
    sample: Sample | None


def disturbed(source: Source, each: int, seed: int = 0) -> Iterator[Disturbed]:
    """Views of every picture: ``each`` of every kind, the same for the same seed."""
    for index, sample in enumerate(source):
        rng = np.random.default_rng((seed, index))
        image = sample.load()
        for _ in range(each):
            for kind, make in KINDS.items():
                yield make(rng, kind, image, sample)


def _near(rng: np.random.Generator, kind: str, image: np.ndarray, sample: Sample) -> Disturbed:
    """The box as a good detector draws it."""
    return Disturbed(kind, image, moved(sample.box, rng.uniform(-0.08, 0.08, 2), rng.uniform(0.92, 1.15)), sample)


def _off(rng: np.random.Generator, kind: str, image: np.ndarray, sample: Sample) -> Disturbed:
    """A box that is somewhat off."""
    box = moved(sample.box, rng.uniform(-0.35, 0.35, 2), np.exp(rng.uniform(np.log(0.6), np.log(1.7))))
    return Disturbed(kind, image, box, sample)


def _far(rng: np.random.Generator, kind: str, image: np.ndarray, sample: Sample) -> Disturbed:
    """A box that is far off, much too small or much too large."""
    box = moved(sample.box, rng.uniform(-0.7, 0.7, 2), np.exp(rng.uniform(np.log(0.3), np.log(3.0))))
    return Disturbed(kind, image, box, sample)


def _hidden(rng: np.random.Generator, kind: str, image: np.ndarray, sample: Sample) -> Disturbed:
    """A good box; clutter, blur or darkness over the object."""
    (x0, y0), (x1, y1) = (np.rint(sample.box).astype(int).reshape(2, 2)).clip(0)
    image = image.copy()
    inside = image[y0 : y1 + 1, x0 : x1 + 1]
    if inside.size:
        side = max(inside.shape[:2])
        tile = cv2.resize(inside, (side, side))
        for _ in range(rng.integers(0, 4)):
            clutter(rng, tile, largest=0.45)
        tile = cv2.GaussianBlur(tile, (0, 0), rng.uniform(0.01, 0.08) * side)
        tile = np.clip(tile * rng.uniform(0.15, 1.0), 0, 255).astype(np.uint8)
        inside[:] = cv2.resize(tile, inside.shape[1::-1])
    return Disturbed(kind, image, moved(sample.box, rng.uniform(-0.1, 0.1, 2), rng.uniform(0.9, 1.2)), sample)


def _elsewhere(rng: np.random.Generator, kind: str, image: np.ndarray, sample: Sample) -> Disturbed:
    """A box of any size beside the object; a scrambled picture where there is no room."""
    height, width = image.shape[:2]
    for _ in range(TRIES):
        side = rng.uniform(0.15, 0.7) * min(height, width)
        low = rng.uniform(0, [width - side, height - side])
        box = np.concatenate([low, low + side])
        if overlap(box, sample.box[None], of_smaller=True)[0] < ELSEWHERE:
            return Disturbed(kind, image, box, None)
    return _scrambled(rng, kind, image, sample)


def _scrambled(rng: np.random.Generator, kind: str, image: np.ndarray, sample: Sample) -> Disturbed:
    """The picture's own patches in another order: its colours and textures, no object."""
    count = int(rng.integers(5, 9))
    height, width = (side // count for side in image.shape[:2])
    image = image[: height * count, : width * count].copy()
    patches = image.reshape(count, height, count, width, 3).swapaxes(1, 2).reshape(-1, height, width, 3)
    patches = patches[rng.permutation(len(patches))]
    image = np.ascontiguousarray(patches.reshape(count, count, height, width, 3).swapaxes(1, 2).reshape(image.shape))
    return Disturbed(kind, image, moved(sample.box, rng.uniform(-0.2, 0.2, 2), rng.uniform(0.5, 1.5)), None)


def _drawn(rng: np.random.Generator, kind: str, image: np.ndarray, sample: Sample) -> Disturbed:
    """A drawn scene without any object."""
    image = background(rng, 256)
    side = rng.uniform(60, 240)
    low = rng.uniform(0, 256 - side, 2)
    return Disturbed(kind, image, np.concatenate([low, low + side]), None)


def moved(box: np.ndarray, shift: np.ndarray, scale: float) -> np.ndarray:
    """A box shifted by shares of its longer side and scaled about its centre."""
    low, high = box[:2], box[2:]
    centre = (low + high) / 2.0 + shift * np.max(high - low)
    half = (high - low) / 2.0 * scale
    return np.concatenate([centre - half, centre + half])


KINDS = {
    "near": _near, "off": _off, "far": _far, "hidden": _hidden, "elsewhere": _elsewhere,
    "scrambled": _scrambled, "drawn": _drawn,
}  # fmt: skip
