"""Is a quantized network healthy? Clipping rates of its tensors, and what its gradients keep."""

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from cunet_tf.aliases import Tensor
from cunet_tf.models.concat_conv import ConcatBNReLUConv
from cunet_tf.models.quant_layers import QuantActivation
from cunet_tf.quantize.quantizers import Linear


def convolutions(model: keras.Model) -> list[ConcatBNReLUConv]:
    """Every :class:`ConcatBNReLUConv` of a model, those inside blocks included, in running order."""
    found: list[ConcatBNReLUConv] = []
    for layer in model.layers:
        found += [layer] if isinstance(layer, ConcatBNReLUConv) else getattr(layer, "convolutions", [])
    return found


def quantized_kernels(model: keras.Model) -> dict[str, Any]:
    """Float masters of the quantized kernels: layer path -> variable."""
    return {layer.path: layer.kernel for layer in convolutions(model) if layer.kernel_quantizer is not None}


class _Observer:
    """Stands in for a grid, applies it and counts what falls outside."""

    def __init__(self, grid: Linear):
        self.grid, self.sums, self.count = grid, np.zeros(3), 0

    def __call__(self, x: Tensor) -> Tensor:
        values = keras.ops.convert_to_numpy(x).astype(np.float64)
        low, high = self.grid.limits
        half = self.grid.step / 2
        self.sums += ((values < low - half).sum(), (values >= high + half).sum(), (values**2).sum())
        self.count += values.size
        return self.grid(x)


def clipping_rates(model: keras.Model, batches: Iterable[Tensor]) -> list[dict[str, Any]]:
    """What the grids cut off, tensor by tensor.

    Args:
        model: with feature quantizers.
        batches: iterable of pictures ``[B, H, W, 3]``; run eagerly, one after the other.

    Returns:
        One row a grid: ``tensor`` (layer path and ``input`` or ``output``), ``r``, ``signed``,
        ``clipped_low`` and ``clipped_high`` (shares 0..1 of the values that round to beyond the
        grid), ``rms`` (root mean square, in units of r).
    """
    places = [(layer, side) for layer in convolutions(model) for side in ("input_quantizer", "output_quantizer")]
    places += [(layer, "quantizer") for layer in model.layers if isinstance(layer, QuantActivation)]
    observers = {}
    for layer, side in places:
        grid = getattr(layer, side)
        if isinstance(grid, Linear):
            observers[layer, side] = _Observer(grid)
    try:
        for (layer, side), observer in observers.items():
            setattr(layer, side, observer)
        for images in batches:
            model(images, training=False)
    finally:
        for (layer, side), observer in observers.items():
            setattr(layer, side, observer.grid)
    return [_row(layer.path, side, observer) for (layer, side), observer in observers.items()]


def _row(path: str, side: str, observer: _Observer) -> dict[str, Any]:
    low, high, squares = observer.sums / max(observer.count, 1)
    kind = side.removesuffix("quantizer").rstrip("_") or "output"
    return {
        "tensor": f"{path} {kind}", "r": observer.grid.r, "signed": observer.grid.signed,
        "clipped_low": float(low), "clipped_high": float(high), "rms": float(np.sqrt(squares)) / observer.grid.r,
    }  # fmt: skip


def kernel_gradients(
    model: keras.Model, loss: keras.losses.Loss, images: Tensor, targets: Tensor
) -> dict[str, np.ndarray]:
    """Gradients of one batch at the quantized kernels, computed eagerly: layer path -> array like the kernel.

    Args:
        model: a quantized network, on TensorFlow.
        loss: of each head, summed.
        images: ``[B, H, W, 3]``.
        targets: ``[B, C, 3]``, as the loss takes them.
    """
    import tensorflow as tf

    kernels = quantized_kernels(model)

    with tf.GradientTape() as tape:
        value = tf.add_n([loss(targets, output) for output in model(images, training=True)])
    values = tape.gradient(value, [kernel.value for kernel in kernels.values()])
    return dict(zip(kernels, (value.numpy() for value in values), strict=True))


def compare_gradients(reference: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Layer by layer: ``cosine`` of two gradients and ``nonzero``, the share of the second's entries."""
    rows = []
    for path, full in reference.items():
        few = other[path]
        norms = float(np.linalg.norm(full) * np.linalg.norm(few))
        cosine = float((full * few).sum()) / norms if norms else 0.0
        rows.append({"layer": path, "cosine": cosine, "nonzero": float((few != 0).mean())})
    return rows


def master_changes(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Kernel by kernel: ``relative_change`` (norms) and ``changed``, the share of entries that moved."""
    return [
        {
            "layer": path,
            "relative_change": float(np.linalg.norm(after[path] - old) / np.linalg.norm(old)),
            "changed": float((after[path] != old).mean()),
        }
        for path, old in before.items()
    ]
