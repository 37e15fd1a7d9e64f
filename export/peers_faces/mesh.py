"""MediaPipe's face mesh from its ``.tflite`` file, in crops cut as MediaPipe's graph cuts them."""

import numpy as np

from cunet_tf.boxes import Detection
from cunet_tf.data.geometry import apply, crop_matrix, invert, tight_box, warp
from cunet_tf.engines import prepare_interpreter

POINTS = 468
ENLARGED = 1.5  # of the detector's square, and of the square around the points of the look before
EYES = (33, 263)  # outer corners, the person's right and left: they turn the next crop
# Points of the mesh for the 68 of iBUG's mark-up, means where there are two: the list that Peizhi Yan published in
# github.com/PeizhiYan/Mediapipe_2_Dlib_Landmarks (2024). The mesh has no contour that moves with the head's turn.
TO_68 = (
    *((127,), (234,), (93,), (132, 58), (58, 172), (136,), (150,), (176,), (152,)),
    *((400,), (379,), (365,), (397, 288), (361,), (323,), (454,), (356,)),
    *((156,), (63,), (105,), (66,), (107,), (336,), (296,), (334,), (293,), (383,)),
    *((168, 6), (197, 195), (5,), (4,), (98,), (97,), (2,), (326,), (327,)),
    *((33,), (160,), (158,), (133,), (153,), (144,), (362,), (385,), (387,), (263,), (373,), (380,)),
    *((61,), (39,), (37,), (0,), (267,), (269,), (291,), (321,), (314,), (17,), (84,), (91,)),
    *((78,), (82,), (13,), (312,), (308,), (317,), (14,), (87,)),
)  # fmt: skip


class Mesh:
    """Runs one file.

    Args:
        data: bytes of ``face_landmark.tflite``: RGB in 0..1, points in the crop's pixels.
        name: of the file, for messages.

    Raises:
        CUNetError: LiteRT cannot prepare it.
    """

    def __init__(self, data: bytes, name: str):
        self._interpreter, _ = prepare_interpreter(data, 1, name)
        self._input = self._interpreter.get_input_details()[0]
        outputs = self._interpreter.get_output_details()
        self._output = next(each["index"] for each in outputs if each["shape"][-1] == 3 * POINTS)
        self.size = int(self._input["shape"][1])

    def look(self, image: np.ndarray, box: np.ndarray, roll: float) -> np.ndarray:
        """Points ``[468, 2]`` in the pixels of an RGB ``uint8 [H, W, 3]`` picture.

        Args:
            image: the picture.
            box: square of the detector, or around the points of the look before, not enlarged.
            roll: degrees by which the face is turned clockwise.
        """
        matrix = crop_matrix(box, ENLARGED, self.size, rotation=roll)
        crop = warp(image, matrix, self.size).astype(np.float32) / 255.0
        self._interpreter.set_tensor(self._input["index"], crop[None])
        self._interpreter.invoke()
        points = self._interpreter.get_tensor(self._output).reshape(POINTS, 3)[:, :2]
        return apply(invert(matrix), points - 0.5)  # MediaPipe counts from the corner of the first pixel

    def looks(self, image: np.ndarray, seen: Detection, count: int) -> np.ndarray:
        """The points of the last of ``count`` looks, each after the first around the points before."""
        points = self.look(image, seen.box, seen.roll)
        for _ in range(count - 1):
            points = self.look(image, *around(points))
        return points


def around(points: np.ndarray) -> tuple[np.ndarray, float]:
    """The next box and roll: around all points along the line of the eyes, as MediaPipe follows a face."""
    across = points[EYES[1]] - points[EYES[0]]
    roll = float(np.degrees(np.arctan2(across[1], across[0])))
    turn = crop_matrix([-0.5, -0.5, 0.5, 0.5], 1.0, 1, rotation=roll)
    low, high = np.split(tight_box(apply(turn, points)), 2)
    centre, half = apply(invert(turn), (low + high) / 2.0), (high - low) / 2.0
    return np.concatenate([centre - half, centre + half]), roll


def to_68(points: np.ndarray) -> np.ndarray:
    """``[468, 2]`` to ``[68, 2]``."""
    return np.stack([points[list(each)].mean(axis=0) for each in TO_68])
