"""Training batches, made ahead of the device by processes of their own."""

import collections
import time
from concurrent.futures import Future

import numpy as np

from cunet_tf.data.pipeline import Examples
from cunet_tf.data.worker_pool import Batch, WorkerPool
from cunet_tf.trainers.study.train_jax.pace import Pace

AHEAD = 3  # chunks that are made before they are asked for


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
        self._pool = WorkerPool(pace.workers, [examples], int(1e9 * pace.cache))
        self._fill()

    def __enter__(self) -> "Feed":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()

    def chunk(self) -> Batch:
        """The next batches: images ``[T, B, H, W, 3]``, targets ``[T, B, C, 3]``.

        Raises:
            CUNetError: a picture cannot be read, or a worker has died.
        """
        start = time.monotonic()
        images, targets = zip(*(self._pool.result(self._ahead.popleft()) for _ in range(self._chunk)), strict=True)
        self.waited += time.monotonic() - start
        self._fill()
        return np.stack(images), np.stack(targets)

    def _fill(self) -> None:
        while len(self._ahead) < self._most:
            epoch, place = divmod(self._sent, self.steps)
            if place == 0:
                self._order = self._examples.order(epoch, shuffle=True)
            indices = self._order[place * self._size : (place + 1) * self._size]
            self._ahead.append(self._pool.submit(self._examples, epoch, indices, as_bytes=True))
            self._sent += 1
