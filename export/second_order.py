"""Kernels rounded so that a convolution's results change least, and not its weights: by error feedback.

With X what a convolution reads (its patches as rows), rounding w to q changes the results by ``|X (w - q)|^2``, a
quadratic form with matrix ``H = X' X``. Weights are rounded one input after the other, those of largest diagonal
first; the error of each moves the weights that are still to come to where they make up for it best (optimal brain
surgeon, Hassibi and Stork 1993; for whole matrices Frantar et al. 2022, "GPTQ").
"""

from collections.abc import Iterable

import keras
import numpy as np

from cunet_tf.aliases import Tensor
from cunet_tf.models.concat_conv import ConcatBNReLUConv
from cunet_tf.quantize.functional import uniform_integers

# Of the steps of least squares: what the following weights make up for allows, and often wants, wider ones.
STEPS = (0.85, 1.0, 1.15, 1.3, 1.5)
TOLERATED = 1.3  # of the least error: wider steps take fewer bytes
DAMPING = 0.01  # of the mean diagonal: few pictures do not know all directions


class _Reader:
    """Stands in for a convolution's input quantizer, and sums up ``H``."""

    def __init__(self, layer: ConcatBNReLUConv):
        self.size, self.quantizer = layer.kernel_size, layer.input_quantizer
        self.hessian = np.zeros(2 * (int(np.prod(layer.kernel.shape[:-1])),))

    def __call__(self, x: Tensor) -> Tensor:
        import tensorflow as tf

        y = x if self.quantizer is None else self.quantizer(x)
        sizes, ones = (1, self.size, self.size, 1), (1, 1, 1, 1)
        patches = y if self.size == 1 else tf.image.extract_patches(y, sizes, ones, ones, "SAME")
        rows = tf.reshape(tf.cast(patches, tf.float32), (-1, len(self.hessian)))
        self.hessian += tf.matmul(rows, rows, transpose_a=True).numpy()
        return y


def hessians(
    model: keras.Model, layers: Iterable[ConcatBNReLUConv], batches: Iterable[Tensor]
) -> dict[str, np.ndarray]:
    """``H`` of convolutions, summed over pictures; the model stays as it is.

    Args:
        model: run in inference, eagerly.
        layers: of the model.
        batches: float32 pictures ``[B, H, W, 3]`` in 0..1.

    Returns:
        Path of a layer -> float64 ``[k k cin, k k cin]``, inputs in the order of the kernel's first three axes.
    """
    layers = list(layers)
    readers = [_Reader(layer) for layer in layers]
    try:
        for layer, reader in zip(layers, readers, strict=True):
            layer.input_quantizer = reader
        for batch in batches:
            model(batch, training=False)
    finally:
        for layer, reader in zip(layers, readers, strict=True):
            layer.input_quantizer = reader.quantizer
    return {layer.path: reader.hessian for layer, reader in zip(layers, readers, strict=True)}


def rounded_by_feedback(kernel: np.ndarray, hessian: np.ndarray, bits: int) -> np.ndarray:
    """A kernel of k-bit integers times a step for each filter, of least change of the results.

    Args:
        kernel: float ``[kh, kw, cin, filters]``.
        hessian: see :func:`hessians`.
        bits: k, 2 to 8.

    Returns:
        float32 of the kernel's shape. Of several steps each filter takes the widest that is nearly the best;
        :func:`~cunet_tf.quantize.functional.uniform` finds it again, and leaves the kernel as it is.
    """
    weights = np.asarray(kernel, np.float64).reshape(-1, kernel.shape[-1])
    steps = np.asarray(uniform_integers(kernel, bits)[1], np.float64).reshape(-1)
    hessian = hessian + np.eye(len(hessian)) * (DAMPING * np.trace(hessian) / len(hessian) or 1.0)
    order, feedback = _feedback(hessian)
    kept, errors = [], []
    for factor in STEPS:
        found = np.empty_like(weights)
        found[order] = _integers(weights[order], steps * factor, feedback, 2 ** (bits - 1) - 1) * (steps * factor)
        kept.append(np.float32(found))
        integers, again = (np.asarray(each) for each in uniform_integers(kept[-1], bits))
        change = integers * again - weights  # of what is used
        errors.append((change * (hessian @ change)).sum(0))
    good = np.array(errors) <= TOLERATED * np.min(errors, 0)
    widest = len(STEPS) - 1 - good[::-1].argmax(0)
    best = np.take_along_axis(np.array(kept), widest[None, None], 0)[0]
    return best.reshape(kernel.shape)


def _feedback(hessian: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Order of the inputs, and the upper triangle U with ``H^-1 = U' U`` in this order."""
    order = np.argsort(-np.diag(hessian), kind="stable")
    return order, np.linalg.cholesky(np.linalg.inv(hessian[np.ix_(order, order)])).T


def _integers(weights: np.ndarray, steps: np.ndarray, feedback: np.ndarray, limit: int) -> np.ndarray:
    """Integers ``[inputs, filters]`` of weights in the order of their rounding."""
    weights, integers = weights.copy(), np.empty_like(weights)
    safe = np.where(steps > 0, steps, 1.0)
    for index in range(len(weights)):
        integers[index] = np.clip(np.rint(weights[index] / safe), -limit, limit)
        error = (weights[index] - integers[index] * steps) / feedback[index, index]
        weights[index + 1 :] -= np.outer(feedback[index, index + 1 :], error)
    return integers
