"""Keras layers that know how to save memory: the stem's, and pooling.

Without a memory mode, and in prediction, they are the Keras layers they inherit from.
"""

from typing import Any

import keras
from keras import ops

from cunet_tf.memory import compressed, recompute
from cunet_tf.memory.names import NONE, MemoryConfig
from cunet_tf.models.normalize import MOMENTUM, batch_moments_norm, moving_norm

PACKAGE = "cunet_tf"


@keras.saving.register_keras_serializable(PACKAGE)
class StemConv(keras.layers.Conv2D):
    """The stem's convolution; with a memory mode its reader recomputes it.

    It reads three channels and writes the largest map of the network: the picture, which is
    there anyway, is kept instead, and never rounded.
    """

    memory: MemoryConfig = NONE

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if not (self.memory and training):
            return super().call(inputs)
        recompute.keep_exactly(inputs)
        return recompute.deferred(self.convolution_op, self.memory)(inputs, self.kernel)


@keras.saving.register_keras_serializable(PACKAGE)
class BatchNorm(keras.layers.BatchNormalization):
    """Batch normalisation over the last axis, computed as in the rest of the network; its reader may recompute it."""

    memory: MemoryConfig = NONE

    def add_weight(self, *args: Any, **kwargs: Any) -> Any:
        return super().add_weight(*args, **{**kwargs, "autocast": False})  # float32 also under mixed precision

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not training or not (self.memory or self.trainable):
            return super().call(inputs, training, mask)
        if not self.trainable:
            fixed = (self.gamma, self.beta, self.moving_mean, self.moving_variance)
            return recompute.deferred(moving_norm, self.memory)(inputs, *fixed)
        norm = recompute.deferred(batch_moments_norm, self.memory) if self.memory else batch_moments_norm
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
    """2x2 max-pooling that keeps where each maximum was, two bits a value, instead of its input.

    Behind the stem, whose rectified map nobody keeps, it is computed again instead.
    """

    memory: MemoryConfig = NONE

    def call(self, inputs: Any) -> Any:
        recipe = recompute.attached(inputs)
        if not self.memory or recipe is None:
            return super().call(inputs)
        if recipe.kept:
            return compressed.pooled(inputs, self.memory)
        output = recompute.recomputed(super().call, self.memory)(inputs)
        recompute.recipe_of(output, self.memory)
        return output
