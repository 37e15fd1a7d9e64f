"""The video part of ``cunet predict``: ``--video=FILE`` or ``--camera=INDEX``."""

import contextlib
import time
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from cunet_tf.detector import load_detector
from cunet_tf.errors import CUNetError
from cunet_tf.landmarks import draw_objects
from cunet_tf.localizer import Localizer
from cunet_tf.outputs import claim
from cunet_tf.progress import progress, say
from cunet_tf.smoothing import BETA, MIN_CUTOFF, OneEuroFilter
from cunet_tf.tracking import MIN_SCORE, Frame, track, track_all
from cunet_tf.video import FrameReader, OverlayWriter, write_record
from cunet_tf.writing import replacing, writing


def define(values: flags.FlagValues) -> None:
    """Define the command's flags."""
    flags.DEFINE_string("video", None, "Video file, instead of pictures.", flag_values=values)
    flags.DEFINE_integer("camera", None, "Index of a camera, instead of pictures; Ctrl-C ends.", 0, flag_values=values)
    flags.DEFINE_integer("max_frames", None, "Video: stop after this many frames.", 1, flag_values=values)
    flags.DEFINE_bool("smooth", True, "Video: One Euro filter on the landmarks.", flag_values=values)
    flags.DEFINE_float("min_cutoff", MIN_CUTOFF, "Video: cutoff at rest in Hz; lower: less jitter.", flag_values=values)
    flags.DEFINE_float(
        "beta", BETA, "Video: rise of the cutoff in Hz for each object size per second; higher: less lag.",
        flag_values=values,
    )  # fmt: skip


def source_of(values: flags.FlagValues, rest: list[str]) -> Path | int | None:
    """The video file or camera index that the flags name; ``None`` for pictures.

    Raises:
        CUNetError: both at once, pictures beside a video, or results that would replace the video.
    """
    if values.video is None and values.camera is None:
        return None
    if values.video is not None and values.camera is not None:
        raise CUNetError("give --video or --camera, not both.")
    if rest:
        raise CUNetError(f"{rest[0]}: pictures and --video or --camera do not go together: run twice.")
    if values.camera is not None:
        claim(_targets(values.camera, Path(values.out)), "--out")
        return values.camera
    video = Path(values.video)
    if _targets(video, Path(values.out))[1].resolve() == video.resolve():
        raise CUNetError(f"{video}: the overlay would replace this video: choose another --out folder.")
    claim(_targets(video, Path(values.out)), "--out")
    return video


def run(
    values: flags.FlagValues, source: Path | int, localizer: Localizer, box: np.ndarray | None, detector: str | None
) -> dict[str, Any]:
    """Run the command; what it found, as plain JSON values."""
    smoothing = OneEuroFilter(values.min_cutoff, values.beta) if values.smooth else None
    finds = load_detector(detector) if detector else None
    lines, movie = _targets(source, Path(values.out))
    min_score = MIN_SCORE if values.min_confidence is None else values.min_confidence
    with contextlib.closing(FrameReader(source)) as reader:
        total = min([count for count in (reader.total, values.max_frames) if count], default=None)
        frames = islice(reader, values.max_frames)
        results = _Results(lines, movie, reader.fps)
        if finds:
            scenes = track_all(localizer, frames, finds, smoothing, min_score)
        else:
            scenes = track(localizer, frames, box, smoothing, min_score)
        with contextlib.closing(results), progress("frames") as show:
            try:
                for frame in scenes:
                    results.add(frame)
                    show(results.frames, total)
            except KeyboardInterrupt:  # the way to stop a camera; of a file the rest is missing
                if isinstance(source, Path) or not results.frames:
                    raise
        if reader.shortfall:
            say(f"notice: {reader.shortfall}")
    return {"model": values.model, "out": values.out, "video": str(source)} | results.summary()


def _targets(source: Path | int, out: Path) -> tuple[Path, Path]:
    """The JSON Lines file and the overlay video."""
    stem = source.stem if isinstance(source, Path) else f"camera_{source}"
    return out / f"{stem}.jsonl", out / f"{stem}.mp4"


class _Results:
    """Writes both files frame by frame, and counts.

    Args:
        lines: the JSON Lines file.
        movie: the overlay video; it shows smoothed points where there are any.
        fps: frames per second of the overlay video.
    """

    def __init__(self, lines: Path, movie: Path, fps: float):
        self.lines, self.movie, self.fps = lines, movie, fps
        self.frames = self.lost = 0
        self.scores: list[float] = []
        self.ids: set[int] = set()
        self.start = time.monotonic()
        self._stack = contextlib.ExitStack()
        part = self._stack.enter_context(replacing(lines))
        self._file = part.open("w")
        self._writer: OverlayWriter | None = None

    def add(self, frame: Frame) -> None:
        """Write one frame."""
        overlay = draw_objects(frame.image, [each.shown for each in frame.objects])
        if self._writer is None:
            self._writer = OverlayWriter(self.movie, self.fps, overlay)
        self._writer.write(overlay)
        with writing(self.lines):
            write_record(self._file, frame)
        self.frames += 1
        self.lost += all(each.lost for each in frame.objects)
        self.scores += [float(each.raw.scores.mean()) for each in frame.objects]
        self.ids |= {each.id for each in frame.objects}

    def rate(self) -> float:
        """Frames per second so far: reading, network, drawing and writing."""
        return self.frames / max(time.monotonic() - self.start, 1e-9)

    def summary(self) -> dict[str, Any]:
        """Files and figures for the result of the verb."""
        return {
            "jsonl": str(self.lines), "mp4": str(self.movie), "frames": self.frames, "lost": self.lost,
            "objects": len(self.ids), "mean_score": float(np.mean(self.scores)) if self.scores else None,
            "frames_per_second": self.rate(),
        }  # fmt: skip

    def close(self) -> None:
        """Finish both files; what was written until now is kept."""
        with writing(self.lines):
            self._file.close()
        self._stack.close()
        if self._writer:
            self._writer.close()


def describe(result: dict[str, Any]) -> str:
    """The result for the terminal."""
    lost = f", {result['lost']} of them without an object" if result["lost"] else ""
    speed = f"{result['frames_per_second']:.1f} frames/s"
    return f"{result['frames']} frames{lost}, {result['objects']} objects, {speed}: {result['jsonl']}, {result['mp4']}"
