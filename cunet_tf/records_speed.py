"""Records beside the pictures that they were cut from: the same examples, and how fast they are made."""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np

from cunet_tf.data.pipeline import Examples
from cunet_tf.data.worker_pool import WorkerPool, workers_for
from cunet_tf.errors import CUNetError

ONE, HERE = ", one thread", ", here"  # ends of names
AHEAD = 10  # batches, more than are made before they are asked for


@dataclass(frozen=True)
class Difference:
    """Examples of records less those of pictures, over the same views.

    Attributes:
        points_mean, points_largest: of landmarks that count in both, in heat-map pixels.
        masks: landmarks that count in one only.
        levels_mean, levels_largest: of colours, 0 to 255.
    """

    points_mean: float
    points_largest: float
    masks: int
    levels_mean: float
    levels_largest: float


def difference(pictures: Examples, records: Examples) -> Difference:
    """Compare the first epoch's views of all samples.

    Raises:
        CUNetError: the records are not those of these pictures.
    """
    names = [[sample.name for sample in each.source] for each in (pictures, records)]
    if names[0] != names[1]:
        raise CUNetError(f"{records.source.split} does not hold the samples of {pictures.source.split}: name the same "
                         "--split and folder that were packed.")  # fmt: skip
    points, levels, masks = [], [], 0
    for index in range(len(pictures.source)):
        (image, target), (other, moved) = pictures.make(0, index), records.make(0, index)
        both = (target[:, 2] > 0) & (moved[:, 2] > 0)
        masks += int((target[:, 2] != moved[:, 2]).sum())
        points.append(np.linalg.norm(target[both, :2] - moved[both, :2], axis=1))
        levels.append((255.0 * float(np.abs(image - other).mean()), 255.0 * float(np.abs(image - other).max())))
    apart = np.concatenate(points)
    means, largest = np.array(levels).T
    return Difference(
        float(apart.mean()), float(apart.max(initial=0.0)), masks, float(means.mean()), float(largest.max())
    )


def speeds(
    sources: dict[str, Examples], workers: Sequence[int], batch_size: int, seconds: float, rounds: int
) -> dict[str, list[float]]:
    """Times of each source in turn, round after round; first of one thread, then as training under JAX is fed.

    Args:
        sources: by what they are called.
        workers: numbers of processes, 0 for threads of this one.
        batch_size: pictures of a batch.
        seconds: of each measurement.
        rounds: of all of them.

    Returns:
        For ``NAME, one thread`` milliseconds of processor time a picture, for ``NAME, 2 processes`` pictures a second,
        and for ``NAME, 2 processes, here`` the milliseconds a picture that this process computes, which are not there
        for training; a value for each round.
    """
    found: dict[str, list[float]] = defaultdict(list)
    with ExitStack() as stack:
        pools = [stack.enter_context(workers_for(count, list(sources.values()))) for count in workers]
        feeds = [
            (f"{name}, {_called(count)}", _endless(each, batch_size, pool))
            for count, pool in zip(workers, pools, strict=True) for name, each in sources.items()
        ]  # fmt: skip
        for number in range(rounds):
            for name, each in sources.items():
                found[f"{name}{ONE}"].append(_processor_ms(each, number, seconds))
            for name, batches in feeds:
                rate, own = _pictures_per_second(batches, batch_size, seconds)
                found[name].append(rate)
                found[f"{name}{HERE}"].append(own)
    return dict(found)


def _called(count: int) -> str:
    return {0: "2 threads", 1: "1 process"}.get(count, f"{count} processes")


def _processor_ms(examples: Examples, epoch: int, seconds: float) -> float:
    begin, start, count = time.perf_counter(), time.thread_time(), 0
    while time.perf_counter() - begin < seconds:
        examples.make(epoch, count % len(examples.source))
        count += 1
    return 1000.0 * (time.thread_time() - start) / count


def _pictures_per_second(batches: Iterator[Any], batch_size: int, seconds: float) -> tuple[float, float]:
    for _ in range(AHEAD + 2):  # those that were made while others were measured
        next(batches)
    begin, start, count = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - begin < seconds:
        next(batches)
        count += batch_size
    return count / (time.perf_counter() - begin), 1000.0 * (time.process_time() - start) / count


def _endless(examples: Examples, batch_size: int, pool: WorkerPool | None) -> Iterator[Any]:
    """Training batches, epoch after epoch, as ``fit`` takes them."""
    data = examples.batches(batch_size, training=True, pool=pool)
    while True:
        for item in range(data.num_batches):
            yield data[item]
        data.on_epoch_end()
