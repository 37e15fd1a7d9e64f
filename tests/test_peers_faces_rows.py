"""Rows of face landmark peers; networks, detectors and processes are played, so that every error is known."""

from types import SimpleNamespace

import numpy as np
import pytest

from cunet_tf.boxes import BoxMap, Detection
from cunet_tf.data.geometry import apply, crop_matrix, from_heatmap, invert
from cunet_tf.errors import CUNetError
from cunet_tf.export.peers_faces import rows
from cunet_tf.export.peers_faces.dlib_runs import mapped
from cunet_tf.export.peers_faces.figures import CORNERS
from cunet_tf.export.peers_faces.mesh import POINTS, to_68
from cunet_tf.localizer import Localizer
from tests.networks import spec_of

SPEC = spec_of().replace(decoder="argmax", detector=BoxMap("played", (0.0, 0.1), 0.9))
PLACES = np.array([(2.0 + k % 12, 2.0 + k // 12) for k in range(68)])  # in the pixels of 16 x 16 heat maps
BOXES = [np.array([8.0, 10.0, 48.0, 50.0]), np.array([14.0, 6.0, 44.0, 36.0])]
NOWHERE = [np.zeros((68, 2))] * 2


class Bells:
    """A network whose every picture has its points at the same places; it counts its pictures."""

    spec, count = SPEC, 0

    def __call__(self, pictures):
        self.count += len(pictures)
        rows, columns = np.mgrid[:16, :16][..., None]
        maps = np.exp(-((columns - PLACES[:, 0]) ** 2 + (rows - PLACES[:, 1]) ** 2) / 2.0)
        return np.repeat(maps[None], len(pictures), axis=0).astype(np.float32)


def off_by(points, share):
    """The points of which these are wrong by a share of the eyes' distance, along the line of the eyes."""
    return points - share * (points[CORNERS[1]] - points[CORNERS[0]])


def faces(truth, seen=(None, None)):
    images = [np.full((60, 64, 3), 10 * index, np.uint8) for index in range(2)]
    detector = SimpleNamespace(name="played")
    return SimpleNamespace(images=images, truth=np.stack(truth), boxes=BOXES, seen=seen, detector=detector)


def answers(box):
    """What ``Bells`` says of a picture in this tight box."""
    to_crop = crop_matrix(box, SPEC.crop_factor, SPEC.input_size)
    return apply(invert(to_crop), from_heatmap(PLACES))


def test_our_rows_count_the_runs_of_the_network(monkeypatch):
    engine = Bells()
    monkeypatch.setattr(rows, "load_engine", lambda name, threads: engine)
    truth = [off_by(answers(box), 0.1) for box in BOXES]
    seen = [Detection(box, 1.0) for box in BOXES]
    found = rows._ours("mine", faces(truth, seen), faces(truth, [seen[0], None]))
    assert [row["runs"] for row in found] == [1, 4, 2]
    assert engine.count == 4 * 1 + 4 * 4 + 3 * 2  # of two known pictures and two of the table, one of them not detected
    tight, _, detected = found
    assert tight["nme_51"] == pytest.approx(10.0) and tight["failures_51"] == 100.0
    assert tight["nme_51_offsets_removed"] == pytest.approx(0.0, abs=1e-6)
    assert (tight["seen_percent"], detected["seen_percent"]) == (100.0, 50.0)


def test_the_second_look_is_around_the_points_of_the_first():
    box = SPEC.detector(Detection(BOXES[0], 1.0)).box
    to_crop = crop_matrix(box, SPEC.crop_factor, SPEC.input_size)
    first = apply(invert(to_crop), from_heatmap(PLACES))
    found = rows._two_looks(
        Localizer(Bells()), np.zeros((60, 64, 3), np.uint8), Detection(BOXES[0], 1.0), faces(NOWHERE)
    )
    np.testing.assert_allclose(found, answers(np.concatenate([first.min(0), first.max(0)])), atol=1e-9)


def test_offsets_are_measured_on_other_pictures_than_those_of_the_table(rng):
    points = [rng.uniform(0, 50, (68, 2)) for _ in range(2)]
    known = faces([off_by(each, 0.1) for each in points])
    table = faces([off_by(each, 0.15) for each in points])
    row = rows._compared(lambda _: points, known, table)
    assert (row["nme_51"], row["nme_51_offsets_removed"]) == (pytest.approx(15.0), pytest.approx(5.0))


def test_the_detection_over_the_face_is_taken():
    near, far = Detection(BOXES[0] + 2.0, 0.1), Detection(BOXES[0] + 20.0, 0.9)
    assert rows._best([far, near], BOXES[0]) is near
    assert rows._best([Detection(BOXES[0] + 200.0, 0.9)], BOXES[0]) is None and rows._best([], BOXES[0]) is None


def test_dlib_is_asked_in_its_own_boxes(monkeypatch, tmp_path, rng):
    truth = [rng.uniform(box[:2], box[2:], (68, 2)) for box in BOXES]
    squares = [mapped(BoxMap("dlib", (0.0, 0.2), 1.1), box) for box in BOXES]
    asked, times = [], iter(range(1, 100))

    class Played:
        version, bytes = "20", 7

        def __init__(self, cache, folder):
            assert (cache, folder) == (tmp_path, tmp_path / "files")

        def __call__(self, images, boxes):
            places = [int(image[0, 0, 0]) // 10 for image in images]
            if boxes is None:
                boxes = [squares[place] for place in places]
                return [{"boxes": [box], "points": [truth[place]]} for place, box in zip(places, boxes, strict=True)]
            asked.append(dict(zip(places, boxes, strict=True)))
            return [{"points": [truth[place]], "ms": [float(next(times))]} for place in places]

    monkeypatch.setattr(rows, "Dlib", Played)
    seen = [Detection(mapped(BoxMap("any", (0.3, 0.0), 0.5), box), 1.0) for box in BOXES]
    known, table = faces(truth, seen), faces([off_by(each, -0.1) for each in truth], [None, seen[1]])
    own, blaze, tight = rows._of_dlib(known, table, tmp_path, tmp_path / "files")
    assert [set(each) for each in asked] == [{0, 1}, {1}, {0, 1}, {0, 1}]  # of what BlazeFace does not see, nothing
    for boxes in asked:
        for place, box in boxes.items():
            np.testing.assert_allclose(box, squares[place])
    assert [row["seen_percent"] for row in (own, blaze, tight)] == [100.0, 50.0, 100.0]
    assert own["nme_68"] == pytest.approx(10.0) and own["boxes"] == "its own: dlib's detector"
    assert {(row["run_ms"], row["bytes"], row["version"]) for row in (own, blaze, tight)} == {(4.0, 7, "20")}


def test_the_mesh_looks_once_and_twice(monkeypatch, rng):
    points = [rng.uniform(0, 60, (POINTS, 2)) for _ in range(2)]

    class Still:
        def __init__(self, data, name):
            assert (data, name) == (b"mesh", rows.PLAIN)

        def looks(self, image, seen, count):
            found = points[int(image[0, 0, 0]) // 10]
            line = to_68(found)[CORNERS[1]] - to_68(found)[CORNERS[0]]
            return found + (0.2 / count) * line

    monkeypatch.setattr(rows, "Mesh", Still)
    seen = [Detection(box, 1.0) for box in BOXES]
    truth = [to_68(each) for each in points]
    once, twice = rows._of_mesh(b"mesh", faces(truth, seen), faces(truth, [seen[0], None]))
    assert (once["nme_68"], twice["nme_68"]) == (pytest.approx(20.0), pytest.approx(10.0))
    assert (once["runs"], twice["runs"], once["seen_percent"]) == (1, 2, 50.0)
    assert twice["boxes"] == "its own: BlazeFace, then around its points" and once["boxes"] == "its own: BlazeFace"


@pytest.mark.parametrize(
    "reason", ["Encountered unresolved custom op: Some.See instructions: https://x.org", "no network"]
)
def test_why_a_file_does_not_run_is_the_reason_alone(monkeypatch, reason):
    def refuse(data, name):
        raise CUNetError(f"{name}: LiteRT cannot run this model ({reason}): export it again.")

    monkeypatch.setattr(rows, "Mesh", refuse)
    assert rows._fault(b"") == reason.split(".")[0]
    monkeypatch.setattr(rows, "Mesh", lambda data, name: None)
    assert rows._fault(b"") == ""


def test_all_rows_of_the_table(monkeypatch, tmp_path):
    files = tmp_path / "env" / "lib" / "python3.12" / "site-packages" / "mediapipe" / "modules" / "face_landmark"
    files.mkdir(parents=True)
    (files / rows.PLAIN).write_bytes(b"plain")
    (files / rows.ATTENTION).write_bytes(b"attention")
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(bytes(10))
    times = {"a": [1.0, 2.0, 4.0], "b": [3.0, 2.0, 8.0], rows.PLAIN: [10.0, 20.0, 40.0]}
    monkeypatch.setattr(rows, "prepare", lambda peer, cache: str(tmp_path / "env" / "bin" / "python"))
    monkeypatch.setattr(rows, "find_model", lambda name: tmp_path / name)
    monkeypatch.setattr(rows, "read_model", lambda file: b"unpacked" + file.name.encode())
    monkeypatch.setattr(rows, "latencies", lambda chosen, threads, rounds: [np.array(times[c.name]) for c in chosen])
    monkeypatch.setattr(rows, "multiply_adds", lambda data: len(data))
    monkeypatch.setattr(rows, "_ours", lambda model, known, table: [{"network": model}])
    monkeypatch.setattr(rows, "_of_dlib", lambda *_: [{"by": "dlib"}])
    monkeypatch.setattr(rows, "_of_mesh", lambda data, *_: [{"boxes": data.decode()}])
    monkeypatch.setattr(rows, "_fault", lambda data: f"{data.decode()} does not run")
    ours, other, dlib, plain, attention = rows.rows_of(["a", "b"], None, None, tmp_path, tmp_path)
    assert ours == {"network": "a", "bytes": 10, "multiply_adds": 9, "run_ms": 2.0, "run_ratio": 1.0}
    assert (other["run_ms"], other["run_ratio"]) == (3.0, 2.0)  # 3, 1 and 2 times as long, not 3 / 2
    assert dlib == {"by": "dlib"}
    assert plain == {"by": "MediaPipe", "version": "0.10.21", "network": rows.PLAIN, "boxes": "plain", "bytes": 5,
                     "multiply_adds": 5, "run_ms": 20.0, "run_ratio": 10.0}  # fmt: skip
    assert attention["outcome"] == "attention does not run" and attention["bytes"] == 9
    assert set().union(*(each for each in (ours, other, plain, attention))) < set(rows.COLUMNS)
