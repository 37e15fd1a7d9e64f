"""Pictures that are nearly the same: encoded anew, resized, brightened, slightly cropped, or mirrored.

First a perceptual hash of 128 bits finds candidates: the signs of the low frequencies of a picture of 32 x 32 grey
pixels, as of pHash (Zauner 2010). In a mirror image those of odd horizontal frequency change their sign, so one product
of hashes tells the distance of both a picture and its mirror image. Then the candidates are read again and laid upon
each other (Evangelidis and Psarakis 2008): faces in like positions have like hashes, but do not coincide.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from cunet_tf.data.sample import read_image
from cunet_tf.errors import FaultyFile

Picture = Path | Callable[[], np.ndarray]
BITS = 128
SIDE = 32  # pixels of the picture that is hashed
ALIKE = 30  # differing bits up to which two pictures are compared
LOOKS = 3  # candidates of a picture that are compared, nearest first
THUMB = 64  # pixels of the pictures that are compared
SAME = 0.95  # correlation, one laid upon the other, from which they are nearly the same
MOVED = 0.15  # share of the side by which a copy may be scaled or shifted
BLOCK = 256  # hashes that meet all others at a time
CACHED = 4096  # compared pictures in memory, of 4 kB

_PLACES = sorted(np.ndindex(SIDE, SIDE), key=lambda place: (sum(place), place))[1 : BITS + 1]  # without the mean
_ROWS, _COLUMNS = (np.array(axis) for axis in zip(*_PLACES, strict=True))
_ODD = _COLUMNS % 2 == 1


def picture_hash(image: np.ndarray) -> np.ndarray:
    """The hash of an RGB ``uint8 [H, W, 3]`` picture: int8 ``[128]`` of 1 and -1."""
    return np.where(cv2.dct(_grey(image, SIDE).astype(np.float64))[_ROWS, _COLUMNS] > 0, 1, -1).astype(np.int8)


def hash_distances(hashes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Differing bits ``[N, M]`` of hashes ``[N, 128]`` and ``[M, 128]``, of a mirror image where that is nearer."""
    even, odd = (hashes[:, part].astype(np.float32) @ others[:, part].astype(np.float32).T for part in (~_ODD, _ODD))
    return (BITS - even - np.abs(odd)) / 2


def near_pairs(
    files: Sequence[Picture], hashes: np.ndarray, others: tuple[Sequence[Picture], np.ndarray] | None = None
) -> Iterator[tuple[int, int]]:
    """Pairs of places ``(i, j)``: picture ``i`` and, of those nearly the same as it, the one whose hash is nearest.

    Args:
        files: the pictures, or functions that return them.
        hashes: ``[N, 128]`` of them.
        others: files and hashes that they are compared with, the earlier ones of themselves by default.
    """
    against = files if others is None else others[0]
    thumb = lru_cache(CACHED)(_thumb)

    def first(task: tuple[int, np.ndarray]) -> tuple[int, int] | None:
        place, found = task
        return next(((place, int(j)) for j in found if coincide(thumb(files[place]), thumb(against[j]))), None)

    with ThreadPoolExecutor(2) as pool:  # OpenCV works without Python's lock
        yield from (pair for pair in pool.map(first, _candidates(hashes, others and others[1])) if pair)


def _candidates(hashes: np.ndarray, others: np.ndarray | None) -> Iterator[tuple[int, np.ndarray]]:
    """Places of pictures with hashes alike, and the places of those, nearest first."""
    for start in range(0, len(hashes), BLOCK):
        block = hashes[start : start + BLOCK]
        distances = hash_distances(block, hashes[: start + BLOCK] if others is None else others)
        if others is None:  # each with the earlier ones
            distances[np.triu_indices(len(block), start, distances.shape[1])] = BITS
        for row in np.flatnonzero((distances <= ALIKE).any(axis=1)):
            nearest = np.argsort(distances[row], kind="stable")[:LOOKS]
            yield start + int(row), nearest[distances[row, nearest] <= ALIKE]


def coincide(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    """Whether two grey ``uint8 [64, 64]`` pictures, or one and the mirror image of the other, lie upon each other."""
    if one is None or other is None or not one.std() or not other.std():
        return False
    one, other = sorted((one, other), key=np.ndarray.tobytes)  # the same answer in both orders
    mirrored = np.ascontiguousarray(other[:, ::-1])
    if np.vdot(one - one.mean(), mirrored) > np.vdot(one - one.mean(), other):
        other = mirrored
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-4)
    start, everywhere = np.eye(2, 3, dtype=np.float32), np.full_like(one, 255)
    try:
        likeness, found = cv2.findTransformECC(one, other, start, cv2.MOTION_AFFINE, stop, everywhere, 3)
    except cv2.error:  # it found no way to lay them
        return False
    move = np.asarray(found)
    centre = move[:, :2].sum(axis=1) * THUMB / 2 + move[:, 2] - THUMB / 2
    moved = max(np.abs(move[:, :2] - np.eye(2)).max(), np.abs(centre).max() / THUMB)
    return likeness >= SAME and moved <= MOVED


def _thumb(file: Picture) -> np.ndarray | None:
    try:
        return _grey(read_image(file) if isinstance(file, Path) else file(), THUMB)
    except FaultyFile:  # gone since it was hashed
        return None


def _grey(image: np.ndarray, side: int) -> np.ndarray:
    small = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
