"""The One Euro filter on landmarks: Casiez, Roussel and Vogel, CHI 2012.

A low-pass filter whose cutoff rises with speed: what rests is smoothed strongly and does not
jitter, what moves is smoothed little and does not lag. Nothing here needs more than sums,
products, one exponential and one square root.
"""

import math

import numpy as np

from cunet_tf.aliases import Points
from cunet_tf.errors import CUNetError

MIN_CUTOFF = 2.5  # Hz; this and the next chosen by docs/video.md
BETA = 1.0  # Hz for each object size per second
DERIVATIVE_CUTOFF = 1.0  # Hz, the paper's


class OneEuroFilter:
    """Smooths the landmarks of one object, frame after frame.

    The speed of a landmark is measured in sizes of the object per second (the size is the longer
    side of the box around its points), so the parameters are the same for small and large pictures.
    One cutoff holds for both coordinates of a landmark.

    Args:
        min_cutoff: cutoff at rest in Hz; lower removes more jitter.
        beta: rise of the cutoff in Hz for each object size per second; higher removes more lag.
        derivative_cutoff: cutoff in Hz of the low-pass on the speed.

    Raises:
        CUNetError: a cutoff that is not above 0, or a negative ``beta``.

    Example:
        >>> smooth = OneEuroFilter(min_cutoff=1.0, beta=0.0)
        >>> face = np.array([[0.0, 0.0], [100.0, 100.0]])
        >>> smooth(face, time=0.0).tolist(), smooth(face + 10.0, time=1.0 / 30.0).round(2).tolist()
        ([[0.0, 0.0], [100.0, 100.0]], [[1.89, 1.89], [101.89, 101.89]])
    """

    def __init__(
        self, min_cutoff: float = MIN_CUTOFF, beta: float = BETA, derivative_cutoff: float = DERIVATIVE_CUTOFF
    ):
        for name, value in (("min_cutoff", min_cutoff), ("derivative_cutoff", derivative_cutoff)):
            if not (value > 0.0 and math.isfinite(value)):
                raise CUNetError(f"{name}={value}: give a frequency above 0 Hz.")
        if not (beta >= 0.0 and math.isfinite(beta)):
            raise CUNetError(f"beta={beta}: give 0 or more.")
        self.min_cutoff, self.beta, self.derivative_cutoff = min_cutoff, beta, derivative_cutoff
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next frame is a first frame."""
        self._time: float | None = None
        self._points: Points = np.zeros((0, 2))  # [C, 2], the last answer
        self._velocity: Points = np.zeros((0, 2))  # [C, 2], smoothed, pixels per second

    def __call__(self, points: Points, time: float) -> Points:
        """Smoothed points of the next frame.

        Args:
            points: ``[C, 2]`` in pixels.
            time: of the frame, in seconds from any origin; steps may be irregular.

        Returns:
            float64 ``[C, 2]`` in pixels. The first frame comes back unchanged; a frame with
            the time of the one before gets that one's answer and leaves no trace.

        Raises:
            CUNetError: time runs backwards, or another number of points, without :meth:`reset`.
        """
        points = np.asarray(points, np.float64)
        if self._time is None:
            self._points, self._velocity = points.copy(), np.zeros_like(points)
        elif points.shape != self._points.shape:
            raise CUNetError(f"points of shape {points.shape} after {self._points.shape}: reset the filter first.")
        elif time < self._time:
            raise CUNetError(f"time stamp {time:g} s after {self._time:g} s: reset the filter before going back.")
        elif time > self._time:
            self._advance(points, time - self._time)
        self._time = time
        return self._points.copy()

    def _advance(self, points: Points, step: float) -> None:
        """Algorithm 1 of the paper: low-pass the speed, then the points with the cutoff it sets."""
        velocity = (points - self._points) / step
        self._velocity = low_pass(self._velocity, velocity, self.derivative_cutoff, step)
        speed = np.sqrt(np.sum(self._velocity**2, axis=1, keepdims=True)) / object_size(points)
        self._points = low_pass(self._points, points, self.min_cutoff + self.beta * speed, step)


def low_pass(before: np.ndarray, now: np.ndarray, cutoff: float | np.ndarray, step: float) -> np.ndarray:
    """One step of a first-order low-pass: ``before`` decays toward ``now``.

    The step response is ``1 - exp(-2 pi cutoff t)`` at any sampling. The paper's weight
    ``1 / (1 + 1 / (2 pi cutoff step))`` is its approximation for short steps.

    Args:
        before: the last answer.
        now: the new measurement, of the same shape.
        cutoff: in Hz, a number or an array that broadcasts.
        step: in seconds since the last answer.
    """
    kept = np.exp(-2.0 * np.pi * cutoff * step)
    return now + kept * (before - now)


def object_size(points: Points) -> float:
    """Longer side in pixels of the box around ``[C, 2]``, at least 1."""
    return max(1.0, float(np.max(points.max(axis=0) - points.min(axis=0))))
