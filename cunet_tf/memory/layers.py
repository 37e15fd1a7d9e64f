"""Keras layers that know how to save memory: the stem's, and pooling.

Without a memory mode, and in prediction, they are the Keras layers they inherit from.
"""

from typing import Any

import keras
from keras import ops

from cunet_tf.memory import compressed, recompute
from cunet_tf.memory.names import NONE, MemoryConfig
from cunet_tf.models.normalize import MOMENTUM, batch_moments_norm

PACKAGE = "cunet_tf"


@keras.saving.register_keras_serializable(PACKAGE)
class BatchNorm(keras.layers.BatchNormalization):
    """Batch normalisation over the last axis with the network's constants; its reader recomputes it.

    The pooling behind it keeps its input, the convolution's output, once.
    """

    memory: MemoryConfig = NONE

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not (self.memory and training and self.trainable):
            return super().call(inputs, training, mask)
        norm = recompute.deferred(batch_moments_norm, self.memory)
        output, mean, variance = norm(inputs, self.gamma, self.beta)
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * MOMENTUM + ops.stop_gradient(batch) * (1.0 - MOMENTUM))
        return output


@keras.saving.register_keras_serializable(PACKAGE)
class Rectifier(keras.layers.ReLU):
    """ReLU, recomputed by its reader where its input is."""

    memory: MemoryConfig = NONE

    def call(self, inputs: Any) -> Any:
        if recompute.attached(inputs) is None:
            return super().call(inputs)
        return recompute.deferred(compressed.relu_for([inputs], self.memory), self.memory)(inputs)


@keras.saving.register_keras_serializable(PACKAGE)
class MaxPool(keras.layers.MaxPooling2D):
    """Max-pooling that keeps what its input keeps, and its own result only where nobody keeps the input.

    Args:
        keep: store the result; else it is rebuilt from the input, which other layers store.
    """

    memory: MemoryConfig = NONE

    def __init__(self, pool_size: Any = 2, keep: bool = False, **kwargs: Any):
        super().__init__(pool_size, **kwargs)
        self.keep = keep

    def call(self, inputs: Any) -> Any:
        if not self.memory or recompute.attached(inputs) is None:
            return super().call(inputs)
        if self.keep:
            output = recompute.recomputed(super().call, self.memory)(inputs)
            recompute.recipe_of(output, self.memory)
            return output
        return recompute.resampled(super().call, self.memory, inputs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "keep": self.keep}
