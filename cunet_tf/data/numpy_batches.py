"""Batches of examples without TensorFlow, for Keras' other backends."""

import keras
import numpy as np

from cunet_tf.data.worker_pool import Makes, WorkerPool
from cunet_tf.errors import CUNetError


class NumpyBatches(keras.utils.PyDataset):
    """Batches of :class:`~cunet_tf.data.pipeline.Examples` made by NumPy and OpenCV alone.

    Two threads of this process make them, or the processes of a pool; Keras' threads then only wait for these. Either
    way a batch depends on its number, the epoch and the seed alone.

    Args:
        examples: what is trained or validated on.
        batch_size, training, heads, epoch, multiple, pool: see :meth:`cunet_tf.data.pipeline.Examples.batches`.
    """

    def __init__(
        self, examples: Makes, batch_size: int, training: bool, heads: int, epoch: int, multiple: int = 1,
        pool: WorkerPool | None = None,
    ):  # fmt: skip
        super().__init__(workers=pool.count + 1 if pool else 2, use_multiprocessing=False)
        self.multiple, self.pool = multiple, pool
        self.examples, self.batch_size, self.training, self.heads = examples, batch_size, training, heads
        self.epoch = epoch
        self._order = examples.order(epoch, training)

    @property
    def num_batches(self) -> int:
        return self.examples.steps(self.batch_size, self.training)

    def __getitem__(self, item: int) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
        chosen = self._order[item * self.batch_size : (item + 1) * self.batch_size]
        images, targets = self._made(chosen)
        rest = -len(images) % self.multiple
        if rest:
            images = np.concatenate([images, np.repeat(images[:1], rest, axis=0)])
            targets = np.concatenate([targets, np.zeros((rest, *targets.shape[1:]), targets.dtype)])
        return images, (targets,) * self.heads

    def _made(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self.pool is None:
            return self.examples.make_batch(self.epoch, chosen)
        try:
            return self.pool.result(self.pool.submit(self.examples, self.epoch, chosen))
        except CUNetError as error:
            self.examples.failures.append(error)  # as the examples do where they are made here
            raise

    def on_epoch_end(self) -> None:
        """Next epoch: another order and other views (validation stays as it is)."""
        if self.training:
            self.epoch += 1
            self._order = self.examples.order(self.epoch, True)
