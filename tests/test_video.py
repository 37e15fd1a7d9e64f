import io
import json

import cv2
import numpy as np
import pytest

from cunet_tf.data.drawn_clip import draw_clip
from cunet_tf.data.geometry import tight_box
from cunet_tf.errors import CUNetError
from cunet_tf.localizer import Landmarks, Localizer
from cunet_tf.smoothing import OneEuroFilter
from cunet_tf.video import FPS, PATIENCE, FrameReader, OverlayWriter, track, write_record

POINTS = np.array([[10.0, 20.0], [50.0, 25.0], [30.0, 70.0]])
BOX = np.array([5.0, 5.0, 60.0, 80.0])


class Scripted:
    """A localizer that answers from a list of (points, score) and remembers where it looked."""

    def __init__(self, *answers):
        self.answers, self.boxes = list(answers), []

    def locate(self, image, box):
        self.boxes.append(box)
        points, score = self.answers[len(self.boxes) - 1]
        searched = np.array([-0.5, -0.5, 99.5, 99.5]) if box is None else box
        return Landmarks(points, np.full(len(points), score, np.float32), searched)


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


def frames_of(count):
    return [(index / 30.0, np.zeros((100, 100, 3), np.uint8)) for index in range(count)]


def followed(*answers, box=BOX, smoothing=None, **options):
    localizer = Scripted(*answers)
    return list(track(localizer, frames_of(len(answers)), box, smoothing, **options)), localizer.boxes


def write_clip(path, count=5, size=(48, 64), fps=25.0):
    """A clip that becomes redder from frame to frame; returns its frames."""
    frames = [np.full((*size, 3), (20 + 40 * index, 60, 30), np.uint8) for index in range(count)]
    writer = OverlayWriter(path, fps, frames[0])
    for frame in frames:
        writer.write(frame)
    writer.close()
    return frames


def test_each_frame_is_searched_where_the_last_points_were():
    moved = [POINTS + 4.0 * index for index in range(3)]
    tracked, boxes = followed(*[(points, 0.8) for points in moved])
    np.testing.assert_array_equal(boxes[0], BOX)
    np.testing.assert_array_equal(boxes[1], tight_box(moved[0]))
    np.testing.assert_array_equal(boxes[2], tight_box(moved[1]))
    assert [(one.frame, one.time, one.lost) for one in tracked] == [(i, i / 30.0, False) for i in range(3)]
    assert all(one.smoothed is None for one in tracked)


def test_without_a_box_the_whole_picture_comes_first():
    assert followed((POINTS, 0.8), (POINTS, 0.8), box=None)[1][0] is None


def test_smoothing_changes_points_but_not_the_search():
    moved = [POINTS + 4.0 * index for index in range(4)]
    tracked, boxes = followed(*[(points, 0.8) for points in moved], smoothing=OneEuroFilter(1.0, 0.0))
    expected = OneEuroFilter(1.0, 0.0)
    for one, points in zip(tracked, moved, strict=True):
        np.testing.assert_array_equal(one.raw.points, points)
        np.testing.assert_array_equal(one.smoothed.points, expected(points, one.time))
        np.testing.assert_array_equal(one.smoothed.scores, one.raw.scores)
    np.testing.assert_array_equal(boxes[3], tight_box(moved[2]))


def test_a_search_may_close_in_on_the_object_under_low_scores():
    nearer = [POINTS + index for index in range(4)]
    tracked, boxes = followed(*zip(nearer, [0.2, 0.2, 0.3, 0.8], strict=True), box=None)
    assert [one.lost for one in tracked] == [True, True, True, False]
    np.testing.assert_array_equal(boxes[1:], [tight_box(points) for points in nearer[:3]])


def test_a_lost_object_is_searched_in_the_first_box_then_everywhere_in_turn():
    count = 3 * PATIENCE + 2
    _, boxes = followed((POINTS, 0.8), *[(POINTS, 0.1)] * count, (POINTS, 0.8), (POINTS, 0.8))
    starts = {index: box for index, box in enumerate(boxes) if box is None or box is BOX}
    assert starts == {0: BOX, 1 + PATIENCE: BOX, 1 + 2 * PATIENCE: None, 1 + 3 * PATIENCE: BOX}
    np.testing.assert_array_equal(boxes[-1], tight_box(POINTS))


def test_a_good_frame_renews_the_patience():
    answers = [(POINTS, 0.1)] * (PATIENCE - 1) + [(POINTS, 0.8)] + [(POINTS, 0.1)] * PATIENCE
    assert sum(box is BOX for box in followed(*answers)[1]) == 1


def test_the_threshold_is_adjustable():
    assert [one.lost for one in followed((POINTS, 0.3), (POINTS, 0.3), min_score=0.2)[0]] == [False, False]
    assert [one.lost for one in followed((POINTS, 0.3), (POINTS, 0.3), min_score=0.4)[0]] == [True, True]


def test_points_on_one_spot_give_no_box():
    assert followed((POINTS * 0.0, 0.9), (POINTS, 0.9))[1][1] is None


def test_the_shipped_model_closes_in_on_a_small_face():
    pictures, points, _ = draw_clip(0, 12, 120)
    frames = []
    for index, picture in enumerate(pictures):
        canvas = np.full((240, 240, 3), 128, np.uint8)
        canvas[90:210, 110:230] = picture
        frames.append((index / 30.0, canvas))
    tracked = list(track(Localizer.load("face-mobile"), frames))
    assert not tracked[-1].lost
    apart = np.linalg.norm(tracked[-1].raw.points - points[-1] - [110, 90], axis=-1)
    assert apart.mean() < 0.08 * np.linalg.norm(points[-1, 36] - points[-1, 45])


def test_a_lost_frame_empties_the_filter():
    far = POINTS + 300.0
    tracked, _ = followed((POINTS, 0.8), (POINTS, 0.1), (far, 0.8), smoothing=OneEuroFilter(0.1, 0.0))
    np.testing.assert_array_equal(tracked[1].smoothed.points, POINTS)
    np.testing.assert_array_equal(tracked[2].smoothed.points, far)


def test_a_used_filter_starts_anew():
    smoothing = OneEuroFilter()
    smoothing(POINTS[:2], 100.0)
    assert len(followed((POINTS, 0.8), smoothing=smoothing)[0]) == 1


def test_frames_are_taken_one_by_one():
    def endless():
        while True:
            yield 0.0, np.zeros((8, 8, 3), np.uint8)

    tracked = track(Scripted(*[(POINTS, 0.8)] * 3), endless())
    assert [next(tracked).frame for _ in range(3)] == [0, 1, 2]


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
        (tmp_path / "none.mp4", "none.mp4: no such video file"), (tmp_path, "no such video file"),
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
    with pytest.raises(CUNetError, match="no/clip.mp4: cannot write an mp4v video of 64x48 pixels at 25 frames/s"):
        OverlayWriter(tmp_path / "no" / "clip.mp4", 25.0, np.zeros((48, 64, 3), np.uint8))
    assert capfd.readouterr().err == ""


def test_a_record_is_one_line_of_plain_json():
    tracked, _ = followed((POINTS, 0.8), (POINTS + 1.0, 0.8), smoothing=OneEuroFilter(1.0, 0.0))
    file = io.StringIO()
    for one in tracked:
        write_record(file, one)
    records = [json.loads(line) for line in file.getvalue().splitlines()]
    keys = ["written_by", "frame", "time", "box", "landmarks", "smoothed", "scores"]
    assert [list(record) for record in records] == [keys] * 2
    assert records[1]["frame"] == 1 and records[1]["time"] == pytest.approx(1 / 30, abs=1e-6)
    np.testing.assert_allclose(records[1]["box"], tight_box(POINTS))
    np.testing.assert_allclose(records[1]["landmarks"], POINTS + 1.0)
    np.testing.assert_allclose(records[1]["smoothed"], tracked[1].smoothed.points, atol=1e-4)
    np.testing.assert_allclose(records[1]["scores"], [0.8] * 3)


def test_a_record_without_smoothing_says_null():
    file = io.StringIO()
    write_record(file, followed((POINTS, 0.8))[0][0])
    assert json.loads(file.getvalue())["smoothed"] is None
