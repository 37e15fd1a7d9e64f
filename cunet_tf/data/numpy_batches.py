"""Batches of examples without TensorFlow, for Keras' other backends."""

from concurrent.futures import Future, ThreadPoolExecutor

import keras
import numpy as np

from cunet_tf.data.worker_pool import Batch, Makes, WorkerPool
from cunet_tf.errors import CUNetError

THREADS = 2


class NumpyBatches(keras.utils.PyDataset):
    """Batches of :class:`~cunet_tf.data.pipeline.Examples` made by NumPy and OpenCV alone.

    Two threads of this process make them ahead of their use, or the processes of a pool. Either way a batch depends on
    its number, the epoch and the seed alone. (Keras' own threads would not do: ``fit`` looks at a batch and begins
    anew, and what they have made by then comes first in the epoch that follows.)

    Args:
        examples: what is trained or validated on.
        batch_size, training, heads, epoch, multiple, pool: see :meth:`cunet_tf.data.pipeline.Examples.batches`.
    """

    def __init__(
        self, examples: Makes, batch_size: int, training: bool, heads: int, epoch: int, multiple: int = 1,
        pool: WorkerPool | None = None,
    ):  # fmt: skip
        super().__init__(workers=1, use_multiprocessing=False)
        self.multiple, self.pool = multiple, pool
        self.examples, self.batch_size, self.training, self.heads = examples, batch_size, training, heads
        self.epoch = epoch
        self._order = examples.order(epoch, training)
        self._threads: ThreadPoolExecutor | None = None
        self._ahead: dict[int, Future[Batch]] = {}
        self._finished = False  # the last batch of the epoch was asked for

    @property
    def num_batches(self) -> int:
        """Batches of an epoch."""
        return self.examples.steps(self.batch_size, self.training)

    def __getitem__(self, item: int) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
        last = self.num_batches - 1
        for each in range(item, min(item + self._most, last) + 1):
            if each not in self._ahead:
                self._ahead[each] = self._begin(each)
        images, targets = self._made(self._ahead.pop(item))
        self._finished = self._finished or item == last
        rest = -len(images) % self.multiple
        if rest:
            images = np.concatenate([images, np.repeat(images[:1], rest, axis=0)])
            targets = np.concatenate([targets, np.zeros((rest, *targets.shape[1:]), targets.dtype)])
        return images, (targets,) * self.heads

    @property
    def _most(self) -> int:
        """Batches that are made before they are asked for."""
        return 2 * (self.pool.count if self.pool else THREADS)

    def _begin(self, item: int) -> "Future[Batch]":
        chosen = self._order[item * self.batch_size : (item + 1) * self.batch_size]
        if self.pool is not None:
            return self.pool.submit(self.examples, self.epoch, chosen)
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS)
        return self._threads.submit(self.examples.make_batch, self.epoch, chosen)

    def _made(self, future: "Future[Batch]") -> Batch:
        if self.pool is None:
            return future.result()
        try:
            return self.pool.result(future)
        except CUNetError as error:
            self.examples.failures.append(error)  # as the examples do where they are made here
            raise

    def on_epoch_end(self) -> None:
        """Next epoch: another order and other views (validation stays as it is).

        Keras calls this before training, too: an epoch that nobody has seen to its end begins anew.
        """
        if self.training and self._finished:
            for each in self._ahead.values():
                each.cancel()
            self._ahead.clear()
            self.epoch += 1
            self._order = self.examples.order(self.epoch, True)
        self._finished = False
