import contextlib
import io
import json
import os

import cv2
import numpy as np
import pytest

from cunet_tf.data.sample import MEGAPIXELS, limit_megapixels
from cunet_tf.errors import CUNetError
from cunet_tf.landmarks import Landmarks
from cunet_tf.tracking import Frame, Tracked
from cunet_tf.video import FPS, FrameReader, OverlayWriter, write_record
from tests.fuzz.mp4_atoms import index_first

POINTS = np.array([[10.0, 20.0], [50.0, 25.0], [30.0, 70.0]])
BOX = np.array([5.0, 5.0, 60.0, 80.0])


class FakeCapture:
    """Stands in for ``cv2.VideoCapture``: a number of grey frames, and times in milliseconds."""

    def __init__(self, frames, times=None, fps=0.0):
        self.frames, self.times, self.fps, self.index = frames, times or [0.0] * 99, fps, -1

    def isOpened(self):  # noqa: N802
        return True

    def read(self):
        self.index += 1
        more = self.index < self.frames
        return more, np.full((4, 6, 3), self.index, np.uint8) if more else None

    def get(self, what):
        answers = {cv2.CAP_PROP_FPS: self.fps, cv2.CAP_PROP_POS_MSEC: self.times[max(self.index, 0)]}
        return answers.get(what, 0.0)

    def release(self):
        pass


def write_clip(path, count=5, size=(48, 64), fps=25.0):
    """A clip that becomes redder from frame to frame; returns its frames."""
    frames = [np.full((*size, 3), (20 + 40 * index, 60, 30), np.uint8) for index in range(count)]
    writer = OverlayWriter(path, fps, frames[0])
    for frame in frames:
        writer.write(frame)
    writer.close()
    return frames


def test_a_clip_written_is_read_again(tmp_path):
    frames = write_clip(tmp_path / "clip.mp4")
    reader = FrameReader(tmp_path / "clip.mp4")
    assert (reader.fps, reader.total) == (25.0, 5)
    times, read = zip(*reader, strict=True)
    reader.close()
    np.testing.assert_allclose(times, np.arange(5) / 25.0, atol=1e-6)
    for frame, expected in zip(read, frames, strict=True):
        assert np.abs(frame.astype(int) - expected).mean() < 4  # red stays red


def test_odd_sides_are_filled_up(tmp_path):
    write_clip(tmp_path / "odd.mp4", size=(47, 63))
    assert next(iter(FrameReader(tmp_path / "odd.mp4")))[1].shape == (48, 64, 3)


def test_times_that_stand_still_follow_the_rate(monkeypatch, tmp_path):
    (tmp_path / "clip.mp4").touch()
    monkeypatch.setattr(cv2, "VideoCapture", lambda source: FakeCapture(4, fps=10.0))
    assert [time for time, _ in FrameReader(tmp_path / "clip.mp4")] == pytest.approx([0.0, 0.1, 0.2, 0.3])


def test_irregular_times_are_kept_from_the_first_frame_on(monkeypatch, tmp_path):
    (tmp_path / "clip.mp4").touch()
    monkeypatch.setattr(cv2, "VideoCapture", lambda source: FakeCapture(3, times=[500.0, 533.0, 600.0, 600.0]))
    reader = FrameReader(tmp_path / "clip.mp4")
    assert reader.fps == FPS and reader.total is None
    assert [time for time, _ in reader] == pytest.approx([0.0, 0.033, 0.1])


def test_a_camera_has_the_machine_s_time(monkeypatch):
    monkeypatch.setattr(cv2, "VideoCapture", lambda source: FakeCapture(3, times=[9000.0] * 9))
    times = [time for time, _ in FrameReader(0)]
    assert times == sorted(times) and times[0] == 0.0 and times[-1] < 5.0


def test_a_source_that_cannot_be_read_is_named_with_what_to_do(tmp_path, capfd):
    write_clip(tmp_path / "clip.mp4")
    (tmp_path / "cut.mp4").write_bytes((tmp_path / "clip.mp4").read_bytes()[:500])
    (tmp_path / "text.mp4").write_text("no video")
    for source, words in [
        (tmp_path / "none.mp4", "none.mp4: no such video file"), (tmp_path, "this is a folder, not a regular file"),
        (tmp_path / "cut.mp4", "cut.mp4: cannot be opened.*cut short.*convert it to MP4"),
        (tmp_path / "text.mp4", "text.mp4: cannot be opened.*convert it to MP4"),
        (63, "camera 63: cannot be opened: connect a camera.*another index.*--video=FILE"),
    ]:  # fmt: skip
        with pytest.raises(CUNetError, match=words):
            FrameReader(source)
    assert capfd.readouterr().err == ""  # OpenCV's own complaints stay off the screen


def test_a_source_without_a_first_frame_says_so(monkeypatch, tmp_path):
    (tmp_path / "empty.mp4").touch()
    monkeypatch.setattr(cv2, "VideoCapture", lambda source: FakeCapture(0))
    with pytest.raises(CUNetError, match="camera 2: opened, but its first frame cannot be read"):
        FrameReader(2)
    with pytest.raises(CUNetError, match="empty.mp4: opened, but its first frame cannot be read.*convert"):
        FrameReader(tmp_path / "empty.mp4")


def test_a_failing_writer_is_named(tmp_path, capfd):
    (tmp_path / "no").write_text("a file")
    with pytest.raises(CUNetError, match=r"no/clip.mp4: cannot be written \(File exists\)"):
        OverlayWriter(tmp_path / "no" / "clip.mp4", 25.0, np.zeros((48, 64, 3), np.uint8))
    assert capfd.readouterr().err == ""


def test_a_record_is_one_line_of_plain_json():
    raw = Landmarks(POINTS, np.full(3, 0.8, np.float32), BOX, confidence=0.7)
    smoothed = Landmarks(POINTS + 0.5, raw.scores, BOX)
    image = np.zeros((9, 9, 3), np.uint8)
    file = io.StringIO()
    write_record(file, Frame(0, 0.0, image, [Tracked(3, raw, smoothed, False), Tracked(4, raw, None, True)]))
    write_record(file, Frame(1, 1 / 30, image, []))
    first, second = (json.loads(line) for line in file.getvalue().splitlines())
    assert list(first) == ["written_by", "frame", "time", "objects"]
    one, other = first["objects"]
    assert {**one, "id": 4, "smoothed": None} == other and one["id"] == 3
    assert (one["landmarks"], one["smoothed"]) == (POINTS.tolist(), (POINTS + 0.5).tolist())
    assert (one["box"], one["confidence"], one["found"]) == (BOX.tolist(), 0.7, True)
    assert second["objects"] == [] and second["time"] == pytest.approx(1 / 30, abs=1e-6)


def test_a_film_that_breaks_off_is_read_as_far_as_it_goes_and_says_so(tmp_path, capfd):
    frames = write_clip(tmp_path / "clip.mp4", count=20, size=(96, 96))
    whole = index_first((tmp_path / "clip.mp4").read_bytes())
    file = tmp_path / "cut.mp4"
    file.write_bytes(whole)
    with contextlib.closing(FrameReader(file)) as reader:
        assert len(list(reader)) == 20 == len(frames) and not reader.shortfall
    file.write_bytes(whole[: len(whole) - (len(whole) - whole.index(b"mdat")) // 2])
    with contextlib.closing(FrameReader(file)) as reader:
        count = len(list(reader))
        assert 2 < count < 18
        assert f"cut.mp4: {count} of the 20 frames that its header promises could be read" in reader.shortfall
    assert capfd.readouterr().err == ""


def test_frames_above_the_limit_of_megapixels_are_refused_by_the_header(tmp_path):
    write_clip(tmp_path / "clip.mp4", size=(48, 64))
    limit_megapixels(0.003)
    try:
        with pytest.raises(CUNetError, match=r"clip.mp4: 64 x 48 pixels are 0.003072 megapixels, above the limit"):
            FrameReader(tmp_path / "clip.mp4")
    finally:
        limit_megapixels(MEGAPIXELS)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "clip.mp4")
    with pytest.raises(CUNetError, match="clip.mp4: cannot be read .this is a pipe"):
        FrameReader(tmp_path / "clip.mp4")
