"""2x2 max-pooling, in the form that trains fastest on each backend."""

from keras import ops

from cunet_tf.aliases import Backward, Tensor
from cunet_tf.backend import custom_gradient, on_tensorflow


def max_pool(x: Tensor) -> Tensor:
    """``[B, H, W, C] -> [B, H/2, W/2, C]``, H and W even; a gradient goes to the first maximum of its window.

    TensorFlow has an operation for that; XLA's gradient of a pooling takes many times as long as this one.
    """
    return ops.max_pool(x, 2, 2) if on_tensorflow() else _of_corners(x)


def _of_corners(x: Tensor) -> Tensor:
    @custom_gradient
    def operation(value: Tensor) -> tuple[Tensor, Backward]:
        first, second, third, fourth = corners(value)
        y = ops.maximum(ops.maximum(first, second), ops.maximum(third, fourth))

        def backward(dy: Tensor) -> Tensor:
            parts, free = [], ops.ones_like(y, "bool")
            for corner in corners(value):
                hit = ops.logical_and(free, corner == y)
                free = ops.logical_and(free, ops.logical_not(hit))
                parts.append(ops.where(hit, dy, ops.zeros_like(dy)))
            rows = ops.stack([ops.stack(parts[:2], 3), ops.stack(parts[2:], 3)], 2)
            return ops.reshape(rows, (-1, *value.shape[1:]))

        return y, backward

    return operation(x)


def corners(x: Tensor) -> list[Tensor]:
    """The four pixels of each window, ``[B, H/2, W/2, C]`` each, row by row."""
    return [x[:, row::2, column::2] for row in (0, 1) for column in (0, 1)]
