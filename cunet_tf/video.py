"""Video files and cameras: frames in; an overlay video and lines of JSON out."""

import contextlib
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import cv2
import numpy as np

from cunet_tf.aliases import Picture
from cunet_tf.data.sample import require_size
from cunet_tf.errors import CUNetError
from cunet_tf.outputs import json_text, movie_mark
from cunet_tf.quiet import native_stderr_hidden
from cunet_tf.reading import why_unfit
from cunet_tf.tracking import Frame
from cunet_tf.writing import replacing, writing

FPS = 30.0  # where a source does not tell its own
MOST_BYTES = 1 << 40
_SIDES = cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT
_MISSED = 0.01  # share of its frames that a header may promise too much: some only estimate the number
# FFmpeg tells of each damaged frame while it decodes, past Python; what matters is said once, by `shortfall`.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


class FrameReader:
    """Pairs of a time in seconds (0 at the first frame) and an RGB frame of a video or camera.

    Args:
        source: a video file, or the index of a camera.

    Attributes:
        fps: frames per second that the source claims; 30 where it claims nothing.
        total: frames of the file as its header says, or ``None``.
        shortfall: a sentence where a file that was read to its end had fewer frames than its header says, else empty.

    Raises:
        CUNetError: the source cannot be opened, its frames are above the limit of megapixels, or not even one of them
            can be read.
    """

    def __init__(self, source: Path | str | int):
        source = Path(source) if isinstance(source, str) else source
        if isinstance(source, Path) and not source.exists():
            raise CUNetError(f"{source}: no such video file.")
        fault = why_unfit(source, MOST_BYTES) if isinstance(source, Path) else ""
        if fault:
            raise CUNetError(f"{source}: {fault}")
        self._source, self._live, self.shortfall = source, isinstance(source, int), ""
        with native_stderr_hidden():
            self._capture = cv2.VideoCapture(source if isinstance(source, int) else str(source))
            opened = self._capture.isOpened()
            if opened:
                self._require_size(*(int(self._capture.get(what)) for what in _SIDES))
            self._first: np.ndarray | None = self._read() if opened else None
        if self._first is None:
            self.close()
            raise CUNetError(_cannot_read(source, opened))
        fps, total = self._capture.get(cv2.CAP_PROP_FPS), self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.fps = fps if math.isfinite(fps) and 0.0 < fps <= 1000.0 else FPS
        self.total = int(total) if not self._live and 0 < total < 2**63 else None

    def __iter__(self) -> Iterator[tuple[float, Picture]]:
        """The frames, once."""
        start, seconds, frame, count = self._clock(), 0.0, self._first, 0
        while frame is not None:
            yield seconds, np.ascontiguousarray(frame[..., ::-1])
            frame, count = self._read(), count + 1
            now = self._clock() - start
            # Some files carry no usable times: then each frame takes 1 / fps.
            seconds = now if now > seconds else seconds + 1.0 / self.fps
        if self.total and self.total - count > max(1, _MISSED * self.total):
            self.shortfall = (
                f"{self._source}: {count} of the {self.total} frames that its header promises could be read: it is "
                "cut short or damaged."
            )

    def _require_size(self, width: int, height: int) -> None:
        try:
            require_size(str(self._source), (width, height))
        except CUNetError:
            self.close()
            raise

    def _read(self) -> Picture | None:
        try:
            frame: Any = self._capture.read()[1]  # uint8, or None, which OpenCV's types do not say
        except cv2.error:  # a frame of another form than the header says
            return None
        if frame is not None:  # it may be of another size than the header says
            self._require_size(frame.shape[1], frame.shape[0])
        return frame

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

    def __init__(self, path: Path, fps: float, frame: Picture):
        self._path, self._stack = path, contextlib.ExitStack()
        self._part = self._stack.enter_context(replacing(path))
        height, width = _even(frame).shape[:2]
        with native_stderr_hidden():
            self._writer = cv2.VideoWriter(str(self._part), cv2.VideoWriter.fourcc(*"mp4v"), fps, (width, height))
        if not self._writer.isOpened():
            raise CUNetError(
                f"{path}: cannot write an mp4v video of {width}x{height} pixels at {fps:g} frames/s: "
                "check that the folder is writable, and that opencv-python has FFmpeg."
            )

    def write(self, frame: Picture) -> None:
        """Append RGB ``uint8 [H, W, 3]``."""
        self._writer.write(np.ascontiguousarray(_even(frame)[..., ::-1]))

    def close(self) -> None:
        """Finish the file: without this no player opens it."""
        self._writer.release()
        with writing(self._path), self._part.open("ab") as file:
            file.write(movie_mark())
        self._stack.close()


def _even(frame: Picture) -> Picture:
    """The codec wants even sides: repeat the last row and column where needed."""
    return np.pad(frame, ((0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0)), mode="edge")


def write_record(file: TextIO, frame: Frame) -> None:
    """One frame as one line of JSON: pixels of the frame, seconds; ``smoothed`` is null without smoothing."""
    objects = [
        {"id": each.id, **each.raw.to_dict(),
         "smoothed": None if each.smoothed is None else np.round(each.smoothed.points, 4).tolist()}
        for each in frame.objects
    ]  # fmt: skip
    file.write(json_text({"frame": frame.index, "time": round(frame.time, 6), "objects": objects}))
