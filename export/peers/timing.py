"""Ratios of processor time, taken in turn. Standard library and NumPy only."""

import time
from collections.abc import Callable

import numpy as np

WARM_UP = 2


def time_ratio(ours: Callable[[], object], yardstick: Callable[[], object], rounds: int, calls: int) -> float:
    """How many times as long one function takes as another.

    Args:
        ours, yardstick: the two; in each round both run ``calls`` times.
        rounds: that count; two more in front of them do not.
        calls: see above.

    Returns:
        Median of the rounds' ratios of processor time of the whole process.
    """
    ratios = []
    for _ in range(WARM_UP + rounds):
        times = []
        for function in (ours, yardstick):
            start = time.process_time()
            for _ in range(calls):
                function()
            times.append(time.process_time() - start)
        ratios.append(times[0] / times[1])
    return float(np.median(ratios[WARM_UP:]))
