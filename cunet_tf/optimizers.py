"""RMSprop of trainings that clip gradients, or average their weights."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import keras
from keras import ops

from cunet_tf import replicas
from cunet_tf.aliases import Tensor
from cunet_tf.compat.hooks import HookedRMSprop


@keras.saving.register_keras_serializable("cunet_tf")
class ClippingRMSprop(HookedRMSprop):
    """RMSprop that clips the gradient of the whole batch, where several devices have a part of it each.

    Keras clips each part by itself before they are added up. Arguments as Keras' optimizer.
    """

    def apply(self, grads: Sequence[Tensor], trainable_variables: Sequence[Tensor] | None = None) -> None:
        """As Keras does, with gradients that are clipped already."""
        shares = replicas.count()
        if self.global_clipnorm and shares > 1:
            whole = replicas.summed([ops.convert_to_tensor(each) for each in grads])
            norm = ops.sqrt(sum(ops.sum(ops.square(ops.cast(each, "float32"))) for each in whole))
            factor = ops.minimum(1.0, self.global_clipnorm / ops.maximum(norm, keras.config.epsilon())) / shares
            grads = [each * ops.cast(factor, each.dtype) for each in whole]  # which Keras adds up again
        super().apply(grads, trainable_variables)


@keras.saving.register_keras_serializable("cunet_tf")
class AveragingRMSprop(ClippingRMSprop):
    """RMSprop whose moving average of the weights forgets where they began.

    Keras' own average starts at the fresh weights and keeps ``ema_momentum ** t`` of them after t updates: 37 % after
    1,000 with 0.999. Here the decay rises, ``min(ema_momentum, (1 + t) / (10 + t))``, so that the average spans the
    last tenth of a short training, and with 0.999 has Keras' decay from update 8,990 on. The rule depends on the
    counter of updates alone: a resumed training goes on exactly.

    Arguments as Keras' optimizer; ``use_ema=True`` keeps the average.
    """

    ema_momentum: float | Tensor  # the largest decay; of a traced update its own

    def decay(self, update: Tensor) -> Tensor:
        """The decay of the average at an update, 0-based."""
        count = ops.cast(update, "float32")
        return ops.minimum(self.ema_momentum, (1.0 + count) / (10.0 + count))

    @contextmanager
    def averaging(self) -> Iterator[None]:
        """Put the decay of the update in the place of the largest one."""
        largest = self.ema_momentum
        self.ema_momentum = self.decay(self.iterations)
        try:
            yield
        finally:
            self.ema_momentum = largest
