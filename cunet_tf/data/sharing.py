"""Which pictures of a batch go to which device, when several train on parts of it."""

from dataclasses import dataclass

import numpy as np

from cunet_tf.errors import CUNetError


@dataclass(frozen=True)
class Share:
    """The replicas that one process feeds, of all that train together.

    Joined in the order of the replicas, their parts of a training batch are the batch that one device would see, and
    with several passes so are the parts of each pass (:class:`cunet_tf.models.refined_model.RefinedModel` trains one
    on the first half of a batch, the other on the second).

    Attributes:
        replicas: of all processes.
        first, local: the first replica of this process, and how many it has.
        passes: of the network, each trained on its own part of a batch.
    """

    replicas: int = 1
    first: int = 0
    local: int = 1
    passes: int = 1

    def size(self, batch_size: int) -> int:
        """Pictures of a training batch that one replica gets.

        Raises:
            CUNetError: they would not be as many for all.
        """
        parts = self.replicas * self.passes
        if batch_size % parts:
            halves = f", of {self.passes} passes each" if self.passes > 1 else ""
            raise CUNetError(
                f"--batch_size={batch_size} cannot be shared among {self.replicas} devices{halves}: "
                f"use a multiple of {parts}, such as {-(-batch_size // parts) * parts}."
            )
        return batch_size // self.replicas

    def training(self, order: np.ndarray, batch_size: int) -> np.ndarray:
        """The samples of this process in the order of its batches: ``[steps * local * size]``.

        ``order`` holds the samples of an epoch in the order of one device, a whole number of batches.
        """
        each = self.size(batch_size) // self.passes
        parts = np.reshape(order, (-1, self.passes, self.replicas, each))[:, :, self.first : self.first + self.local]
        return parts.transpose(0, 2, 1, 3).reshape(-1)

    def validation(self, count: int, batch_size: int) -> list[np.ndarray]:
        """Every sample once, as batches of replicas in turn; no replica is ever without a picture.

        For that a batch may have one picture more than its share of ``batch_size``.

        Raises:
            CUNetError: there are fewer samples than replicas.
        """
        if count < self.replicas:
            raise CUNetError(f"{count} pictures to validate on cannot be shared among {self.replicas} devices.")
        rows = np.array_split(np.arange(count), self.replicas)
        steps = min(-(-len(rows[0]) // -(-batch_size // self.replicas)), len(rows[-1]))
        own = [np.array_split(row, steps) for row in rows[self.first : self.first + self.local]]
        return [row[step] for step in range(steps) for row in own]
