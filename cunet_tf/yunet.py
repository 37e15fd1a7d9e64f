"""YuNet through OpenCV's ``FaceDetectorYN``, from an ``.onnx`` file that the user brings.

OpenCV ends the process on some damaged files, and on every network whose outputs are smaller than YuNet's: it reads
behind their ends. So a file is tried in a process of its own first, which costs about half a second.
"""

import sys
import threading
from pathlib import Path

import cv2
import numpy as np

from cunet_tf.aliases import Picture
from cunet_tf.boxes import Detection
from cunet_tf.errors import CUNetError, reason
from cunet_tf.quiet import native_stderr_hidden
from cunet_tf.trial import limit_memory, refused, try_out

LARGEST = 1 << 26  # bytes of a file; YuNet has 230 kB
MEMORY = 1 << 31  # bytes that the trial may take
SIZES = (320, 320), (96, 64), (1024, 640)  # of the trial, width and height: outputs follow the picture's size


class YuNetDetector:
    """Finds faces with YuNet.

    Args:
        path: an ``.onnx`` file.

    Raises:
        CUNetError: OpenCV cannot read the file, or it is another network.
    """

    name = "yunet"

    def __init__(self, path: Path):
        _check(path)
        self._path, self._network = path, _network(path)
        self._lock = threading.Lock()  # the network holds the size of one picture

    def __call__(self, image: Picture) -> list[Detection]:
        """See :class:`~cunet_tf.detector.Detector`."""
        try:
            with self._lock:
                rows = _rows(self._network, image)
        except cv2.error as error:
            raise CUNetError(f"{self._path}: OpenCV cannot run this as YuNet: {_said(error)}.") from None
        found = []
        for row in rows:
            x, y, width, height = row[:4]
            across = row[6:8] - row[4:6]
            box = np.array([x, y, x + width, y + height], np.float64) - 0.5
            found.append(Detection(box, float(row[-1]), float(np.degrees(np.arctan2(across[1], across[0])))))
        return sorted(found, key=lambda each: -each.score)


def _said(error: Exception) -> str:
    """What OpenCV says, without the lines of its own code."""
    return reason(Exception(getattr(error, "err", None) or error))


def _network(path: Path) -> cv2.FaceDetectorYN:
    try:
        with native_stderr_hidden():
            return cv2.FaceDetectorYN.create(str(path), "", SIZES[0])
    except (AttributeError, cv2.error, MemoryError) as error:
        raise CUNetError(f"{path}: OpenCV cannot read this as YuNet: {_said(error)}.") from None


def _rows(network: cv2.FaceDetectorYN, image: Picture) -> np.ndarray:
    """Corner, size, five points and score of each face ``[n, 15]``, those left out that are no numbers."""
    network.setInputSize((image.shape[1], image.shape[0]))
    rows = network.detect(np.ascontiguousarray(image[..., ::-1]))[1]
    rows = np.zeros((0, 15), np.float32) if rows is None else rows
    return rows[np.isfinite(rows).all(axis=1)]


def _check(path: Path) -> None:
    """Read and run the file in a process of its own."""
    if path.stat().st_size > LARGEST:
        raise CUNetError(f"{path}: holds more than {LARGEST:,} bytes: YuNet does not.")
    try:
        try_out(__name__, path, "OpenCV", "give YuNet's file.")
    except CUNetError as error:
        raise CUNetError(f"{path}: {error}") from None


def trial(path: Path) -> int:
    """The process of its own: its exit status."""
    limit_memory(MEMORY)
    cv2.setNumThreads(1)
    try:
        network = cv2.FaceDetectorYN.create(str(path), "", SIZES[0])
        for width, height in SIZES:
            _rows(network, np.full((height, width, 3), 127, np.uint8))
    except (AttributeError, cv2.error, MemoryError) as error:
        return refused(f"OpenCV cannot read this as YuNet: {_said(error)}.")
    return 0


if __name__ == "__main__":
    sys.exit(trial(Path(sys.argv[1])))
