"""One Localizer, called thousands of times: from eight threads at once, and for long."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from cunet_tf.data.sample import Source
from cunet_tf.localizer import Localizer
from cunet_tf.rows import Row
from cunet_tf.trainers.study.reliability.processes import resident_mib

BATCH = 16  # pictures that are kept in memory and looked at in turn


def threads(model: str, source: Source, calls: int, workers: int) -> list[Row]:
    """Calls from several threads, in each other's way, against the same calls one after the other."""
    localizer = Localizer.load(model)
    pictures = [(sample.load(), sample.box) for sample in source.samples[:BATCH]]
    alone = [_bytes(localizer, *picture) for picture in pictures]
    with ThreadPoolExecutor(workers) as pool:
        found = pool.map(lambda index: _bytes(localizer, *pictures[index % len(pictures)]), range(calls))
        different = sum(each != alone[index % len(pictures)] for index, each in enumerate(found))
    return [{"figure": "calls", "value": calls}, {"figure": "threads", "value": workers},
            {"figure": "results that differ in a bit", "value": different}]  # fmt: skip


def flat(model: str, source: Source, calls: int) -> list[Row]:
    """Memory of the process after a tenth of the calls, and after all of them."""
    localizer = Localizer.load(model)
    pictures = [(sample.load(), sample.box) for sample in source.samples[:BATCH]]
    at = {}
    for index in range(calls):
        _bytes(localizer, *pictures[index % len(pictures)])
        if index + 1 in (calls // 10, calls):
            at[index + 1] = resident_mib()
    return [{"figure": f"resident MiB after {count:,} calls", "value": round(value, 1)} for count, value in at.items()]


def _bytes(localizer: Localizer, picture: np.ndarray, box: np.ndarray) -> bytes:
    found = localizer.locate(picture, box)
    return found.points.tobytes() + found.scores.tobytes()
