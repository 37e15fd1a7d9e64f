"""Arithmetic of the deploy twin: batch normalisations as scale and offset, kernels on the int8 grid."""

from typing import Any

import numpy as np

from cunet_tf.export.grids import SMALLEST, WEIGHT_LIMIT, half
from cunet_tf.models.normalize import EPSILON


def batch_norm(gamma: Any, beta: Any, mean: Any, variance: Any, epsilon: float = EPSILON) -> tuple[Any, Any]:
    """Scale and offset, float32 ``[C]``, of a batch normalisation in inference."""
    gamma, beta, mean, variance = (np.asarray(each, np.float64) for each in (gamma, beta, mean, variance))
    scale = gamma / np.sqrt(variance + epsilon)
    return scale, beta - mean * scale


def fold(kernel: np.ndarray, scale: np.ndarray, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Kernel ``[h, w, cin, C]`` and bias of a convolution with the normalisation behind it."""
    return np.asarray(kernel, np.float64) * scale, offset


def int8_kernel(kernel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A kernel as int8 values and one step for each filter (its last axis).

    A binary or ternary filter becomes +-127 and 0 exactly. ``127 * step`` is a float16 where
    that loses nothing to speak of (2^-11, relative), for the packed file's sake.

    Returns:
        int8 kernel; ``peak``, float32, largest value of each filter: ``step = peak / 127``.
    """
    peak = np.abs(kernel).max(axis=tuple(range(kernel.ndim - 1)))
    peak = np.maximum(half(peak), np.float32(SMALLEST))
    return np.clip(np.rint(kernel / peak * WEIGHT_LIMIT), -WEIGHT_LIMIT, WEIGHT_LIMIT).astype(np.int8), peak
