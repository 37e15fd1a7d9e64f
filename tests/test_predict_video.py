import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

from cunet_tf.cli import main
from cunet_tf.data.drawn_clip import draw_clip
from cunet_tf.data.geometry import tight_box
from cunet_tf.video import FrameReader, OverlayWriter
from tests.test_progress import Terminal

COUNT = 8


@pytest.fixture(scope="module")
def drawn():
    return draw_clip(0, COUNT, 160)


@pytest.fixture(scope="module")
def clip(drawn, tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "face.mp4"
    writer = OverlayWriter(path, drawn[2], drawn[0][0])
    for frame in drawn[0]:
        writer.write(frame)
    writer.close()
    return path


def predict(out, *arguments):
    return main(["predict", "--model=face-mobile", f"--out={out}", *map(str, arguments)])


def records(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def only(path):
    """The one object of every frame."""
    return [record["objects"][0] for record in records(path) if len(record["objects"]) == 1]


def test_video_without_tensorflow(drawn, clip, tmp_path):
    box = ",".join(f"{value:.2f}" for value in tight_box(drawn[1][0]))
    code = (
        "import sys; from cunet_tf.cli import main; "
        f"rc = main(['predict', '--model=face-mobile', '--out={tmp_path}', '--video={clip}', '--box={box}', '--json']);"
        "assert not {'tensorflow', 'keras', 'jax'} & set(sys.modules); sys.exit(rc)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["frames"], result["lost"], result["video"]) == (COUNT, 0, str(clip))
    assert result["frames_per_second"] > 0 and result["mean_score"] > 0.5
    lines = records(tmp_path / "face.jsonl")
    assert [line["frame"] for line in lines] == list(range(COUNT))
    np.testing.assert_allclose([line["time"] for line in lines], np.arange(COUNT) / 30.0, atol=1e-3)
    faces = only(tmp_path / "face.jsonl")
    np.testing.assert_allclose(faces[0]["box"], tight_box(drawn[1][0]), atol=0.01)
    np.testing.assert_allclose(faces[1]["box"], tight_box(np.array(faces[0]["landmarks"])), atol=0.002)
    assert {face["id"] for face in faces} == {0} and {face["box_from"] for face in faces} == {"given"}
    found, smoothed = (np.array([face[key] for face in faces]) for key in ("landmarks", "smoothed"))
    assert found.shape == smoothed.shape == (COUNT, 68, 2)
    assert np.linalg.norm(found - drawn[1], axis=-1).mean() < 0.06 * 160
    assert np.abs(found - smoothed)[1:].max() > 0.1
    overlay = FrameReader(tmp_path / "face.mp4")
    assert (overlay.fps, overlay.total) == (30.0, COUNT)
    assert next(iter(overlay))[1].shape == (640, 640, 3)


def test_nosmooth_and_max_frames(clip, tmp_path, capsys):
    assert predict(tmp_path, f"--video={clip}", "--nosmooth", "--max_frames=3") == 0
    faces = only(tmp_path / "face.jsonl")
    assert len(faces) == 3 and all(face["smoothed"] is None for face in faces)
    said = capsys.readouterr().out
    assert said.startswith("3 frames, ") and "frames/s: " in said and said.count("face.") == 2


def test_parameters_reach_the_filter(clip, tmp_path):
    for name, flag in (("weak", "--min_cutoff=1000"), ("strong", "--min_cutoff=0.01")):
        assert predict(tmp_path / name, f"--video={clip}", flag, "--beta=0", "--max_frames=4") == 0
    weak, strong = (only(tmp_path / name / "face.jsonl")[3] for name in ("weak", "strong"))
    np.testing.assert_allclose(weak["smoothed"], weak["landmarks"], atol=2e-4)
    first = only(tmp_path / "strong" / "face.jsonl")[0]["landmarks"]
    assert (
        np.abs(np.array(strong["smoothed"]) - first).max() < 0.05 * np.abs(np.array(strong["landmarks"]) - first).max()
    )


def test_frames_without_a_face_are_counted_as_lost(tmp_path, capsys):
    writer = OverlayWriter(tmp_path / "grey.mp4", 30.0, np.zeros((96, 96, 3), np.uint8))
    for _ in range(3):
        writer.write(np.full((96, 96, 3), 120, np.uint8))
    writer.close()
    assert predict(tmp_path / "out", f"--video={tmp_path / 'grey.mp4'}") == 0
    assert [line["objects"] for line in records(tmp_path / "out" / "grey.jsonl")] == [[]] * 3
    assert capsys.readouterr().out.startswith("3 frames, 3 of them without an object, 0 objects, ")
    assert predict(tmp_path / "out", f"--video={tmp_path / 'grey.mp4'}", "--detector=none") == 0
    (first, *_) = only(tmp_path / "out" / "grey.jsonl")
    assert first["box"] == [-0.5, -0.5, 95.5, 95.5] and not first["found"]


def test_several_people_of_a_clip_that_is_named_at_the_end_of_the_line(tmp_path, capsys):
    faces = [draw_clip(seed, 4, 160)[0] for seed in (0, 1)]
    frames = [np.hstack(pair) for pair in zip(*faces, strict=True)]
    writer = OverlayWriter(tmp_path / "two.mp4", 30.0, frames[0])
    for frame in frames:
        writer.write(frame)
    writer.close()
    assert predict(tmp_path / "out", tmp_path / "two.mp4") == 0
    lines = records(tmp_path / "out" / "two.jsonl")
    assert [[each["id"] for each in line["objects"]] for line in lines] == [[0, 1]] * 4
    left = [line["objects"][np.argmin([each["box"][0] for each in line["objects"]])]["id"] for line in lines]
    assert len(set(left)) == 1 and "4 frames, 2 objects" in capsys.readouterr().out


def test_progress_is_shown_on_a_terminal(clip, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert predict(tmp_path, f"--video={clip}", "--max_frames=2") == 0
    assert "2/2" in sys.stderr.getvalue() and "frames/s" in sys.stderr.getvalue()
    assert capsys.readouterr().out.startswith("2 frames")


class Camera:
    """A camera whose user presses Ctrl-C after some frames."""

    def __init__(self, frames):
        self.frames = list(frames)

    def isOpened(self):  # noqa: N802
        return True

    def read(self):
        if not self.frames:
            raise KeyboardInterrupt
        return True, self.frames.pop(0)[..., ::-1]

    def get(self, what):
        return 0.0

    def release(self):
        pass


@pytest.mark.parametrize("seen", [3, 1])
def test_ctrl_c_ends_a_camera_with_complete_files(drawn, tmp_path, monkeypatch, seen):
    monkeypatch.setattr(cv2, "VideoCapture", lambda source: Camera(drawn[0][:seen]))
    assert predict(tmp_path, "--camera=0") == 0
    monkeypatch.undo()
    assert len(records(tmp_path / "camera_0.jsonl")) == seen
    assert FrameReader(tmp_path / "camera_0.mp4").total == seen


def test_ctrl_c_in_a_file_is_an_interruption(drawn, clip, tmp_path, monkeypatch):
    monkeypatch.setattr(cv2, "VideoCapture", lambda source: Camera(drawn[0][:2]))
    assert predict(tmp_path, f"--video={clip}") == 130
    assert len(records(tmp_path / "face.jsonl")) == 2


@pytest.mark.parametrize("victim", ["face.mp4", "face.jsonl"])
def test_files_of_somebody_else_are_refused_and_our_own_replaced(clip, tmp_path, victim, capsys):
    (tmp_path / victim).write_text("precious")
    assert predict(tmp_path, f"--video={clip}", "--max_frames=1") == 2
    assert f"{victim} exists and was not written by cunet" in capsys.readouterr().err
    assert (tmp_path / victim).read_text() == "precious"
    (tmp_path / victim).unlink()
    for count in (1, 2):
        assert predict(tmp_path, f"--video={clip}", f"--max_frames={count}") == 0
    assert FrameReader(tmp_path / "face.mp4").total == 2
    assert sorted(file.name for file in tmp_path.iterdir()) == ["face.jsonl", "face.mp4"]


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--camera=63"], "camera 63: cannot be opened: connect a camera"),
        (["--camera=-1"], "--camera=-1"),
        (["--video={clip}", "--camera=0"], "--video or --camera, not both"),
        (["--video={clip}", "photo.jpg"], "photo.jpg: pictures and --video"),
        (["--camera=0", "photo.jpg"], "photo.jpg: pictures and --video or --camera"),
        (["--video=none.mp4"], "none.mp4: no such video file"),
        (["--video={clip}", "--out={folder}"], "would replace this video"),
        (["--video={clip}", "--out={clip}"], "is not a folder"),
        (["--video={clip}", "--box=5,5,1,1"], "x0 < x1"),
        (["--video={clip}", "--max_frames=0"], "--max_frames=0"),
        (["--video={clip}", "--min_cutoff=0"], "min_cutoff=0.0"),
        (["--video={clip}", "--beta=-1"], "beta=-1.0"),
        (["--video={clip}", "--min_confidence=2"], "--min_confidence=2"),
        (["--video={clip}", "--csv=x.csv"], "--csv goes with pictures"),
    ],
)
def test_bad_input(clip, tmp_path, arguments, words, capsys):
    before = clip.read_bytes()
    arguments = [argument.format(clip=clip, folder=clip.parent) for argument in arguments]
    assert predict(tmp_path, *arguments) == 2
    assert words in capsys.readouterr().err
    assert clip.read_bytes() == before
