"""The int8 grids of a deployed network, and fake quantization on them."""

from dataclasses import dataclass

import numpy as np

from cunet_tf.aliases import Tensor
from cunet_tf.quantize.quantizers import Linear

LOW, HIGH = -128, 127
SMALLEST = 2.0**-14  # a tensor or filter of nothing but zeros still needs a scale
WEIGHT_LIMIT = 127  # kernels use -127..127: symmetric, and +-alpha is +-127 alpha/127


@dataclass(frozen=True)
class Grid:
    """Real values ``scale * (q - zero_point)`` for q in -128..127.

    Attributes:
        scale: distance of neighbouring values.
        zero_point: the integer of 0.0; 0 for signed tensors, -128 behind a ReLU.
    """

    scale: float
    zero_point: int = 0

    @property
    def limits(self) -> tuple[float, float]:
        """Lowest and highest real value."""
        return self.scale * (LOW - self.zero_point), self.scale * (HIGH - self.zero_point)

    def fake(self, x: Tensor) -> Tensor:
        """A float tensor rounded to the grid; the TFLite converter reads the grid from this operation."""
        import tensorflow as tf

        return tf.quantization.fake_quant_with_min_max_args(x, *self.limits)

    def quantize(self, x: np.ndarray) -> np.ndarray:
        """Real values to int8, halves to even."""
        return np.clip(np.rint(np.float32(x) / np.float32(self.scale)) + self.zero_point, LOW, HIGH).astype(np.int8)

    def dequantize(self, q: np.ndarray) -> np.ndarray:
        """int8 to float32 real values."""
        return (q.astype(np.float32) - self.zero_point) * np.float32(self.scale)


PIXELS = Grid(1 / 255, -128)  # a network's input in 0..1: the 8-bit pixels themselves


def trained_grid(quantizer: object) -> Grid | None:
    """The int8 grid of a feature quantizer: the same steps, so the trained function is kept.

    With fewer than 8 bits the int8 grid has room beyond the ends of the trained one, where
    values are no longer cut off.

    Returns:
        ``None`` where training left the tensor in float.
    """
    if not isinstance(quantizer, Linear):
        return None
    return Grid(quantizer.step, 0 if quantizer.signed else LOW)


def range_grid(low: float, high: float) -> Grid:
    """The grid that covers a measured range and 0.0.

    The scale is rounded up to a float16, which a packed file stores in two bytes.
    """
    low, high = min(low, 0.0), max(high, 0.0)
    scale = half_above(max((high - low) / (HIGH - LOW - 1), SMALLEST))  # one step less: zero must be hit
    return Grid(scale, int(np.clip(round(LOW - low / scale), LOW, HIGH)))


def half_above(value: float) -> float:
    """The smallest float16 that is not below a positive value."""
    rounded = np.float16(value)
    return float(rounded if float(rounded) >= value else np.nextafter(rounded, np.float16(np.inf)))


def half(values: np.ndarray) -> np.ndarray:
    """Values rounded to float16, as float32; those beyond its normal range stay as they are."""
    values = np.asarray(values, np.float32)
    limits = np.finfo(np.float16)
    with np.errstate(over="ignore"):
        rounded = values.astype(np.float16).astype(np.float32)
    normal = (np.abs(values) >= limits.tiny) & (np.abs(values) <= limits.max) | (values == 0)
    return np.where(normal, rounded, values)
