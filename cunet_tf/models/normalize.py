"""Batch normalisation as a pure function of tensors.

The moments are returned, never assigned here: a caller that recomputes this function in
the backward pass would otherwise update the moving statistics twice.

Replicas of a network (``tf.distribute``) normalise by the moments of the whole batch, not of their parts of it.
"""

import keras
from keras import ops

from cunet_tf import replicas
from cunet_tf.aliases import Tensor
from cunet_tf.backend import custom_gradient

EPSILON = 1e-5  # the reference's; Keras would use 1e-3
MOMENTUM = 0.9  # Keras' convention: share of the old moving value that is kept


def batch_moments_norm(x: Tensor, gamma: Tensor, beta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Normalise by the batch's own moments.

    Args:
        x: ``[B, H, W, C]``, any float type; the moments are taken in float32.
        gamma: scale ``[C]``, float32.
        beta: offset ``[C]``, float32.

    Returns:
        ``(y, mean, variance)``: y like x; biased moments ``[C]`` in float32.
    """
    if replicas.count() > 1:
        return _synchronized(x, gamma, beta)
    if keras.backend.backend() == "tensorflow":
        return _fused_training(x, gamma, beta)
    full = ops.cast(x, "float32")
    mean, variance = ops.moments(full, axes=(0, 1, 2))
    return _affine(x, full, gamma, beta, mean, variance), mean, variance


def moving_norm(x: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
    """Normalise by given statistics (inference). Shapes as in :func:`batch_moments_norm`."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.raw_ops.FusedBatchNormV3(
            x=x, scale=gamma, offset=beta, mean=mean, variance=variance,
            epsilon=EPSILON, is_training=False,
        ).y  # fmt: skip
    return _affine(x, ops.cast(x, "float32"), gamma, beta, mean, variance)


def _affine(x: Tensor, full: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
    scale = gamma * ops.rsqrt(variance + EPSILON)
    return ops.cast(full * scale + (beta - mean * scale), x.dtype)


def _fused_training(x: Tensor, gamma: Tensor, beta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """One kernel for moments and normalisation: three times less memory traffic."""
    import tensorflow as tf

    out = tf.raw_ops.FusedBatchNormV3(
        x=x, scale=gamma, offset=beta, mean=[], variance=[], epsilon=EPSILON, is_training=True
    )
    # The fused kernel reports the unbiased variance; Keras and the paper keep the biased one.
    shape = tf.shape(x)
    count = tf.cast(shape[0] * shape[1] * shape[2], tf.float32)
    return out.y, out.batch_mean, out.batch_variance * ((count - 1.0) / tf.maximum(count, 1.0))


def _synchronized(x: Tensor, gamma: Tensor, beta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """By the moments of all replicas' pictures; one exchange forward, one back. A replica may have no picture."""
    import tensorflow as tf

    @custom_gradient
    def operation(x: Tensor, gamma: Tensor, beta: Tensor) -> tuple[Tensor, Tensor]:
        full, axes = tf.cast(x, tf.float32), [0, 1, 2]
        count, mean, variance = _joint_moments(full)
        scale = tf.math.rsqrt(variance + EPSILON)
        normed = (full - mean) * scale

        def backward(dy: Tensor, *_: object) -> tuple[Tensor, Tensor, Tensor]:
            """Of x, gamma, beta; the moments have none. Those of gamma and beta are added up by the optimizer."""
            dy = tf.cast(dy, tf.float32)
            own = tf.stack([tf.reduce_sum(dy, axes), tf.reduce_sum(dy * normed, axes)])
            total = replicas.summed(own) / count
            dx = gamma * scale * (dy - total[0] - normed * total[1])
            return tf.cast(dx, x.dtype), own[1], own[0]

        return (tf.cast(normed * gamma + beta, x.dtype), mean, variance), backward

    return operation(x, gamma, beta)


def _joint_moments(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Count, mean ``[C]`` and biased variance ``[C]`` over the pixels of all replicas' ``[B, H, W, C]``."""
    import tensorflow as tf

    axes, channels = [0, 1, 2], x.shape[-1]
    own = tf.cast(tf.size(x) // channels, tf.float32)
    mean = tf.math.divide_no_nan(tf.reduce_sum(x, axes), own)
    spread = tf.reduce_sum(tf.square(x - mean), axes)
    rows = replicas.gathered(tf.concat([[own], mean, spread], 0))
    counts, means, spreads = tf.split(rows, [1, channels, channels], axis=1)
    count = tf.reduce_sum(counts)
    joint = tf.reduce_sum(counts * means, 0) / count
    return count, joint, tf.reduce_sum(spreads + counts * tf.square(means - joint), 0) / count
