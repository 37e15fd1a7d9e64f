"""Single-shot detectors of MediaPipe's family on LiteRT: BlazeFace, and its relative that finds bodies.

Bazarevsky et al., "BlazeFace" (arXiv 1907.05047): a grid of anchors, for each of which the network gives a
score, a box and a few key points. Files differ in the side of the input and in the grids; the number of
anchors tells them apart.
"""

import numpy as np

from cunet_tf.aliases import Box, Picture, Points
from cunet_tf.boxes import Detection, overlap
from cunet_tf.data.geometry import apply, crop_matrix, invert, warp
from cunet_tf.engines import prepare_interpreter, running
from cunet_tf.errors import CUNetError

# Anchors of a file -> its grids: cells of a side, anchors of a cell.
GRIDS = {896: ((16, 2), (8, 6)), 2304: ((48, 1),), 2254: ((28, 2), (14, 2), (7, 6))}
FACE_POINTS, BODY_POINTS = 6, 4  # key points of a face: eyes first; of a body: middle of the hips, top, ...
MIN_SCORE = 0.5
SAME = 0.3  # overlap (intersection over union) of two boxes of the same object
LIMIT = 100.0  # of logits, against overflow


class BlazeDetector:
    """Runs one file on square parts of a picture.

    Args:
        data: bytes of a ``.tflite`` file: RGB in -1..1, outputs ``[1, A, 1]`` and ``[1, A, 4 + 2k]``.
        name: of the file, for messages.

    Raises:
        CUNetError: not such a file.
    """

    def __init__(self, data: bytes, name: str = "detector"):
        self.name = name
        self._interpreter, self._lock = prepare_interpreter(data, 1, name)
        self._input = self._interpreter.get_input_details()[0]
        outputs = sorted(self._interpreter.get_output_details(), key=lambda output: tuple(output["shape"][::-1]))
        shapes = [tuple(int(side) for side in output["shape"]) for output in outputs]
        anchors, values = shapes[0][1] if len(shapes[0]) > 1 else 0, shapes[-1][-1] if shapes[-1] else 0
        known = anchors in GRIDS and values in (4 + 2 * FACE_POINTS, 4 + 2 * BODY_POINTS)
        if not known or shapes != [(1, anchors, 1), (1, anchors, values)]:
            raise CUNetError(f"{name}: outputs {shapes} are not those of BlazeFace or of MediaPipe's pose detector.")
        given = tuple(int(side) for side in self._input["shape"])
        if given != (1, *2 * given[1:2], 3) or {each["dtype"] for each in (self._input, *outputs)} != {np.float32}:
            raise CUNetError(f"{name}: inputs {given} are not square pictures in float32, which detectors take.")
        self._outputs = [output["index"] for output in outputs]
        self.size = int(self._input["shape"][1])
        self.finds = "face" if values == 4 + 2 * FACE_POINTS else "body"
        self._anchors = anchor_centres(GRIDS[anchors])

    def detect(self, image: Picture, square: Box, min_score: float = MIN_SCORE) -> list[Detection]:
        """Objects in the square ``[x0, y0, x1, y1]`` of an RGB ``uint8 [H, W, 3]`` picture, best first."""
        matrix = crop_matrix(square, 1.0, self.size)
        crop = warp(image, matrix, self.size).astype(np.float32) / 127.5 - 1.0
        with self._lock, running(self.name):
            self._interpreter.set_tensor(self._input["index"], crop[None])
            self._interpreter.invoke()
            logits, values = (self._interpreter.get_tensor(index)[0] for index in self._outputs)
        scores = 1.0 / (1.0 + np.exp(-np.clip(logits[:, 0].astype(float), -LIMIT, LIMIT)))
        kept = np.flatnonzero(scores >= min_score)
        back = invert(matrix)
        found = average_clusters(self._corners(values[kept], kept), scores[kept])
        return [self._detection(apply(back, points), score) for points, score in found]

    def _corners(self, values: np.ndarray, anchors: np.ndarray) -> np.ndarray:
        """Crop pixels ``[n, 2 + k, 2]`` of both corners and the key points."""
        values = values.reshape(len(values), values.shape[1] // 2, 2) + self._anchors[anchors, None] * self.size
        half = (values[:, 1] - self._anchors[anchors] * self.size) / 2.0
        corners = np.stack([values[:, 0] - half, values[:, 0] + half], axis=1)
        return np.concatenate([corners, values[:, 2:]], axis=1) - 0.5

    def _detection(self, points: Points, score: float) -> Detection:
        if self.finds == "face":
            across = points[3] - points[2]  # from the person's right eye to the left one
            return Detection(points[:2].reshape(4), score, float(np.degrees(np.arctan2(across[1], across[0]))))
        hips, top = points[2], points[3]  # the body lies in a circle around the hips, through the top
        up, radius = top - hips, np.linalg.norm(top - hips)
        box = np.concatenate([hips - radius, hips + radius])
        return Detection(box, score, float(np.degrees(np.arctan2(up[0], -up[1]))))


def anchor_centres(grids: tuple[tuple[int, int], ...]) -> np.ndarray:
    """Centres ``[A, 2]`` of the anchors as shares of the side, (x, y): by grid, row, column, and place in the cell."""
    parts = []
    for cells, count in grids:
        rows, columns = np.mgrid[:cells, :cells]
        parts.append(np.repeat(np.stack([columns, rows], axis=-1).reshape(-1, 2) + 0.5, count, axis=0) / cells)
    return np.concatenate(parts)


def average_clusters(points: Points, scores: np.ndarray) -> list[tuple[np.ndarray, float]]:
    """BlazeFace's suppression: boxes that overlap the best one are averaged into it, weighted by their scores.

    Args:
        points: ``[n, 2 + k, 2]``, two corners and key points.
        scores: ``[n]``.
    """
    left = np.argsort(-scores, kind="stable")
    found = []
    while len(left):
        best = left[0]
        same = overlap(points[best, :2].reshape(4), points[left, :2].reshape(-1, 4)) > SAME
        same[0] = True
        cluster = left[same]
        found.append((np.average(points[cluster], axis=0, weights=scores[cluster]), float(scores[best])))
        left = left[~same]
    return found
