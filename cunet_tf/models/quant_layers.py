"""Quantized layers for any Keras model."""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from cunet_tf.aliases import Shape, Tensor
from cunet_tf.backend import on_tensorflow, tensorflow
from cunet_tf.errors import CUNetError
from cunet_tf.memory.strategy import PLAIN, Memory
from cunet_tf.quantize import quantizers

PACKAGE = "cunet_tf"
SETTLING = 200  # batches after which a learned range stands
SAMPLE, TRIED, SMALLEST = 16384, 6, 2.0**-20  # values of a batch that are looked at; ranges; a peak that is none


@keras.saving.register_keras_serializable(PACKAGE)
class QuantActivation(keras.layers.Layer):
    """Applies a quantizer to a tensor of any shape; inside a CU-Net it follows the network's ``memory``.

    A range may be learned: each training batch votes for the power of two whose grid has the least absolute error on a
    sample of its values, the range is the mean vote (of exponents, rounded), and stands after ``SETTLING`` batches. It
    is stored with the model; before the first batch it is 1.

    Args:
        quantizer: a name such as ``"signed8"``, or an object such as ``Linear(8, r=2.0)``; by default ``"signed8"``.
        bits: instead of a quantizer, that of so many bits, whose range is learned unless ``r`` is given.
        r: ``"auto"`` learns the range; a power of two is one; ``None`` leaves what the quantizer says.
        signed: with ``bits``: keep values below 0; else it is a ReLU as well.

    Raises:
        CUNetError: neither a quantizer nor bits, both of them, or a range of something that has none.

    Example:
        >>> QuantActivation("unsigned8")(np.float32([-1.0, 0.5, 2.0])).numpy()
        array([0.        , 0.5       , 0.99609375], dtype=float32)
        >>> QuantActivation(bits=4)(np.float32([0.0, 2.9, 5.1]), training=True).numpy()
        array([0., 3., 5.], dtype=float32)
    """

    memory: Memory = PLAIN

    def __init__(
        self, quantizer: str | Callable[[Tensor], Tensor] | None = None, bits: int | None = None,
        r: float | str | None = None, signed: bool = False,
        **kwargs: object,
    ):  # fmt: skip
        super().__init__(**kwargs)
        if bits is not None and quantizer is not None:
            raise CUNetError("QuantActivation: give a quantizer or bits, not both.")
        if isinstance(r, str) and r != "auto":
            raise CUNetError(f"QuantActivation: r={r!r}: give 'auto', or a power of two.")
        self.learned = r == "auto" or (bits is not None and r is None)
        self.quantizer: Any = quantizers.get(quantizer or "signed8")
        if bits is not None:
            self.quantizer = quantizers.Linear(bits, signed=signed)
        if r is not None or self.learned:
            if not isinstance(self.quantizer, quantizers.Linear):
                raise CUNetError(f"QuantActivation: {quantizer!r} has no range: leave out r.")
            self.quantizer = self.quantizer.with_range(1.0 if isinstance(r, str) or r is None else r)

    def build(self, input_shape: Shape) -> None:
        """Make the variables, for inputs of a shape."""
        if self.learned:
            for name in ("exponent", "batches"):
                made = self.add_weight(name=name, shape=(), initializer="zeros", trainable=False, dtype="float32",
                                       autocast=False, aggregation="mean")  # fmt: skip
                setattr(self, name, made)

    def call(self, x: Tensor, training: bool | None = None) -> Tensor:
        """The quantized tensor; in training a learned range takes the batch in."""
        if not self.learned:
            return self._quantize(x, training)
        if training and self.trainable:
            self._vote(x)
        r = ops.cast(
            ops.power(2.0, ops.round(self.exponent)), x.dtype
        )  # dividing by a power of two changes nothing else
        return self._quantize(x / r, training) * r

    def _quantize(self, x: Tensor, training: bool | None) -> Tensor:
        return self.memory.quantized(x, self.quantizer) if training else self.quantizer(x)

    def _vote(self, x: Tensor) -> None:
        """Take the best exponent of a batch into the mean."""
        best, known = best_exponent(x, self.quantizer)
        count = ops.where(known & (self.batches < SETTLING), 1.0, 0.0)
        self.batches.assign_add(count)
        self.exponent.assign_add(count * (best - self.exponent) / ops.maximum(self.batches, 1.0))

    def settled(self) -> Any:
        """The quantizer with its range, a learned one too.

        Raises:
            CUNetError: nothing was learned yet.
        """
        if not self.learned:
            return self.quantizer
        if not float(self.batches):
            raise CUNetError(f"layer {self.path}: its range is learned in training, and there was none yet.")
        return self.quantizer.with_range(2.0 ** round(float(self.exponent)))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape stays what it is."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, as Keras saves them."""
        own = {"quantizer": keras.saving.serialize_keras_object(self.quantizer), "r": "auto" if self.learned else None}
        return {**super().get_config(), **own}


def best_exponent(x: Tensor, grid: quantizers.Linear, power: int = 1) -> tuple[Tensor, Tensor]:
    """The exponent of the power-of-two range with the least error on a sample of ``x``.

    Args:
        x: a tensor of any shape.
        grid: bits and sign.
        power: of the error, whose mean counts. Absolute errors forgive cutting off the few largest values, which
            trains better than the steps that squared errors choose (docs/quantization.md).

    Returns:
        The exponent, a float32 scalar; whether ``x`` has values to judge by.
    """
    flat = ops.reshape(ops.cast(x, "float32"), (-1,))
    values = ops.stop_gradient(ops.take(flat, _places(flat)))
    values = values if grid.signed else ops.relu(values)
    peak = ops.max(ops.abs(values))
    top = ops.ceil(ops.log(ops.maximum(peak, SMALLEST)) / math.log(2.0))
    exponents = top - ops.arange(TRIED, dtype="float32")
    step = grid.step * ops.power(2.0, exponents)[:, None]
    low, high = (limit / grid.step for limit in grid.limits)
    errors = ops.clip(ops.floor(values / step + 0.5), low, high) * step - values
    best = ops.argmin(ops.mean(ops.abs(errors) ** power, axis=1))
    return ops.take(exponents, best), peak > SMALLEST


def _places(flat: Tensor) -> Tensor:
    """Random places in a flat tensor, the same in every call."""
    if on_tensorflow():  # where batches may have any length
        tf = tensorflow()
        return tf.random.stateless_uniform([SAMPLE], (1, 2), 0, tf.maximum(tf.size(flat), 1), tf.int32)
    return np.random.default_rng(1).integers(0, max(flat.shape[0], 1), SAMPLE, np.int32)


@keras.saving.register_keras_serializable(PACKAGE)
class QuantConv2D(keras.layers.Conv2D):
    """``keras.layers.Conv2D`` with a quantized kernel and input.

    The float kernel is the trained variable and stays within [-1, 1]; each call quantizes it
    anew. Bias and activation are Keras' own.

    Args:
        filters, kernel_size: and all other arguments of ``keras.layers.Conv2D``.
        kernel_quantizer: a name such as ``"binary-a"``, an object such as ``Binary(alpha=True)``,
            or ``None``.
        input_quantizer: the same for the layer's input.

    Raises:
        CUNetError: unknown name of a quantizer.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int],
        *args: object,
        kernel_quantizer: str | Callable[[Tensor], Tensor] | None = "binary-a",
        input_quantizer: str | Callable[[Tensor], Tensor] | None = None,
        **kwargs: object,
    ):
        self.kernel_quantizer = quantizers.get(kernel_quantizer)
        self.input_quantizer = quantizers.get(input_quantizer)
        kwargs.setdefault("kernel_constraint", getattr(self.kernel_quantizer, "constraint", None))
        super().__init__(filters, kernel_size, *args, **kwargs)

    def call(self, inputs: Tensor) -> Tensor:
        """The convolution of the quantized input by the quantized kernel."""
        return super().call(inputs if self.input_quantizer is None else self.input_quantizer(inputs))

    def convolution_op(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        """Keras' own step, with the quantized kernel."""
        quantized = kernel if self.kernel_quantizer is None else self.kernel_quantizer(kernel)
        return super().convolution_op(inputs, quantized)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, as Keras saves them."""
        own = {
            name: keras.saving.serialize_keras_object(getattr(self, name))
            for name in ("kernel_quantizer", "input_quantizer")
        }
        return {**super().get_config(), **own}
