"""What is stored of a tensor until the backward pass: all of it, few bits a value, or one.

The forward pass computes with exact values; only what is stored is rounded. A tensor on the grid of
a quantizer of at most as many bits is stored as the integers of that grid, and nothing is lost. Tensor
other is rounded between its channel's lowest and highest value: to 8 bits to the nearest level; to
4, where the levels are far apart, stochastically, so that the stored value is right in the mean.
"""

from collections.abc import Callable

from cunet_tf.aliases import Tensor
from cunet_tf.backend import tensorflow
from cunet_tf.quantize.dither import rounding_noise
from cunet_tf.quantize.quantizers import Linear

STOCHASTIC_BELOW = 8  # bits; at 8 its noise costs time and is larger than the error it removes
MARGIN = 1e-3  # of a step: the highest value plus noise stays below the next integer

Restore = Callable[[Tensor], Tensor]  # from a zero that waits (see waiting.py) to the stored value


def exact(x: Tensor) -> Restore:
    """Stores a tensor as it is."""
    tf = tensorflow("memory")
    return lambda zero: x + tf.cast(zero, x.dtype)


def rounded(x: Tensor, bits: int) -> Restore:
    """Stores a tensor ``[B, H, W, C]`` in ``bits`` a value, rounded as :func:`encode` says."""
    codes, low, step = encode(x, bits)
    return _packed(codes, bits, low, step, x.dtype)


def on_grid(x: Tensor, grid: Linear) -> Restore:
    """Stores a tensor whose values lie on ``grid`` (8 bits at most) without loss."""
    tf = tensorflow("memory")
    low = grid.limits[0]
    codes = tf.cast((tf.cast(x, tf.float32) - low) / grid.step, tf.uint8)
    return _packed(codes, 4 if grid.bits <= 4 else 8, low, grid.step, x.dtype)


def encode(x: Tensor, bits: int) -> tuple[Tensor, Tensor, Tensor]:
    """Rounding to ``2^bits`` levels between the lowest and highest value of each channel.

    To the nearest level at 8 bits, else stochastic. The random numbers depend on the values
    alone, so that equal runs stay equal.

    Returns:
        ``(codes, low, step)``: uint8 like x; float32 ``[C]``, with ``x ~ low + step * codes``.
    """
    tf = tensorflow("memory")
    full = tf.cast(x, tf.float32)
    axes = list(range(len(x.shape) - 1))
    low, high = tf.reduce_min(full, axes), tf.reduce_max(full, axes)
    levels = 2**bits - 1 - MARGIN
    offset: Tensor = 0.5
    if bits < STOCHASTIC_BELOW:
        ends = tf.stack([tf.reduce_min(low), tf.reduce_max(high)])
        offset += rounding_noise(tf.shape(full), tf.bitcast(ends, tf.int32), len(x.shape))
    codes = tf.cast((full - low) * tf.math.divide_no_nan(levels, high - low) + offset, tf.uint8)
    codes.set_shape(x.shape)
    return codes, low, (high - low) / levels


def _packed(codes: Tensor, bits: int, low: Tensor, step: Tensor, dtype: Tensor) -> Restore:
    tf = tensorflow("memory")
    packed, channels = pack(codes, bits), codes.shape[-1]

    def restore(zero: Tensor) -> Tensor:
        again = unpack(packed + tf.cast(zero, tf.uint8), bits, channels)
        return tf.cast(tf.cast(again, tf.float32) * step + low, dtype)

    return restore


def pack(codes: Tensor, bits: int) -> Tensor:
    """Several integers in a byte: uint8 ``[..., C] -> [..., ceil(C * bits / 8)]``; ``bits`` is 2, 4 or 8."""
    if bits == 8:
        return codes
    tf = tensorflow("memory")
    each = 8 // bits
    width = -(-codes.shape[-1] // each)
    padding = [[0, 0]] * (len(codes.shape) - 1) + [[0, each * width - codes.shape[-1]]]
    parts = tf.split(tf.pad(codes, padding), each, axis=-1)
    return tf.add_n([part * 2 ** (bits * index) for index, part in enumerate(parts)])


def unpack(packed: Tensor, bits: int, channels: int) -> Tensor:
    """Inverse of :func:`pack`."""
    if bits == 8:
        return packed
    tf = tensorflow("memory")
    lowest = tf.constant(2**bits - 1, tf.uint8)
    shifts = [tf.constant(bits * index, tf.uint8) for index in range(8 // bits)]
    parts = [tf.bitwise.bitwise_and(tf.bitwise.right_shift(packed, shift), lowest) for shift in shifts]
    return tf.concat(parts, axis=-1)[..., :channels]


def pack_flags(flags: Tensor) -> Tensor:
    """Eight booleans in a byte: bool of any shape -> uint8 ``[ceil(size/8)]``."""
    tf = tensorflow("memory")
    flat = tf.cast(tf.reshape(flags, [-1]), tf.uint8)
    rows = tf.reshape(tf.pad(flat, [[0, -tf.size(flat) % 8]]), [8, -1])
    return tf.add_n([rows[index] * 2**index for index in range(8)])


def unpack_flags(packed: Tensor, shape: Tensor, dtype: Tensor) -> Tensor:
    """Inverse of :func:`pack_flags`: zeros and ones of type ``dtype``."""
    tf = tensorflow("memory")
    rows = tf.stack([tf.bitwise.bitwise_and(tf.bitwise.right_shift(packed, tf.constant(index, tf.uint8)),
                                            tf.constant(1, tf.uint8)) for index in range(8)])  # fmt: skip
    return tf.cast(tf.reshape(tf.reshape(rows, [-1])[: tf.reduce_prod(shape)], shape), dtype)
