"""Arithmetic of the deploy twin: batch normalisations as scale and offset, kernels on the int8 grid."""

from dataclasses import dataclass

import numpy as np

from cunet_tf.aliases import Tensor
from cunet_tf.export.grids import SMALLEST, WEIGHT_LIMIT, half
from cunet_tf.models.normalize import EPSILON


def batch_norm(
    gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor, epsilon: float = EPSILON
) -> tuple[Tensor, Tensor]:
    """Scale and offset, float32 ``[C]``, of a batch normalisation in inference."""
    gamma, beta, mean, variance = (np.asarray(each, np.float64) for each in (gamma, beta, mean, variance))
    scale = gamma / np.sqrt(variance + epsilon)
    return scale, beta - mean * scale


@dataclass(frozen=True)
class Kernel:
    """A trained kernel on its way to int8.

    Attributes:
        values: float64 ``[h, w, cin, C]``.
        steps: float64 ``[C]``: values are whole multiples of them, at most 127; ``None`` where they are any numbers,
            or, of a binary or ternary filter, all of one size.
    """

    values: np.ndarray
    steps: np.ndarray | None = None

    def scaled(self, scale: np.ndarray) -> "Kernel":
        """With a normalisation behind it, of these scales ``[C]``; a scale of 0 leaves no step."""
        steps = None if self.steps is None else self.steps * np.abs(scale)
        return Kernel(self.values * scale, steps)

    def int8(self) -> tuple[np.ndarray, np.ndarray]:
        """int8 values and one step for each filter (the last axis).

        A binary or ternary filter becomes +-127 and 0 exactly, one with a step the integers that it was trained with.
        ``127 * step`` is a float16 where that loses nothing to speak of (2^-11, relative), for the packed file's sake.

        Returns:
            int8 kernel; ``peak``, float32, what 127 stands for in each filter: ``step = peak / 127``.
        """
        largest = np.abs(self.values).max(axis=tuple(range(self.values.ndim - 1)))
        exact = largest if self.steps is None else self.steps * WEIGHT_LIMIT
        peak = np.maximum(half(exact), np.float32(SMALLEST))
        steps = np.where(exact > 0, exact, 1.0) if self.steps is not None else peak
        integers = np.rint(self.values / steps * WEIGHT_LIMIT)
        return np.clip(integers, -WEIGHT_LIMIT, WEIGHT_LIMIT).astype(np.int8), peak
