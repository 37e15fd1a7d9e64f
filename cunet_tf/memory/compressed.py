"""Few-bit storage of what the backward pass needs.

The forward pass computes with exact values; only what is kept for the backward pass is
rounded. A tensor that a quantizer has put on a grid of at most as many bits is stored as the
integers of that grid, and nothing is lost. Any other is rounded between its channel's lowest
and highest value: to 8 bits to the nearest level; to 4, where the levels are far apart,
stochastically, so that the stored value is right in the mean.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from cunet_tf.backend import custom_gradient, tensorflow
from cunet_tf.memory.names import MemoryConfig
from cunet_tf.memory.recompute import Recipe, attach, attached, recipe_of, zero_of
from cunet_tf.quantize import functional, quantizers  # as modules: they may be half imported, see registration.py

STOCHASTIC_BELOW = 8  # bits; at 8 its noise costs time and is larger than the error it removes
MARGIN = 1e-3  # of a step: the highest value plus noise stays below the next integer


def rounded(x: Any, bits: int) -> Callable[[Any], Any]:
    """Stores a tensor ``[B, H, W, C]`` in ``bits`` a value, rounded as :func:`encode` says.

    Returns:
        A function from a zero (float32 scalar) to the stored value, of the type of ``x``; what
        it keeps are the packed integers and two numbers for each channel.
    """
    codes, low, step = encode(x, bits)
    packed, channels, dtype = pack(codes, bits), x.shape[-1], x.dtype
    return lambda zero: _decode(packed, bits, channels, low, step, zero, dtype)


def on_grid(x: Any, grid: quantizers.Linear) -> Callable[[Any], Any]:
    """Stores a tensor whose values lie on ``grid`` (8 bits at most) without loss; returns as :func:`rounded`."""
    tf = tensorflow("memory")
    bits = 4 if grid.bits <= 4 else 8
    low = grid.limits[0]
    packed = pack(tf.cast((tf.cast(x, tf.float32) - low) / grid.step, tf.uint8), bits)
    channels, dtype = x.shape[-1], x.dtype
    return lambda zero: _decode(packed, bits, channels, low, grid.step, zero, dtype)


def encode(x: Any, bits: int) -> tuple[Any, Any, Any]:
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
    offset: Any = 0.5
    if bits < STOCHASTIC_BELOW:
        ends = tf.stack([tf.reduce_min(low), tf.reduce_max(high)])
        offset += functional.shared_noise(tf.shape(full), tf.bitcast(ends, tf.int32), len(x.shape))
    codes = tf.cast((full - low) * tf.math.divide_no_nan(levels, high - low) + offset, tf.uint8)
    codes.set_shape(x.shape)
    return codes, low, (high - low) / levels


def _decode(packed: Any, bits: int, channels: int, low: Any, step: Any, zero: Any, dtype: Any) -> Any:
    tf = tensorflow("memory")
    codes = unpack(packed + tf.cast(zero, tf.uint8), bits, channels)
    return tf.cast(tf.cast(codes, tf.float32) * step + low, dtype)


def pack(codes: Any, bits: int) -> Any:
    """Several integers in a byte: uint8 ``[..., C] -> [..., ceil(C * bits / 8)]``; ``bits`` is 2, 4 or 8."""
    if bits == 8:
        return codes
    tf = tensorflow("memory")
    each = 8 // bits
    width = -(-codes.shape[-1] // each)
    padding = [[0, 0]] * (len(codes.shape) - 1) + [[0, each * width - codes.shape[-1]]]
    parts = tf.split(tf.pad(codes, padding), each, axis=-1)
    return tf.add_n([part * 2 ** (bits * index) for index, part in enumerate(parts)])


def unpack(packed: Any, bits: int, channels: int) -> Any:
    """Inverse of :func:`pack`."""
    if bits == 8:
        return packed
    tf = tensorflow("memory")
    lowest = tf.constant(2**bits - 1, tf.uint8)
    shifts = [tf.constant(bits * index, tf.uint8) for index in range(8 // bits)]
    parts = [tf.bitwise.bitwise_and(tf.bitwise.right_shift(packed, shift), lowest) for shift in shifts]
    return tf.concat(parts, axis=-1)[..., :channels]


def pack_flags(flags: Any) -> Any:
    """Eight booleans in a byte: bool of any shape -> uint8 ``[ceil(size/8)]``."""
    tf = tensorflow("memory")
    flat = tf.cast(tf.reshape(flags, [-1]), tf.uint8)
    rows = tf.reshape(tf.pad(flat, [[0, -tf.size(flat) % 8]]), [8, -1])
    return tf.add_n([rows[index] * 2**index for index in range(8)])


def unpack_flags(packed: Any, shape: Any, dtype: Any) -> Any:
    """Inverse of :func:`pack_flags`: zeros and ones of type ``dtype``."""
    tf = tensorflow("memory")
    rows = tf.stack([tf.bitwise.bitwise_and(tf.bitwise.right_shift(packed, tf.constant(index, tf.uint8)),
                                            tf.constant(1, tf.uint8)) for index in range(8)])  # fmt: skip
    return tf.cast(tf.reshape(tf.reshape(rows, [-1])[: tf.reduce_prod(shape)], shape), dtype)


def masked(x: Any, function: Callable[[Any], Any], mask: Callable[[Any], Any], gradient: Callable | None = None) -> Any:
    """``function(x)``, whose gradient passes where ``mask(x)`` is true: one bit a value is kept.

    Args:
        x: any float tensor.
        function: of x, of the same shape and type.
        mask: of x, boolean.
        gradient: then applied to the gradient, ``None`` for nothing.
    """

    @custom_gradient
    def operation(value: Any) -> tuple[Any, Callable]:
        tf = tensorflow("memory")
        value = tf.stop_gradient(value)
        shape, flags = tf.shape(value), pack_flags(mask(value))

        def backward(dy: Any) -> Any:
            dx = dy * unpack_flags(flags + tf.cast(zero_of(dy), tf.uint8), shape, dy.dtype)
            dx.set_shape(dy.shape)
            return dx if gradient is None else gradient(dx)

        return function(value), backward

    return operation(x)


def relu(x: Any) -> Any:
    """ReLU that keeps one bit a value."""
    tf = tensorflow("memory")
    return masked(x, tf.nn.relu, lambda value: value > 0)


class RememberedReLU:
    """ReLU that decides in its first call, of the forward pass, which values pass; later calls follow it.

    Rounded values near zero would change sides, and with them the gradient; one bit a value is
    kept instead.
    """

    def __init__(self) -> None:
        self._flags: Any = None

    def __call__(self, x: Any) -> Any:
        """ReLU of x, or x where the first call's argument was positive."""
        tf = tensorflow("memory")
        if self._flags is None:
            self._flags = pack_flags(x > 0)
            return tf.nn.relu(x)
        flags = self._flags + tf.cast(zero_of(x), tf.uint8)
        passes = tf.stop_gradient(unpack_flags(flags, tf.shape(x), x.dtype))
        return x * passes


def relu_for(arguments: Any, memory: MemoryConfig) -> Callable[[Any], Any]:
    """The ReLU of a function that is computed again from ``arguments``, tensors or Keras variables."""
    tensors = [argument for argument in arguments if not isinstance(argument, keras.Variable)]
    return RememberedReLU() if any(recipe_of(tensor, memory).lossy for tensor in tensors) else keras.ops.relu


def fits(grid: Any, memory: MemoryConfig) -> bool:
    """Whether the integers of a quantizer's grid fit into the memory's bits."""
    return memory.compresses and isinstance(grid, quantizers.Linear) and grid.bits <= memory.bits


def keep_on_grid(x: Any, grid: quantizers.Linear | None, memory: MemoryConfig) -> None:
    """Keep a tensor whose values lie on ``grid`` as integers, where these fit the memory's bits."""
    if grid is not None and fits(grid, memory):
        rebuild = on_grid(x, grid)
        attach(x, Recipe((x,), lambda zero: (rebuild(zero),), grid=grid))


def pooled(x: Any, memory: MemoryConfig) -> Any:
    """2x2 max-pooling ``[B, H, W, C] -> [B, H/2, W/2, C]`` that keeps two bits a value, and its result.

    A gradient goes to the first maximum of its window, as TensorFlow's own does.
    """
    tf = tensorflow("memory")

    @custom_gradient
    def operation(value: Any) -> tuple[Any, Callable]:
        value = tf.stop_gradient(value)
        y = tf.nn.max_pool2d(value, 2, 2, "VALID")
        corners = [value[:, row::2, column::2] for row in (0, 1) for column in (0, 1)]
        place = tf.fill(tf.shape(y), tf.constant(3, tf.uint8))
        for index in (2, 1, 0):
            place = tf.where(corners[index] == y, tf.constant(index, tf.uint8), place)
        channels = y.shape[-1]
        packed = pack(place, 2)

        def backward(dy: Any) -> Any:
            places = unpack(packed + tf.cast(zero_of(dy), tf.uint8), 2, channels)
            top, bottom = (
                tf.stack([tf.where(places == index, dy, tf.zeros([], dy.dtype)) for index in pair], axis=3)
                for pair in ((0, 1), (2, 3))
            )
            return tf.reshape(tf.stack([top, bottom], axis=2), tf.shape(value))

        return y, backward

    y = operation(x)
    recipe = attached(x)
    keep_on_grid(y, recipe and recipe.grid, memory)
    recipe_of(y, memory)
    return y


def quantized(x: Any, quantizer: Any, memory: MemoryConfig) -> Any:
    """``quantizer(x)``, its gradient and its recipe in as few bits as they need.

    Args:
        x: ``[B, H, W, C]``.
        quantizer: a :class:`~cunet_tf.quantize.quantizers.Linear` keeps one bit a value for its
            gradient, and its result as integers of the grid where these fit the memory's bits.
            Another function is called as it is; ``None`` does nothing.
        memory: what is kept.
    """
    if isinstance(quantizer, quantizers.Linear):
        low, high = quantizer.limits
        x = masked(x, quantizer, lambda v: (v >= low) & (v <= high), quantizer.gradient)
        keep_on_grid(x, quantizer, memory)
    elif quantizer is not None:
        x = quantizer(x)
    recipe_of(x, memory)  # now, so that pooling and upsampling know that this is a training pass
    return x
