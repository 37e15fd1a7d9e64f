"""How long a training takes, and the learning rate over that time."""

import math
from dataclasses import dataclass

import numpy as np

from cunet_tf.errors import CUNetError

LEAST = 5.0  # seconds of training, also where compiling has used up the time


@dataclass(frozen=True)
class Pace:
    """How a training is timed and fed.

    Attributes:
        minutes: from the start of the program to the written file.
        chunk: steps of one call of the device.
        checks: validations, evenly spread over the time; each writes the file.
        workers: processes that make pictures.
        cache: gigabytes of decoded pictures that these keep, together.

    Raises:
        CUNetError: one of them is out of range.
    """

    minutes: float
    chunk: int = 16
    checks: int = 8
    workers: int = 1
    cache: float = 4.0

    def __post_init__(self) -> None:
        if self.minutes <= 0 or self.cache < 0:
            raise CUNetError(f"--minutes={self.minutes:g} --cache={self.cache:g}: give a time, and no less than 0 GB.")
        for name in ("chunk", "checks", "workers"):
            if getattr(self, name) < 1:
                raise CUNetError(f"--{name}={getattr(self, name)}: give 1 or more.")

    def seconds_left(self, passed: float, reserve: float) -> float:
        """Seconds to train, after ``passed`` ones of preparation and with ``reserve`` ones for the end."""
        return max(60.0 * self.minutes - passed - reserve, LEAST)


@dataclass(frozen=True)
class TimedCosine:
    """A learning rate that falls along a cosine over the time, however many steps that is, after a rise over steps.

    Attributes:
        rate: at the start.
        seconds: after which it is 0.
        warmup: steps of the rise, see :class:`cunet_tf.schedules.WarmUp`.
    """

    rate: float
    seconds: float
    warmup: int = 0

    def progress(self, elapsed: float) -> float:
        """Share of the time that has passed, 1 at most."""
        return min(elapsed / self.seconds, 1.0)

    def rates(self, done: int, count: int, elapsed: float) -> np.ndarray:
        """Learning rates float32 ``[count]`` of the steps from ``done`` on, ``elapsed`` seconds after the start."""
        rise = np.minimum((done + np.arange(count) + 1.0) / max(self.warmup, 1), 1.0)
        cosine = 0.5 * (1.0 + math.cos(math.pi * self.progress(elapsed)))
        return (self.rate * cosine * rise).astype(np.float32)
