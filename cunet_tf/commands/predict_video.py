"""The video part of ``cunet predict``: ``--video=FILE`` or ``--camera=INDEX``."""

import contextlib
import time
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from cunet_tf.draw import draw_landmarks
from cunet_tf.errors import CUNetError
from cunet_tf.localizer import Localizer
from cunet_tf.outputs import claim
from cunet_tf.progress import progress
from cunet_tf.skeletons import Skeleton
from cunet_tf.smoothing import BETA, MIN_CUTOFF, OneEuroFilter
from cunet_tf.video import MIN_SCORE, FrameReader, OverlayWriter, Tracked, track, write_record


def define(values: flags.FlagValues) -> None:
    flags.DEFINE_string("video", None, "Video file, instead of pictures.", flag_values=values)
    flags.DEFINE_integer("camera", None, "Index of a camera, instead of pictures; Ctrl-C ends.", 0, flag_values=values)
    flags.DEFINE_integer("max_frames", None, "Video: stop after this many frames.", 1, flag_values=values)
    flags.DEFINE_bool("smooth", True, "Video: One Euro filter on the landmarks.", flag_values=values)
    flags.DEFINE_float("min_cutoff", MIN_CUTOFF, "Video: cutoff at rest in Hz; lower: less jitter.", flag_values=values)
    flags.DEFINE_float(
        "beta", BETA, "Video: rise of the cutoff in Hz for each object size per second; higher: less lag.",
        flag_values=values,
    )  # fmt: skip
    flags.DEFINE_float(
        "min_score", MIN_SCORE, "Video: frames below this mean score are lost; several in a row restart the search.",
        0.0, 1.0, flag_values=values,
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


def run(values: flags.FlagValues, source: Path | int, localizer: Localizer, box: np.ndarray | None) -> dict[str, Any]:
    smoothing = OneEuroFilter(values.min_cutoff, values.beta) if values.smooth else None
    lines, movie = _targets(source, Path(values.out))
    with contextlib.closing(FrameReader(source)) as reader:
        total = min([count for count in (reader.total, values.max_frames) if count], default=None)
        frames = islice(reader, values.max_frames)
        results = _Results(lines, movie, reader.fps, localizer.spec.skeleton)
        with contextlib.closing(results), progress("frames") as show:
            try:
                for tracked in track(localizer, frames, box, smoothing, values.min_score):
                    results.add(tracked)
                    show(len(results.scores), total)
            except KeyboardInterrupt:  # the way to stop a camera; of a file the rest is missing
                if isinstance(source, Path) or not results.scores:
                    raise
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
        skeleton: of the landmarks.
    """

    def __init__(self, lines: Path, movie: Path, fps: float, skeleton: Skeleton):
        self.lines, self.movie, self.fps, self.skeleton = lines, movie, fps, skeleton
        self.scores: list[float] = []
        self.lost = 0
        self.start = time.monotonic()
        try:
            lines.parent.mkdir(parents=True, exist_ok=True)
            self._file = lines.open("w")
        except OSError as error:
            raise CUNetError(f"{lines}: cannot be written ({error.strerror}): choose another --out.") from None
        self._writer: OverlayWriter | None = None

    def add(self, tracked: Tracked) -> None:
        """Write one frame."""
        points = (tracked.smoothed or tracked.raw).points
        overlay = draw_landmarks(tracked.image, points, self.skeleton, box=tracked.raw.box)
        if self._writer is None:
            self._writer = OverlayWriter(self.movie, self.fps, overlay)
        self._writer.write(overlay)
        write_record(self._file, tracked)
        self.scores.append(float(tracked.raw.scores.mean()))
        self.lost += tracked.lost

    def rate(self) -> float:
        """Frames per second so far: reading, network, drawing and writing."""
        return len(self.scores) / max(time.monotonic() - self.start, 1e-9)

    def summary(self) -> dict[str, Any]:
        """Files and figures for the result of the verb."""
        return {
            "jsonl": str(self.lines), "mp4": str(self.movie), "frames": len(self.scores), "lost": self.lost,
            "mean_score": float(np.mean(self.scores)), "frames_per_second": self.rate(),
        }  # fmt: skip

    def close(self) -> None:
        """Finish both files."""
        self._file.close()
        if self._writer:
            self._writer.close()


def describe(result: dict[str, Any]) -> str:
    lost = f", {result['lost']} of them lost" if result["lost"] else ""
    speed = f"{result['frames_per_second']:.1f} frames/s"
    return f"{result['frames']} frames{lost}, {speed}: {result['jsonl']}, {result['mp4']}"
