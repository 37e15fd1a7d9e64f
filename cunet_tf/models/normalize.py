"""Batch normalisation as a pure function of tensors.

The moments are returned, never assigned here: a caller that recomputes this function in
the backward pass would otherwise update the moving statistics twice.
"""

from typing import Any

import keras
from keras import ops

EPSILON = 1e-5  # the reference's; Keras would use 1e-3
MOMENTUM = 0.9  # Keras' convention: share of the old moving value that is kept


def batch_moments_norm(x: Any, gamma: Any, beta: Any) -> tuple[Any, Any, Any]:
    """Normalise by the batch's own moments.

    Args:
        x: ``[B, H, W, C]``, any float type; the moments are taken in float32.
        gamma: scale ``[C]``, float32.
        beta: offset ``[C]``, float32.

    Returns:
        ``(y, mean, variance)``: y like x; biased moments ``[C]`` in float32.
    """
    if keras.backend.backend() == "tensorflow":
        return _fused_training(x, gamma, beta)
    full = ops.cast(x, "float32")
    mean, variance = ops.moments(full, axes=(0, 1, 2))
    return _affine(x, full, gamma, beta, mean, variance), mean, variance


def moving_norm(x: Any, gamma: Any, beta: Any, mean: Any, variance: Any) -> Any:
    """Normalise by given statistics (inference). Shapes as in :func:`batch_moments_norm`."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.raw_ops.FusedBatchNormV3(
            x=x, scale=gamma, offset=beta, mean=mean, variance=variance,
            epsilon=EPSILON, is_training=False,
        ).y  # fmt: skip
    return _affine(x, ops.cast(x, "float32"), gamma, beta, mean, variance)


def _affine(x: Any, full: Any, gamma: Any, beta: Any, mean: Any, variance: Any) -> Any:
    scale = gamma * ops.rsqrt(variance + EPSILON)
    return ops.cast(full * scale + (beta - mean * scale), x.dtype)


def _fused_training(x: Any, gamma: Any, beta: Any) -> tuple[Any, Any, Any]:
    """One kernel for moments and normalisation: three times less memory traffic."""
    import tensorflow as tf

    out = tf.raw_ops.FusedBatchNormV3(
        x=x, scale=gamma, offset=beta, mean=[], variance=[], epsilon=EPSILON, is_training=True
    )
    # The fused kernel reports the unbiased variance; Keras and the paper keep the biased one.
    shape = tf.shape(x)
    count = tf.cast(shape[0] * shape[1] * shape[2], tf.float32)
    return out.y, out.batch_mean, out.batch_variance * ((count - 1.0) / tf.maximum(count, 1.0))
