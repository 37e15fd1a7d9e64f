"""Means of each filter's weights with the precision of float64, on every backend.

In float64 the mean of equal float32 values is that value, so a quantized kernel is a fixed point, and one restored from
its signs and alpha is the same to the last bit. JAX has no float64 by default: there a number is a pair of float32
whose sum it is (Dekker, "A floating-point technique for extending the available precision", 1971).
"""

import numpy as np
from keras import ops

from cunet_tf.aliases import Tensor
from cunet_tf.backend import on_tensorflow, tensorflow

SPLIT = 2.0**12 + 1.0  # cuts a float32 into halves whose products are exact


def mean(size: Tensor) -> Tensor:
    """Per filter, over all axes but the last; float32 ``[1, ..., filters]``."""
    if on_tensorflow():
        return ops.cast(_float64_mean(size), "float32")
    high, low = _mean_pair(size)
    return high + low


def above_mean(size: Tensor, share: float) -> Tensor:
    """Where a value is above a share of its filter's mean; bool."""
    if on_tensorflow():
        return ops.cast(size, "float64") > share * _float64_mean(size)
    high, low = _mean_pair(size)
    whole = float(np.float32(share))
    product, rest = _product(high, whole)
    return size - product > rest + high * (share - whole) + low * whole


def mean_of(size: Tensor, chosen: Tensor) -> Tensor:
    """Of the values where ``chosen`` is 1.0 rather than 0.0, per filter; 0 where none is."""
    if on_tensorflow():
        found = tensorflow().math.divide_no_nan(_float64_mean(size * chosen), _float64_mean(chosen))
        return ops.cast(found, "float32")
    count = _filter_sum(chosen)[0]
    high, low = _quotient(*_filter_sum(size * chosen), ops.maximum(count, 1.0))
    return high + low


def _float64_mean(size: Tensor) -> Tensor:
    return ops.mean(ops.cast(size, "float64"), axis=list(range(len(size.shape) - 1)), keepdims=True)


def _mean_pair(size: Tensor) -> tuple[Tensor, Tensor]:
    return _quotient(*_filter_sum(size), float(np.prod(size.shape[:-1])))


def _filter_sum(x: Tensor) -> tuple[Tensor, Tensor]:
    """Over all axes but the last, which are kept as ones: halves of the rows are added until one is left."""
    high = ops.reshape(x, (-1, x.shape[-1]))
    low = ops.zeros_like(high)
    while high.shape[0] > 1:
        if high.shape[0] % 2:
            high, low = (ops.pad(each, ((0, 1), (0, 0))) for each in (high, low))
        half = high.shape[0] // 2
        high, error = _sum(high[:half], high[half:])
        low = low[:half] + low[half:] + error
    shape = (1,) * (len(x.shape) - 1) + (x.shape[-1],)
    return tuple(ops.reshape(each, shape) for each in _sum(high, low))  # type: ignore[return-value]


def _sum(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """The rounded sum, and what rounding lost."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _product(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """The rounded product, and what rounding lost."""
    total = a * b
    (a1, a2), (b1, b2) = _halves(a), _halves(b)
    return total, ((a1 * b1 - total) + a1 * b2 + a2 * b1) + a2 * b2


def _halves(a: Tensor) -> tuple[Tensor, Tensor]:
    if isinstance(a, float):
        high = float(np.float32(a * SPLIT) - np.float32(np.float32(a * SPLIT) - np.float32(a)))
        return high, a - high
    wide = a * SPLIT
    high = wide - (wide - a)
    return high, a - high


def _quotient(high: Tensor, low: Tensor, by: Tensor) -> tuple[Tensor, Tensor]:
    whole = high / by
    product, rest = _product(whole, by)
    return whole, ((high - product) - rest + low) / by
