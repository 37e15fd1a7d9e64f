"""Processes that make pictures: Python's lock, which threads share, does not hold them up.

They are spawned, import NumPy and OpenCV and no framework, take no interrupt of the terminal's, and end with the
process that started them, however that ends.
"""

import contextlib
import functools
import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

import cv2
import numpy as np

from cunet_tf.data.own_views import load_again, loaded_files
from cunet_tf.data.records import Crop
from cunet_tf.data.sample import Sample, Source, limit_megapixels, megapixel_limit, read_image
from cunet_tf.errors import CUNetError, reason

T = TypeVar("T")

# Of the workers: whatever a user's own function imports, it computes nothing on a device.
ENVIRONMENT = {"KERAS_BACKEND": "numpy", "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}

Batch = tuple[np.ndarray, np.ndarray]  # images [B, H, W, 3], targets float32 [B, C, 3]


class Makes(Protocol):
    """What makes batches: ``Examples`` of :mod:`cunet_tf.data.pipeline`, a module that offers this pool itself."""

    @property
    def source(self) -> Source:
        """Where the samples come from."""

    @property
    def failures(self) -> list[CUNetError]:
        """What went wrong."""

    def make_batch(self, epoch: int, indices: np.ndarray) -> Batch:
        """Examples of some samples in an epoch."""

    def order(self, epoch: int, shuffle: bool) -> np.ndarray:
        """Sample indices of an epoch."""

    def steps(self, batch_size: int, training: bool = True) -> int:
        """Batches in one epoch."""


class WorkerPool:
    """Processes that make batches of given examples; use it in a ``with`` block, at whose end they are gone.

    Args:
        count: of processes.
        made: the examples that may be asked for; every process gets a copy.
        cache: bytes of decoded picture files that the processes keep, together.

    Raises:
        CUNetError: the examples cannot be sent to other processes, or these do not start.
    """

    def __init__(self, count: int, made: Sequence[Makes], cache: int = 0):
        self.count, self._made = count, list(made)
        start = (_travelling(self._made), cache // count, megapixel_limit())
        self._pool = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), _start, start)
        try:
            with _environment(ENVIRONMENT), _interrupts_held():  # a process is started for each call while none is idle
                first = [self._pool.submit(os.getpid) for _ in range(count)]
            for each in first:
                self.result(each)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "WorkerPool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes; batches that nobody has begun are not made."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def submit(self, examples: Makes, epoch: int, indices: np.ndarray, as_bytes: bool = False) -> "Future[Batch]":
        """Have a batch made, see :meth:`result`.

        Args:
            examples: one of those that the pool was made for.
            epoch, indices: of the batch.
            as_bytes: colours as ``uint8`` 0..255, a quarter of the bytes, rounded; else ``float32`` 0..1.
        """
        which = next(place for place, each in enumerate(self._made) if each is examples)
        return self._pool.submit(_make, which, epoch, indices, as_bytes)

    def result(self, future: "Future[T]") -> T:
        """What a process has made: images ``[B, H, W, 3]``, targets ``[B, C, 3]``.

        Raises:
            CUNetError: a picture cannot be read, or a process has died.
        """
        try:
            return future.result()
        except BrokenProcessPool:
            raise CUNetError(
                "a process that makes pictures has died: lower --workers (or --cache) if memory ended."
            ) from None


def workers_for(count: int, made: Sequence[Makes]) -> contextlib.AbstractContextManager[WorkerPool | None]:
    """A pool of ``count`` processes, or ``None`` in its place for 0."""
    return WorkerPool(count, made) if count else contextlib.nullcontext()


def _travelling(made: list[Makes]) -> bytes:
    """Examples, behind the files of users' own functions in them, which must be loaded first."""
    try:
        return pickle.dumps((loaded_files(), pickle.dumps(made)))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise CUNetError(
            f"--workers: these pictures or views cannot be handed to other processes ({reason(error)}): write their "
            "functions at the top level of a file, or leave out --workers."
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


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Processes started in the block never get Ctrl-C; this one gets it behind the block."""
    if not hasattr(signal, "pthread_sigmask"):  # not on Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# In a worker ---------------------------------------------------------------------------------

_examples: list[Any]


def _start(sent: bytes, cache: int, megapixels: float) -> None:
    """Make ready: one thread each, no interrupt of the terminal's, and an end with the process that asks."""
    global _examples
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    limit_megapixels(megapixels)
    files, made = pickle.loads(sent)
    load_again(files)
    _examples = pickle.loads(made)
    if cache:
        _examples = [replace(each, source=cached(each.source, cache)) for each in _examples]


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


def _make(which: int, epoch: int, indices: np.ndarray, as_bytes: bool) -> Batch:
    try:
        images, targets = _examples[which].make_batch(epoch, indices)
    except CUNetError as error:
        raise CUNetError(str(error)) from None  # its own kind may not travel between processes
    return (np.rint(255.0 * images).astype(np.uint8) if as_bytes else images), targets


def cached(source: Source, most: int) -> Source:
    """The same source, whose picture files and records are kept once they are decoded, up to ``most`` bytes."""
    kept: dict[Path | Crop, np.ndarray] = {}
    room = [most]

    def load(picture: Path | Crop) -> np.ndarray:
        if picture in kept:
            return kept[picture]
        image = read_image(picture) if isinstance(picture, Path) else picture()
        if image.nbytes <= room[0]:
            kept[picture] = image
            room[0] -= image.nbytes
        return image

    def sample(each: Sample) -> Sample:
        if not isinstance(each.picture, Path | Crop):
            return each
        return replace(each, picture=functools.partial(load, each.picture))

    return replace(source, samples=[sample(each) for each in source])
