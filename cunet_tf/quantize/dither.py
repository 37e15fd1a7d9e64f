"""Noise that rounds up with the probability of the fraction: uniform, independent between entries, cheap to make.

Two small tensors of random bits stand for it, whose exclusive or are float32's bits of uniform numbers: the bits of
a column of a picture and of a row of any picture. Of two entries one has bits that the other has not, so any two are
independent, and sums of rounded values, such as a kernel's gradient, have the variance that fresh numbers for every
entry give; those would take longer than the convolution's own gradient.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

from cunet_tf.aliases import Tensor
from cunet_tf.backend import tensorflow

MANTISSA, BIAS = 23, 127  # of float32: its places, and what is added to its exponent


class NoiseBits(NamedTuple):
    """Of noise for a tensor of any shape; all int32.

    Attributes:
        columns: ``[B, 1, W, C]``, or as the tensor where that has fewer than three axes; with the exponent of c.
        rows: ``[1, H, 1, C]``, or one zero.
        c: float32's bits of the noise's width, a power of two.
    """

    columns: Tensor
    rows: Tensor
    c: Tensor


def noise_bits(
    shape: Tensor, seed: Tensor, rank: int, exponent: Tensor | int = 0, batch: tuple[Tensor, Tensor] | None = None
) -> NoiseBits:
    """Bits of noise in (-c/2, c/2), c = 2^exponent, for ``[B, H, W, C]`` or any shape of ``rank`` axes.

    Args:
        shape: of the tensor, int32.
        seed: two int32; equal ones give equal noise.
        rank: number of axes.
        exponent: int32, -126 to 127.
        batch: of a replica's part of a batch, where it begins and how large the batch is: the part gets the numbers
            that it would get within the whole.
    """
    tf = tensorflow()
    first, size = (0, shape[0]) if batch is None else batch
    c = tf.bitwise.left_shift(tf.convert_to_tensor(exponent) + BIAS, MANTISSA)
    if rank < 3:
        inner, rows = shape[1:], tf.zeros([1] * rank, tf.int32)
    else:
        inner = tf.concat([[1], shape[2:]], 0)
        rows = _mantissas(tf.concat([[1], shape[1:2], [1], shape[3:]], 0), seed + 1)
    columns = _mantissas(tf.concat([[size], inner], 0), seed)
    if batch is not None:
        columns = columns[first : first + shape[0]]
    return NoiseBits(tf.bitwise.bitwise_or(columns, c + 1), rows, c)  # the last is set: never half-way between integers


def rounding_noise(shape: Tensor, seed: Tensor, rank: int) -> Tensor:
    """Noise in (-0.5, 0.5), float32 of this shape; the arguments are those of :func:`noise_bits`."""
    return noise_of(noise_bits(shape, seed, rank))


def noise_of(bits: NoiseBits) -> Tensor:
    """The noise, float32: bits of numbers in (c, 2c), less their middle."""
    tf = tensorflow()
    numbers = tf.bitcast(tf.bitwise.bitwise_xor(bits.columns, bits.rows), tf.float32)
    return numbers - 1.5 * tf.bitcast(bits.c, tf.float32)


@functools.cache
def compiled_dither() -> Callable[[Tensor, NoiseBits, Tensor, Tensor], Tensor]:
    """``(x, bits, step, end)`` -> x plus noise, rounded to multiples of step within -end and end; float32.

    Compiled by XLA: one pass over the tensor in place of four. Where TensorFlow sees a GPU it is not: XLA needs
    more of CUDA there than TensorFlow itself.
    """
    tf = tensorflow()

    def dither(x: Tensor, bits: NoiseBits, step: Tensor, end: Tensor) -> Tensor:
        return tf.round(tf.clip_by_value(x + noise_of(bits), -end, end) / step) * step

    return tf.function(dither, autograph=False, jit_compile=not tf.config.list_physical_devices("GPU"))


def _mantissas(shape: Tensor, seed: Tensor) -> Tensor:
    """Random bits for all places of float32's mantissa but the last."""
    tf = tensorflow()
    drawn = tf.random.stateless_uniform(shape, seed, minval=None, maxval=None, dtype=tf.int32)
    return tf.bitwise.bitwise_and(drawn, 2**MANTISSA - 2)
