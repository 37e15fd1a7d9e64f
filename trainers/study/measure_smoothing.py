"""Jitter and lag of tracked landmarks, before and after the One Euro filter, on drawn clips.

python -m cunet_tf.trainers.study.measure_smoothing --csv=docs/results/smoothing.csv

Takes about a minute. The truth is known in every frame, so the jitter is that of the error alone:
a face that moves does not count as jitter.
"""

import sys
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from cunet_tf.data.drawn_clip import FPS, draw_clip
from cunet_tf.data.geometry import tight_box
from cunet_tf.localizer import Localizer
from cunet_tf.outputs import begins_with, claim
from cunet_tf.rows import write_csv
from cunet_tf.skeletons import FACE68
from cunet_tf.smoothing import OneEuroFilter
from cunet_tf.tracking import track

SPEEDS = {"still": 0.0, "moving": 1.0, "fast": 2.0}
COLUMNS = ("condition", "jitter_px", "jitter_percent_iod", "mean_error_percent", "lag_frames", "fps",
           "min_cutoff", "beta")  # fmt: skip
SHIFTS = np.arange(-2.0, 8.0, 0.05)  # frames, the lags that are tried

Clip = tuple[np.ndarray, np.ndarray]  # found and true points, both [T, C, 2] in pixels


def define(values: flags.FlagValues) -> None:
    """The flags."""
    flags.DEFINE_string("csv", None, "File for the table.", flag_values=values)
    flags.DEFINE_string("model", "face-mobile", "Model file, or a shipped name.", flag_values=values)
    flags.DEFINE_integer("clips", 12, "Clips of each speed, each with another face.", 1, flag_values=values)
    flags.DEFINE_integer("frames", 120, "Frames of a clip.", 30, flag_values=values)
    flags.DEFINE_integer("side", 320, "Side of a frame in pixels.", 64, flag_values=values)
    flags.DEFINE_list("min_cutoff", ["1.0", "2.5", "4.0"], "Cutoffs at rest to try, in Hz.", flag_values=values)
    flags.DEFINE_list("beta", ["0.0", "1.0", "3.0"], "Rises of the cutoff to try.", flag_values=values)


def main(argv: list[str]) -> int:
    """Measure, print and write the table; returns 0."""
    values = flags.FlagValues()
    define(values)
    values(argv)
    if values.csv:
        claim([values.csv], "--csv", begins_with(*COLUMNS))
    localizer = Localizer.load(values.model)
    settings = [(float(cutoff), float(beta)) for cutoff, beta in product(values.min_cutoff, values.beta)]
    rows: list[dict[str, Any]] = []
    for name, speed in SPEEDS.items():
        clips = [found_and_true(localizer, seed, values.frames, values.side, speed) for seed in range(values.clips)]
        rows.append({"condition": f"{name} raw", **figures(clips, moves=speed > 0)})
        for cutoff, beta in settings:
            smoothed = [(smooth(found, cutoff, beta), true) for found, true in clips]
            row = {"condition": f"{name} smoothed", **figures(smoothed, moves=speed > 0)}
            rows.append({**row, "min_cutoff": cutoff, "beta": beta})
        for row in rows[-len(settings) - 1 :]:
            print("  ".join(f"{column}={row[column]}" for column in COLUMNS if column in row), flush=True)
    if values.csv:
        write_csv(Path(values.csv), rows, COLUMNS, digits=None)
    return 0


def found_and_true(localizer: Localizer, seed: int, frames: int, side: int, speed: float) -> Clip:
    """Points tracked through a drawn clip from the true first box on, unsmoothed, and the true ones."""
    pictures, true, fps = draw_clip(seed, frames, side, speed)
    times = np.arange(frames) / fps
    tracked = track(localizer, zip(times, pictures, strict=True), tight_box(true[0]))
    return np.stack([frame.objects[0].raw.points for frame in tracked]), true


def smooth(found: np.ndarray, min_cutoff: float, beta: float) -> np.ndarray:
    """The filter's answers ``[T, C, 2]`` to points ``[T, C, 2]`` at ``FPS``."""
    one_euro = OneEuroFilter(min_cutoff, beta)
    return np.stack([one_euro(points, index / FPS) for index, points in enumerate(found)])


def figures(clips: list[Clip], moves: bool) -> dict[str, float | None]:
    """The measured columns, medians over the clips; without movement there is no lag to measure."""
    each = np.array([_figures_of(*clip) for clip in clips])
    pixels, percent, error, frames = np.median(each, axis=0).tolist()
    return {
        "jitter_px": round(pixels, 3), "jitter_percent_iod": round(percent, 3),
        "mean_error_percent": round(error, 3), "lag_frames": round(frames, 2) if moves else None, "fps": FPS,
    }  # fmt: skip


def _figures_of(found: np.ndarray, true: np.ndarray) -> tuple[float, float, float, float]:
    """Jitter in pixels and in percent of the interocular distance, mean error in percent, lag in frames."""
    error = found - true
    share = 100.0 * error / interocular(true)
    distance = float(np.linalg.norm(share, axis=-1).mean())
    return _rms(second_difference(error)), _rms(second_difference(share)), distance, lag(found, true)


def second_difference(signal: np.ndarray) -> np.ndarray:
    """``s[t+1] - 2 s[t] + s[t-1]`` along the first axis: 0 for steady motion, large for jitter."""
    return signal[2:] - 2.0 * signal[1:-1] + signal[:-2]


def interocular(true: np.ndarray) -> np.ndarray:
    """Distance of the outer eye corners ``[T, 1, 1]`` in pixels."""
    (right,), (left,) = FACE68.normalizers["interocular"]
    return np.linalg.norm(true[:, right] - true[:, left], axis=-1)[:, None, None]


def lag(found: np.ndarray, true: np.ndarray) -> float:
    """Frames by which the true path ``[T, C, 2]``, delayed, fits the found one best.

    Constant offsets of single landmarks are taken out first: they are no lag.
    """
    inner = slice(int(SHIFTS.max()) + 1, -int(-SHIFTS.min()) - 1)

    def misfit(shift: float) -> float:
        difference = (found - delayed(true, shift))[inner]
        return float(np.var(difference, axis=0).sum())

    return float(SHIFTS[np.argmin([misfit(shift) for shift in SHIFTS])])


def delayed(path: np.ndarray, frames: float) -> np.ndarray:
    """A path ``[T, ...]`` that many frames later, linear between frames; ends are extrapolated."""
    index = np.arange(len(path)) - frames
    before = np.clip(np.floor(index).astype(int), 0, len(path) - 2)
    share = (index - before).reshape(-1, *[1] * (path.ndim - 1))
    return (1.0 - share) * path[before] + share * path[before + 1]


def _rms(vectors: np.ndarray) -> float:
    """Root of the mean squared length of vectors ``[..., 2]``."""
    return float(np.sqrt((vectors**2).sum(axis=-1).mean()))


if __name__ == "__main__":
    sys.exit(main(sys.argv))
