"""The process in dlib's environment, run here beside a dlib that is played."""

import json
import runpy
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from cunet_tf.export.peers_faces import dlib_runs

PROGRAM = Path(dlib_runs.__file__).with_name("dlib_process.py")
WEIGHTS = b"68 points"


class Rectangle:
    """As dlib's: whole numbers, read by functions."""

    def __init__(self, *sides):
        assert all(type(side) is int for side in sides)
        self.left, self.top, self.right, self.bottom = (lambda side=side: side for side in sides)


def played_dlib(asked, clock, found):
    """Points at the box's corners in turn; a detector that takes long and sees ``found``."""

    def predictor(image, box):
        asked.append(("predictor", image.shape, image.dtype))
        clock.now += 0.25
        corners = [(box.left(), box.top()), (box.right(), box.bottom())]
        part = lambda index: SimpleNamespace(x=corners[index % 2][0], y=corners[index % 2][1])  # noqa: E731
        return SimpleNamespace(num_parts=68, part=part)

    def detector(image, upsample):
        asked.append(("detector", upsample))
        clock.now += 9.0
        return [Rectangle(*box) for box in found]

    def load(file):
        assert Path(file).read_bytes() == WEIGHTS
        return predictor

    return SimpleNamespace(
        rectangle=Rectangle, shape_predictor=load, get_frontal_face_detector=lambda: detector, __version__="20.0"
    )


@pytest.fixture
def answer(tmp_path, monkeypatch):
    """A function that runs the program on tasks; its result, and what it asked dlib."""
    models = tmp_path / "packages" / "face_recognition_models" / "models"
    models.mkdir(parents=True)
    (models.parent / "__init__.py").touch()
    (models / "shape_predictor_68_face_landmarks.dat").write_bytes(WEIGHTS)
    monkeypatch.syspath_prepend(tmp_path / "packages")
    monkeypatch.setattr(sys, "argv", [str(PROGRAM), str(tmp_path)])

    def run(tasks, found=()):
        asked, clock = [], SimpleNamespace(now=0.0)
        monkeypatch.setitem(sys.modules, "dlib", played_dlib(asked, clock, found))
        for task in tasks:
            np.save(tmp_path / task["picture"], np.zeros((40, 50, 3), np.uint8))
        (tmp_path / "tasks.json").write_text(json.dumps(tasks))
        with monkeypatch.context() as patch:
            patch.setattr(time, "process_time", lambda: clock.now)
            runpy.run_path(str(PROGRAM), run_name="__main__")
        return json.loads((tmp_path / "result.json").read_text()), asked

    return run


def test_given_boxes_are_rounded_and_the_detector_is_not_asked(answer):
    result, asked = answer([{"picture": "0.npy", "boxes": [[1.4, 2.6, 30.5, 41.2], [5.0, 6.0, 7.0, 8.0]]}])
    (found,) = result["answers"]
    assert found["boxes"] == [[1, 3, 30, 41], [5, 6, 7, 8]]
    assert [len(points) for points in found["points"]] == [68, 68]
    assert found["points"][0][:3] == [[1, 3], [30, 41], [1, 3]]
    assert asked == [("predictor", (40, 50, 3), np.uint8)] * 2


def test_without_boxes_the_detector_doubles_the_picture_once(answer):
    tasks = [{"picture": "0.npy", "boxes": None}, {"picture": "1.npy", "boxes": None}]
    result, asked = answer(tasks, found=[(1, 2, 3, 4)])
    assert [found["boxes"] for found in result["answers"]] == [[[1, 2, 3, 4]]] * 2
    assert [each[:2] for each in asked if each[0] == "detector"] == [("detector", 1)] * 2


def test_only_the_predictor_is_timed(answer):
    result, _ = answer([{"picture": "0.npy", "boxes": None}], found=[(1, 2, 3, 4), (5, 6, 7, 8)])
    assert result["answers"][0]["ms"] == [250.0, 250.0]


def test_a_picture_without_a_face_has_an_answer_too(answer):
    result, _ = answer([{"picture": "0.npy", "boxes": None}])
    assert result == {"version": "20.0", "bytes": len(WEIGHTS), "answers": [{"boxes": [], "points": [], "ms": []}]}
