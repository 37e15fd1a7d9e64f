"""Widths of kernels, features and gradients, and the grids that follow from them; without Keras."""

import math

from cunet_tf.errors import CUNetError

MIN_BITS, MAX_BITS = 2, 16  # of features and gradients
KERNEL_BITS = range(2, 9)  # of uniform kernels


def require_kernel_bits(bits: int) -> None:
    """Refuse widths that :func:`~cunet_tf.quantize.functional.uniform` has not.

    Raises:
        CUNetError: bits outside 2..8.
    """
    if bits not in KERNEL_BITS:
        raise CUNetError(f"{bits!r} bits for kernels: give an integer from {KERNEL_BITS[0]} to {KERNEL_BITS[-1]}.")


def limits(bits: int, r: float, signed: bool, narrow: bool = False) -> tuple[float, float]:
    """Lowest and highest value of :func:`~cunet_tf.quantize.functional.linear`'s grid.

    Example:
        >>> limits(8, 2.0, signed=True)
        (-2.0, 1.984375)
    """
    if not isinstance(bits, int) or not MIN_BITS <= bits <= MAX_BITS:
        raise CUNetError(f"{bits!r} bits for features or gradients: give an integer from {MIN_BITS} to {MAX_BITS}.")
    if r <= 0 or math.frexp(r)[0] != 0.5:
        raise CUNetError(f"range r={r}: give a power of two, such as 0.5, 1, 2 or 4.")
    if not signed:
        return 0.0, r * (1.0 - 2.0**-bits)
    high = r * (1.0 - 2.0 ** (1 - bits))
    return (-high if narrow else -r), high
