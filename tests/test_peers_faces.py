import csv
from importlib.metadata import version
from types import SimpleNamespace

import numpy as np
import pytest

from cunet_tf.boxes import Detection
from cunet_tf.data.geometry import apply, crop_matrix, tight_box
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.detector import load_detector
from cunet_tf.errors import CUNetError
from cunet_tf.export.peers_faces import __main__ as peers_faces
from cunet_tf.export.peers_faces.__main__ import main
from cunet_tf.export.peers_faces.dlib_runs import best, fitted, mapped
from cunet_tf.export.peers_faces.figures import CORNERS, errors_of, figures, multiply_adds, offsets_of
from cunet_tf.export.peers_faces.mesh import POINTS, TO_68, Mesh, around, to_68
from cunet_tf.export.peers_faces.rows import COLUMNS, Faces
from cunet_tf.files.shipped import find_model
from cunet_tf.files.tflite import read_model
from cunet_tf.skeletons import FACE68


@pytest.fixture(scope="module")
def faces():
    return Faces(load_synthetic(FACE68, "4:6"))


def test_each_of_the_68_has_points_of_the_mesh_on_its_own_side():
    assert len(TO_68) == 68 and max(map(max, TO_68)) < POINTS
    points = np.arange(2.0 * POINTS).reshape(POINTS, 2)
    np.testing.assert_array_equal(to_68(points)[[30, 27, 36]], [points[4], (points[168] + points[6]) / 2, points[33]])
    flip = FACE68.flip_permutation
    assert all(len(TO_68[index]) == len(TO_68[flip[index]]) for index in range(68) if index not in (3, 4, 12, 13))
    assert len({each for row in TO_68 for each in row}) == sum(map(len, TO_68)) - 1  # 58 stands for two of the jaw


def test_the_next_crop_lies_around_the_points_along_the_eyes():
    rng = np.random.default_rng(0)
    upright = rng.uniform(-40, 40, (POINTS, 2))
    upright[[33, 263]] = [[-20, -10], [20, -10]]
    turn = crop_matrix([-0.5, -0.5, 0.5, 0.5], 1.0, 1, rotation=-25.0)
    box, roll = around(apply(turn, upright))
    assert roll == pytest.approx(25.0)
    expected = tight_box(upright)
    np.testing.assert_allclose(box[2:] - box[:2], expected[2:] - expected[:2])
    middle = apply(turn, (expected[:2] + expected[2:]) / 2)
    np.testing.assert_allclose((box[:2] + box[2:]) / 2, middle, atol=1e-9)


def test_mesh_answers_in_the_pictures_own_pixels(monkeypatch):
    class Still:
        """A network that always puts the points at the places of the crop's corners and middle."""

        def get_input_details(self):
            return [{"index": 0, "shape": np.array([1, 192, 192, 3])}]

        def get_output_details(self):
            return [{"index": 1, "shape": np.array([1, 1, 1, 3 * POINTS])}]

        def set_tensor(self, index, crop):
            assert crop.shape == (1, 192, 192, 3) and crop.max() <= 1.0

        def invoke(self):
            pass

        def get_tensor(self, index):
            points = np.full((POINTS, 3), 96.0, np.float32)
            points[0], points[1] = 0.0, 192.0
            return points.reshape(1, 1, 1, -1)

    monkeypatch.setattr("cunet_tf.export.peers_faces.mesh.prepare_interpreter", lambda *_: (Still(), None))
    image = np.full((80, 90, 3), 255, np.uint8)
    points = Mesh(b"", "still").look(image, np.array([20.0, 30.0, 60.0, 70.0]), 0.0)
    np.testing.assert_allclose(points[:3], [[10, 20], [70, 80], [40, 50]], atol=1e-9)


def test_figures_by_hand():
    truth = np.stack([sample.points for sample in load_synthetic(FACE68, "4:4")])
    eyes = truth[:, CORNERS[1]] - truth[:, CORNERS[0]]
    moved = [points + 0.1 * line for points, line in zip(truth, eyes, strict=True)]
    offsets = offsets_of(moved, truth)
    np.testing.assert_allclose(offsets, np.tile([0.1, 0.0], (68, 1)), atol=1e-6)
    errors = errors_of([*moved[:3], None], truth)
    row = figures(errors, errors_of([*moved[:3], None], truth, offsets))
    assert row["seen_percent"] == 75.0
    assert (row["nme_68"], row["nme_51"]) == (pytest.approx(10.0), pytest.approx(10.0))
    assert row["nme_51_offsets_removed"] == pytest.approx(0.0, abs=1e-4)
    assert (row["failures_51"], row["failures_51_offsets_removed"]) == (100.0, 25.0)
    assert {*row} < {*COLUMNS}


def test_boxes_of_one_kind_become_those_of_another():
    rng = np.random.default_rng(1)
    others = [np.array([x, y, x + s, y + s]) for x, y, s in rng.uniform(20, 60, (9, 3))]
    own = [mapped(fitted([np.array([0.0, 0, 10, 10])], [np.array([1.0, 2, 9, 10])]), box) for box in others]
    known = fitted(others, own)
    assert known.scale == pytest.approx(0.8) and known.shift == pytest.approx((0.0, 0.1))
    np.testing.assert_allclose(mapped(known, others[4]), own[4])
    points = rng.uniform(0, 50, (68, 2))
    answer = {"boxes": [[0, 0, 9, 9], [1, 1, 50, 50]], "points": [(points + 500).tolist(), points.tolist()]}
    np.testing.assert_array_equal(best(answer, tight_box(points))[1], points)
    assert best({"boxes": [], "points": []}, tight_box(points)) is None


def test_the_common_detector_and_multiply_adds(faces):
    assert len(faces.images) == len(faces.seen) == 6 and faces.truth.shape == (6, 68, 2)
    assert sum(isinstance(seen, Detection) for seen in faces.seen) >= 4
    assert faces.detector is load_detector("auto")
    data = read_model(find_model("face-mobile"))
    assert 199e6 <= multiply_adds(data) <= 220e6  # cunet info: 199 million, and convolutions that only rescale


def test_bad_input(tmp_path, capsys):
    (tmp_path / "mine.csv").write_text("precious")
    assert main(["peers_faces", f"--csv={tmp_path / 'mine.csv'}", f"--root={tmp_path}"]) == 2
    assert main(["peers_faces", f"--csv={tmp_path / 'new.csv'}"]) == 2
    errors = capsys.readouterr().err
    assert "mine.csv exists" in errors and "--root" in errors


class Spot:
    """A network that puts its points on the brightest part of the crop; its first output is how sure it is."""

    def get_input_details(self):
        return [{"index": 0, "shape": np.array([1, 192, 192, 3])}]

    def get_output_details(self):
        return [{"index": 1, "shape": np.array([1, 1, 1, 1])}, {"index": 2, "shape": np.array([1, 1, 1, 3 * POINTS])}]

    def set_tensor(self, index, crop):
        self.light = crop[0, ..., 0].astype(np.float64)

    def invoke(self):
        rows, columns = np.mgrid[:192, :192] + 0.5  # as MediaPipe counts
        share = self.light / self.light.sum()
        self.points = np.tile([(share * columns).sum(), (share * rows).sum(), 0.0], POINTS)

    def get_tensor(self, index):
        assert index == 2
        return self.points[None, None, None].astype(np.float32)


@pytest.mark.parametrize("roll", [0.0, 30.0, -100.0])
def test_a_spot_is_found_where_it_is_however_the_crop_is_turned(monkeypatch, roll):
    monkeypatch.setattr("cunet_tf.export.peers_faces.mesh.prepare_interpreter", lambda *_: (Spot(), None))
    rows, columns = np.mgrid[:120, :160]
    bell = np.exp(-((rows - 70.0) ** 2 + (columns - 90.0) ** 2) / 18.0)
    image = np.repeat(np.round(255 * bell).astype(np.uint8)[..., None], 3, axis=-1)
    points = Mesh(b"", "spot").look(image, np.array([60.0, 40.0, 110.0, 90.0]), roll)
    np.testing.assert_allclose(points[[0, -1]], [[90.0, 70.0]] * 2, atol=0.1)


def test_each_look_after_the_first_is_around_the_points_before(monkeypatch, rng):
    answers = [rng.uniform(20, 60, (POINTS, 2)) for _ in range(3)]
    asked, left = [], iter(answers)
    monkeypatch.setattr(Mesh, "look", lambda self, image, box, roll: asked.append((box, roll)) or next(left))
    seen = Detection(np.array([1.0, 2.0, 3.0, 4.0]), 1.0, 15.0)
    found = Mesh.__new__(Mesh).looks(np.zeros((2, 2, 3), np.uint8), seen, 3)
    np.testing.assert_array_equal(found, answers[2])
    for (box, roll), (near, turn) in zip(asked, [(seen.box, 15.0), *map(around, answers[:2])], strict=True):
        np.testing.assert_array_equal(box, near)
        assert roll == turn


def test_the_table_says_of_which_pictures_and_machine_it_is(tmp_path, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(peers_faces, "load_300w", lambda root, split: asked.append((root, split)))
    monkeypatch.setattr(peers_faces, "Faces", lambda source: SimpleNamespace(images=[None] * 3))
    found = [{"by": "cunet-tf", "network": "mine", "nme_68": 3.14159}, {"by": "dlib", "version": "20", "boxes": "own"}]
    monkeypatch.setattr(peers_faces, "rows_of", lambda models, *_: found)
    monkeypatch.setattr(peers_faces, "processor", lambda: "a processor")
    assert main(["peers_faces", f"--csv={tmp_path / 'new.csv'}", "--root=faces", "--split=a", "--calibration=b"]) == 0
    assert asked == [("faces", "b"), ("faces", "a")]
    ours, dlib = csv.DictReader((tmp_path / "new.csv").read_text().splitlines())
    assert tuple(ours) == COLUMNS and (ours["version"], dlib["version"]) == (version("cunet-tf"), "20")
    assert [(row["pictures"], row["images"], row["cpu"]) for row in (ours, dlib)] == [("a", "3", "a processor")] * 2
    assert ours["nme_68"] == "3.142"
    printed = capsys.readouterr().out
    assert "| cunet-tf | mine |" in printed and "a processor" not in printed


def test_a_peer_that_fails_leaves_no_table(tmp_path, monkeypatch, capsys):
    def fail(*_):
        raise CUNetError("dlib failed: no memory")

    monkeypatch.setattr(peers_faces, "load_300w", fail)
    assert main(["peers_faces", f"--csv={tmp_path / 'new.csv'}", "--root=faces"]) == 2
    assert capsys.readouterr().err == "peers_faces: error: dlib failed: no memory\n"
    assert not (tmp_path / "new.csv").exists()
