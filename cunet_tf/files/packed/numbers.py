"""Numbers of a ``.cunet`` file that its reader and its writer must compute alike.

Needs numpy only. Layout: ``docs/packed-format.md``.
"""

import numpy as np

from cunet_tf.files.packed.layout import EXPONENT, PEAK, TRIT_BYTES

TRITS = ((np.arange(TRIT_BYTES)[:, None] // 3 ** np.arange(5) % 3 - 1) * PEAK).astype(np.int8).view(np.uint8)
FRACTION = 1023  # bits of a float16: with all bits of EXPONENT set, the integer that it stands for
LIMIT = 2**31


def float16_values(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """16-bit floats from their lower and upper bytes: bits, uint16, and values, float64."""
    bits = low | high.astype(np.uint16) << 8
    return bits, bits.view(np.float16).astype(np.float64)


def kernel_scales(peaks: np.ndarray) -> np.ndarray:
    """float32 steps of filters whose largest values are ``peaks``, float64 ``[F]``."""
    with np.errstate(all="ignore"):
        return (peaks / PEAK).astype("<f4")


def bias_steps(step_in: float, peaks: np.ndarray) -> np.ndarray:
    """float64 steps of the biases of a convolution whose input has the step ``step_in``."""
    return step_in * (peaks / PEAK)


def whole_biases(bits: np.ndarray, values: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Biases as multiples of their steps, halves away from zero, as the TFLite converter rounds.

    Args:
        bits, values: of the 16-bit floats; with all exponent bits set they are integers.
        steps: float64.

    Returns:
        float64 whole numbers; those of int32 range are exact.
    """
    with np.errstate(all="ignore"):
        wholes = np.floor(np.abs(values) / steps + 0.5)
    wholes = np.where(bits & EXPONENT == EXPONENT, bits & FRACTION, wholes)
    return np.where(bits >> 15, -wholes, wholes)
