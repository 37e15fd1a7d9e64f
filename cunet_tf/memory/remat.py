"""Functions whose backward pass keeps little: recomputed, masked, pooled (paper, section 4.3)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cunet_tf.aliases import Backward, Tensor
from cunet_tf.backend import custom_gradient, tensorflow
from cunet_tf.memory.pooling import corners
from cunet_tf.memory.storage import Restore, pack, pack_flags, unpack, unpack_flags
from cunet_tf.memory.waiting import zero_of
from cunet_tf.quantize.quantizers import Linear


@dataclass(frozen=True)
class Kept:
    """How a tensor's value is found again in the backward pass, however many functions read it.

    Attributes:
        restore: from a zero that waits to the value.
        lossy: the restored value differs from the one of the forward pass.
        grid: the quantizer on whose grid the tensor's values lie, if there is one.
    """

    restore: Restore
    lossy: bool = False
    grid: Linear | None = None


class _Relus:
    """The ReLUs of one recomputed function: which values passed is decided once, in the forward pass.

    Restored values near zero may have changed sides, and with them the gradient; one bit a
    value is kept instead. Calls come in the same order every time.
    """

    def __init__(self) -> None:
        self._flags: list[Tensor] = []

    def first(self, x: Tensor) -> Tensor:
        """ReLU, remembered."""
        tf = tensorflow("memory")
        self._flags.append(pack_flags(x > 0))
        return tf.nn.relu(x)

    def again(self) -> Callable[[Tensor], Tensor]:
        """A function that lets pass what passed then."""
        tf = tensorflow("memory")
        flags = iter(self._flags)

        def relu(x: Tensor) -> Tensor:
            packed = next(flags) + tf.cast(zero_of(x), tf.uint8)
            return x * tf.stop_gradient(unpack_flags(packed, tf.shape(x), x.dtype))

        return relu


def recomputed(function: Callable, tensors: Sequence[Tensor], kept: Sequence[Kept]) -> Tensor:
    """``function(*tensors)``, whose backward pass restores the arguments and runs the function again.

    Args:
        function: a pure function of tensors; takes the ReLU to use as ``relu``. Returns a tensor, or a
            tuple of tensors of which only the first has a gradient (the others are moments).
        tensors: its arguments.
        kept: how each of them is found again.
    """
    tf = tensorflow("memory")
    relus = _Relus() if any(each.lossy for each in kept) else None

    @tf.custom_gradient
    def operation(*inputs: Tensor) -> Tensor:
        outputs = function(*map(tf.stop_gradient, inputs), relu=relus.first if relus else tf.nn.relu)

        def backward(*gradients: Tensor) -> list[Tensor]:
            zero = zero_of(gradients[0])
            values = [each.restore(zero) for each in kept]
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(values)
                again = function(*values, relu=relus.again() if relus else tf.nn.relu)
            first = again[0] if isinstance(again, tuple) else again
            return tape.gradient(first, values, gradients[0])

        return outputs, backward

    # Every value enters as an argument: TensorFlow would search what is captured for variables.
    return operation(*tensors)


def masked(
    x: Tensor, function: Callable[[Tensor], Tensor], mask: Callable[[Tensor], Tensor], gradient: Callable | None = None
) -> Tensor:
    """``function(x)``, whose gradient passes where ``mask(x)`` is true: one bit a value is kept.

    Args:
        x: any float tensor.
        function: of x, of the same shape and type.
        mask: of x, boolean.
        gradient: then applied to the gradient, ``None`` for nothing.
    """

    @custom_gradient
    def operation(value: Tensor) -> tuple[Tensor, Backward]:
        tf = tensorflow("memory")
        value = tf.stop_gradient(value)
        shape, flags = tf.shape(value), pack_flags(mask(value))

        def backward(dy: Tensor) -> Tensor:
            dx = dy * unpack_flags(flags + tf.cast(zero_of(dy), tf.uint8), shape, dy.dtype)
            dx.set_shape(dy.shape)
            return dx if gradient is None else gradient(dx)

        return function(value), backward

    return operation(x)


def pooled(x: Tensor) -> Tensor:
    """2x2 max-pooling ``[B, H, W, C] -> [B, H/2, W/2, C]`` that keeps two bits a value, and its result.

    A gradient goes to the first maximum of its window, as TensorFlow's own does.
    """

    @custom_gradient
    def operation(value: Tensor) -> tuple[Tensor, Backward]:
        tf = tensorflow("memory")
        value = tf.stop_gradient(value)
        y = tf.nn.max_pool2d(value, 2, 2, "VALID")
        pixels = corners(value)
        place = tf.fill(tf.shape(y), tf.constant(3, tf.uint8))
        for index in (2, 1, 0):
            place = tf.where(pixels[index] == y, tf.constant(index, tf.uint8), place)
        channels, packed = y.shape[-1], pack(place, 2)

        def backward(dy: Tensor) -> Tensor:
            places = unpack(packed + tf.cast(zero_of(dy), tf.uint8), 2, channels)
            top, bottom = (
                tf.stack([tf.where(places == index, dy, tf.zeros([], dy.dtype)) for index in pair], axis=3)
                for pair in ((0, 1), (2, 3))
            )
            return tf.reshape(tf.stack([top, bottom], axis=2), tf.shape(value))

        return y, backward

    return operation(x)
