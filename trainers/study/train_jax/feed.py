"""Training batches, made ahead of the device by processes of their own."""

import collections
import contextlib
import functools
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from cunet_tf.data.pipeline import Examples
from cunet_tf.data.sample import Sample, Source, limit_megapixels, megapixel_limit, read_image
from cunet_tf.errors import CUNetError
from cunet_tf.trainers.study.train_jax.pace import Pace

AHEAD = 3  # chunks that are made before they are asked for
# Of the workers: they compute nothing on a device.
ENVIRONMENT = {"KERAS_BACKEND": "numpy", "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}

Batch = tuple[np.ndarray, np.ndarray]  # images uint8 [B, H, W, 3], targets float32 [B, C, 3]


class Feed:
    """The batches of ``cunet train``, in its order, a chunk at a time; use it in a ``with`` block.

    Pictures travel as 8-bit values, which is a quarter of the bytes; colours are rounded to them.

    Args:
        examples: of the training; every worker gets a copy.
        batch_size: pictures of a step.
        pace: chunk, workers and cache.

    Attributes:
        steps: of an epoch.
        waited: seconds that :meth:`chunk` has waited for the workers.
    """

    def __init__(self, examples: Examples, batch_size: int, pace: Pace):
        self.steps = examples.steps(batch_size)
        self.waited = 0.0
        self._examples, self._size, self._chunk = examples, batch_size, pace.chunk
        self._ahead: collections.deque[Future[Batch]] = collections.deque()
        self._sent = 0
        self._most = max(AHEAD * pace.chunk, 8 * pace.workers)
        cache = int(1e9 * pace.cache / pace.workers)
        self._pool = ProcessPoolExecutor(
            pace.workers, multiprocessing.get_context("spawn"), _start, (examples, cache, megapixel_limit())
        )
        with _environment(ENVIRONMENT):  # a process is started for each call while none is idle
            for each in [self._pool.submit(os.getpid) for _ in range(pace.workers)]:
                _result(each)
        self._fill()

    def __enter__(self) -> "Feed":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def chunk(self) -> Batch:
        """The next batches: images ``[T, B, H, W, 3]``, targets ``[T, B, C, 3]``.

        Raises:
            CUNetError: a picture cannot be read, or a worker has died.
        """
        start = time.monotonic()
        images, targets = zip(*(_result(self._ahead.popleft()) for _ in range(self._chunk)), strict=True)
        self.waited += time.monotonic() - start
        self._fill()
        return np.stack(images), np.stack(targets)

    def _fill(self) -> None:
        while len(self._ahead) < self._most:
            epoch, place = divmod(self._sent, self.steps)
            if place == 0:
                self._order = self._examples.order(epoch, shuffle=True)
            indices = self._order[place * self._size : (place + 1) * self._size]
            self._ahead.append(self._pool.submit(_make, epoch, indices))
            self._sent += 1


def _result(future: Future[Any]) -> Any:
    try:
        return future.result()
    except BrokenProcessPool:
        raise CUNetError(
            "a process that makes pictures has died: lower --cache or --workers if memory ended."
        ) from None


@contextlib.contextmanager
def _environment(changes: dict[str, str]) -> Iterator[None]:
    kept = {key: os.environ.get(key) for key in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for key, value in kept.items():
            os.environ.pop(key, None)
            if value is not None:
                os.environ[key] = value


# In a worker ---------------------------------------------------------------------------------

_examples: Examples


def _start(examples: Examples, cache: int, megapixels: float) -> None:
    """Make ready: one thread each, no interrupt of the terminal's, and an end with the process that asks."""
    global _examples
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    limit_megapixels(megapixels)
    _examples = replace(examples, source=cached(examples.source, cache))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


def _make(epoch: int, indices: np.ndarray) -> Batch:
    try:
        images, targets = zip(*(_examples.make(epoch, int(index)) for index in indices), strict=True)
    except CUNetError as error:
        raise CUNetError(str(error)) from None  # its own kind may not travel between processes
    return np.rint(255.0 * np.stack(images)).astype(np.uint8), np.stack(targets)


def cached(source: Source, most: int) -> Source:
    """The same source, whose picture files are kept once they are decoded, up to ``most`` bytes."""
    kept: dict[Path, np.ndarray] = {}
    room = [most]

    def load(file: Path) -> np.ndarray:
        if file in kept:
            return kept[file]
        image = read_image(file)
        if image.nbytes <= room[0]:
            kept[file] = image
            room[0] -= image.nbytes
        return image

    def sample(each: Sample) -> Sample:
        return replace(each, picture=functools.partial(load, each.picture)) if isinstance(each.picture, Path) else each

    return replace(source, samples=[sample(each) for each in source])
