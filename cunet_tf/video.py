"""Landmarks on video: frames in, tracked and smoothed landmarks out, and the files of both."""

import math
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

import cv2
import numpy as np

from cunet_tf.data.geometry import tight_box
from cunet_tf.errors import CUNetError
from cunet_tf.localizer import Landmarks, Localizer
from cunet_tf.outputs import json_text, movie_mark
from cunet_tf.quiet import native_stderr_hidden
from cunet_tf.smoothing import OneEuroFilter

MIN_SCORE = 0.4  # face-mobile gives less where there is no face, more in the box of one
PATIENCE = 8  # frames with low scores before the search starts over
MIN_SIDE = 4.0  # pixels; points closer together than this are no object
FPS = 30.0  # where a source does not tell its own


@dataclass(frozen=True, eq=False)
class Tracked:
    """One frame of a tracked video.

    Attributes:
        frame: 0-based index.
        time: seconds since the first frame.
        image: RGB ``uint8 [H, W, 3]``.
        raw: what the network found.
        smoothed: the same with smoothed points; ``None`` without smoothing.
        lost: the mean score is below the threshold.
    """

    frame: int
    time: float
    image: np.ndarray
    raw: Landmarks
    smoothed: Landmarks | None
    lost: bool


def track(
    localizer: Localizer, frames: Iterable[tuple[float, np.ndarray]], box: np.ndarray | None = None,
    smoothing: OneEuroFilter | None = None, min_score: float = MIN_SCORE,
) -> Iterator[Tracked]:  # fmt: skip
    """Follow one object from frame to frame.

    Each frame is searched in the tight box of the points of the frame before, before smoothing.
    A search that starts too wide closes in on the object in this way within a few frames, so a
    low mean score is borne for ``PATIENCE`` frames; then the search starts over in ``box``, and
    if that fails in the whole picture, in turn. Points of lost frames are not smoothed, and the
    filter starts anew after them.

    Args:
        localizer: finds the points; its model's crop factor enlarges the boxes.
        frames: pairs of a time in seconds and an RGB picture ``uint8 [H, W, 3]``.
        box: tight box ``[x0, y0, x1, y1]`` in the first frame; the whole picture when ``None``.
        smoothing: a filter, which is reset at the start; ``None`` leaves the points as found.
        min_score: 0..1; frames with a lower mean score are lost.
    """
    if smoothing:
        smoothing.reset()
    place, low = box, 0
    for index, (seconds, image) in enumerate(frames):
        found = localizer.locate(image, place)
        lost = bool(found.scores.mean() < min_score)
        low = low + 1 if lost else 0
        smoothed = None
        if smoothing:
            if lost:
                smoothing.reset()
            smoothed = found if lost else replace(found, points=smoothing(found.points, seconds))
        yield Tracked(index, seconds, image, found, smoothed, lost)
        place = _next_place(found.points, box, low)


def _next_place(points: np.ndarray, box: np.ndarray | None, low: int) -> np.ndarray | None:
    """The box to search after ``low`` lost frames in a row; ``None`` is the whole picture."""
    starts, rest = divmod(low, PATIENCE)
    if starts and not rest:
        return box if starts % 2 else None
    tight = tight_box(points)
    return tight if np.max(tight[2:] - tight[:2]) >= MIN_SIDE else None


class FrameReader:
    """Pairs of a time in seconds (0 at the first frame) and an RGB frame of a video or camera.

    Args:
        source: a video file, or the index of a camera.

    Attributes:
        fps: frames per second that the source claims; 30 where it claims nothing.
        total: frames of the file as its header says, or ``None``.

    Raises:
        CUNetError: the source cannot be opened, or not even one frame can be read.
    """

    def __init__(self, source: Path | str | int):
        source = Path(source) if isinstance(source, str) else source
        if isinstance(source, Path) and not source.is_file():
            raise CUNetError(f"{source}: no such video file.")
        self._live = isinstance(source, int)
        with native_stderr_hidden():
            self._capture = cv2.VideoCapture(source if isinstance(source, int) else str(source))
            opened = self._capture.isOpened()
            read, self._first = self._capture.read() if opened else (False, None)
        if not read:
            self.close()
            raise CUNetError(_cannot_read(source, opened))
        fps, total = self._capture.get(cv2.CAP_PROP_FPS), self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.fps = fps if math.isfinite(fps) and 0.0 < fps <= 1000.0 else FPS
        self.total = int(total) if not self._live and total > 0 else None

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        """The frames, once."""
        start, seconds, frame = self._clock(), 0.0, self._first
        while frame is not None:
            yield seconds, np.ascontiguousarray(frame[..., ::-1])
            frame = self._capture.read()[1]
            now = self._clock() - start
            # Some files carry no usable times: then each frame takes 1 / fps.
            seconds = now if now > seconds else seconds + 1.0 / self.fps

    def _clock(self) -> float:
        """Seconds: of the frame read last in a file, of the machine for a camera."""
        return time.monotonic() if self._live else self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0

    def close(self) -> None:
        """Let the file or camera go."""
        self._capture.release()


def _cannot_read(source: Path | int, opened: bool) -> str:
    what = "opened, but its first frame cannot be read" if opened else "cannot be opened"
    if isinstance(source, int):
        return (
            f"camera {source}: {what}: connect a camera, close other programs that use it, allow this one to, "
            "or try another index; a recording is read with --video=FILE."
        )
    return f"{source}: {what}: the file is cut short or not a video that OpenCV reads; convert it to MP4 (H.264)."


class OverlayWriter:
    """An MP4 file (codec mp4v) of RGB frames of one size.

    Args:
        path: ending in ``.mp4``; its folder exists.
        fps: frames per second at which players show it.
        frame: any frame, for the size.

    Raises:
        CUNetError: the file cannot be created, or this OpenCV cannot encode video.
    """

    def __init__(self, path: Path, fps: float, frame: np.ndarray):
        self._path, self._part = path, path.with_name(f".tmp-{path.name}")
        height, width = _even(frame).shape[:2]
        with native_stderr_hidden():
            self._writer = cv2.VideoWriter(str(self._part), cv2.VideoWriter_fourcc(*"mp4v"), fps, (width, height))
        if not self._writer.isOpened():
            raise CUNetError(
                f"{path}: cannot write an mp4v video of {width}x{height} pixels at {fps:g} frames/s: "
                "check that the folder is writable, and that opencv-python has FFmpeg."
            )

    def write(self, frame: np.ndarray) -> None:
        """Append RGB ``uint8 [H, W, 3]``."""
        self._writer.write(np.ascontiguousarray(_even(frame)[..., ::-1]))

    def close(self) -> None:
        """Finish the file: without this no player opens it."""
        self._writer.release()
        with self._part.open("ab") as file:
            file.write(movie_mark())
        os.replace(self._part, self._path)


def _even(frame: np.ndarray) -> np.ndarray:
    """The codec wants even sides: repeat the last row and column where needed."""
    return np.pad(frame, ((0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0)), mode="edge")


def write_record(file: TextIO, tracked: Tracked) -> None:
    """One frame as one line of JSON: pixels of the frame, seconds; ``smoothed`` is null without smoothing."""
    smoothed = tracked.smoothed
    record = {
        "frame": tracked.frame, "time": round(tracked.time, 6), "box": np.round(tracked.raw.box, 3).tolist(),
        "landmarks": np.round(tracked.raw.points, 4).tolist(),
        "smoothed": None if smoothed is None else np.round(smoothed.points, 4).tolist(),
        "scores": np.round(tracked.raw.scores.astype(float), 4).tolist(),
    }  # fmt: skip
    file.write(json_text(record))
