"""What dlib's process is given and answers; it is played here."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cunet_tf.boxes import BoxMap
from cunet_tf.errors import CUNetError
from cunet_tf.export.peers_faces import dlib_runs
from cunet_tf.export.peers_faces.dlib_runs import Dlib, fitted, mapped

SIDES = st.lists(st.tuples(*[st.floats(20.0, 60.0)] * 3), min_size=3, max_size=9)


@pytest.fixture
def dlib(tmp_path, monkeypatch):
    """A ``Dlib`` whose process answers with its tasks, and the calls of that process."""
    calls = []

    def run(call, **_):
        calls.append(call)
        folder = Path(call[-1])
        tasks = json.loads((folder / "tasks.json").read_text())
        answers = [{**task, "first": np.load(folder / task["picture"])[0, 0].tolist()} for task in tasks]
        (folder / "result.json").write_text(json.dumps({"version": "20", "bytes": 7, "answers": answers}))
        return subprocess.CompletedProcess(call, 0, "", "")

    monkeypatch.setattr(dlib_runs, "prepare", lambda peer, cache: f"{cache}/{peer.name}/python")
    monkeypatch.setattr(dlib_runs.subprocess, "run", run)
    return Dlib(Path("cache"), tmp_path), calls


def test_each_picture_goes_with_its_own_box_to_the_other_environment(dlib, tmp_path):
    run, calls = dlib
    images = [np.full((4, 5, 3), value, np.uint8) for value in (7, 8)]
    answers = run(images, [np.array([0.5, 1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0, 4.5])])
    assert [each["first"] for each in answers] == [[7, 7, 7], [8, 8, 8]]
    assert [each["boxes"] for each in answers] == [[[0.5, 1.0, 2.0, 3.0]], [[1.0, 2.0, 3.0, 4.5]]]
    assert (run.version, run.bytes) == ("20", 7)
    python, safe, program, folder = calls[0]
    assert (python, safe) == ("cache/dlib/python", "-P") and Path(program).is_file()  # -P: no module of the user's
    assert Path(folder).parent == tmp_path


def test_runs_do_not_write_over_each_other(dlib):
    run, calls = dlib
    image = np.zeros((4, 5, 3), np.uint8)
    assert [each["boxes"] for each in run([image], None)] == [None]
    assert run([], []) == []
    assert calls[0][-1] != calls[1][-1]


@pytest.mark.parametrize(
    "said, words", [("Traceback\nImportError: no dlib\n", "ImportError: no dlib"), ("", "no message")]
)
def test_a_process_that_fails_is_quoted(dlib, monkeypatch, said, words):
    failed = subprocess.CompletedProcess([], 1, "", said)
    monkeypatch.setattr(dlib_runs.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(CUNetError, match=f"^dlib failed: {words}$"):
        dlib[0]([np.zeros((4, 5, 3), np.uint8)], None)


@settings(max_examples=40)
@given(SIDES, st.floats(-0.3, 0.3), st.floats(-0.3, 0.3), st.floats(0.5, 2.0))
def test_the_map_that_moved_boxes_is_found_again(sides, right, down, scale):
    others = [np.array([x, y, x + side, y + side]) for x, y, side in sides]
    made = BoxMap("any", (right, down), scale)
    known = fitted(others, [mapped(made, box) for box in others])
    assert known.shift == pytest.approx((right, down), abs=1e-9) and known.scale == pytest.approx(scale)


def test_one_box_on_another_face_does_not_move_the_map():
    others = [np.array([10.0 * k, 0.0, 10.0 * k + 20.0, 20.0]) for k in range(5)]
    own = [mapped(BoxMap("any", (0.1, -0.2), 1.5), box) for box in others]
    own[2] = 3.0 * own[2] + 300.0
    known = fitted(others, own)
    assert known.shift == pytest.approx((0.1, -0.2)) and known.scale == pytest.approx(1.5)
