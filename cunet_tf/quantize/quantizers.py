"""Serialisable objects over the functions of :mod:`cunet_tf.quantize.functional`."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import keras
from keras import ops

from cunet_tf.aliases import Tensor
from cunet_tf.errors import CUNetError, did_you_mean
from cunet_tf.quantize import functional

PACKAGE = "cunet_tf"


class Quantizer:
    """A function of one tensor with a configuration; equal configurations are equal."""

    def __call__(self, x: Tensor) -> Tensor:
        """The quantized tensor, of the same shape."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, all plain values."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Quantizer":
        """Inverse of :meth:`get_config`."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash((type(self), tuple(sorted(self.get_config().items()))))


class KernelQuantizer(Quantizer):
    """Common part of :class:`Binary`, :class:`Ternary` and, but for alpha and shift, :class:`Uniform`.

    Args:
        alpha: scale each filter by its own alpha.
        centered: subtract the mean over the input channels first.
        shift: without alpha, scale by the fixed power of two nearest to
            1/(2 sqrt(fan_in)), the mean absolute weight of a fresh kernel: a shift, which costs no
            byte and brings the output into the range of the features' grid (WAGE's layer
            shift plays this part).
        gradient_bits: bits of the kernel's own gradient, rounded stochastically; ``None``
            leaves it alone.
        bound: see :class:`ClipMaster`, the constraint that belongs to this quantizer.
    """

    bits: int
    function: Callable

    def __init__(
        self,
        alpha: bool = False,
        centered: bool = False,
        shift: bool = False,
        gradient_bits: int | None = None,
        bound: float = 0.0,
    ):
        self.alpha, self.centered, self.shift = alpha, centered, shift
        self.gradient_bits, self.bound = gradient_bits, bound

    @property
    def constraint(self) -> "ClipMaster | None":
        """What keeps the float master in range after each step."""
        return ClipMaster(self.bound)

    def __call__(self, w: Tensor) -> Tensor:
        """The quantized kernel ``[..., filters]``."""
        w = self.prepare(w)
        q = type(self).function(w, self.alpha)
        return q if self.alpha or not self.shift else q * fixed_scale(math.prod(w.shape[:-1]))

    def prepare(self, w: Tensor) -> Tensor:
        """The kernel that is rounded: centred where that is wanted; its gradient is quantized on the way back."""
        w = ops.convert_to_tensor(w)
        if self.gradient_bits:
            w = functional.quantized_gradient(w, self.gradient_bits)
        return functional.center(w) if self.centered else w


def fixed_scale(fan_in: int) -> float:
    """The power of two nearest to 1/(2 sqrt(fan_in)).

    Example:
        >>> fixed_scale(64)
        0.0625
    """
    return 2.0 ** -round(math.log2(2.0 * math.sqrt(fan_in)))


@keras.saving.register_keras_serializable(PACKAGE)
class Binary(KernelQuantizer):
    """:func:`~cunet_tf.quantize.functional.binary` as an object."""

    bits = 1
    function = staticmethod(functional.binary)


@keras.saving.register_keras_serializable(PACKAGE)
class Ternary(KernelQuantizer):
    """:func:`~cunet_tf.quantize.functional.ternary` as an object."""

    bits = 2
    function = staticmethod(functional.ternary)


@keras.saving.register_keras_serializable(PACKAGE)
class Uniform(KernelQuantizer):
    """:func:`~cunet_tf.quantize.functional.uniform` as an object: k-bit kernels, a step for each filter.

    Args:
        bits: k, 2 to 8.
        centered, gradient_bits, bound: see :class:`KernelQuantizer`; without a bound masters are left alone.
    """

    def __init__(self, bits: int = 4, centered: bool = False, gradient_bits: int | None = None, bound: float = 0.0):
        functional.require_kernel_bits(bits)
        self.bits, self.centered, self.gradient_bits, self.bound = bits, centered, gradient_bits, bound

    @property
    def constraint(self) -> "ClipMaster | None":
        """See :class:`KernelQuantizer`."""
        return ClipMaster(self.bound) if self.bound else None

    def __call__(self, w: Tensor) -> Tensor:
        """The quantized kernel ``[..., filters]``."""
        return functional.uniform(self.prepare(w), self.bits)

    def integers(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """Whole numbers of a kernel and the step of each filter, see :func:`functional.uniform_integers`."""
        return functional.uniform_integers(self.prepare(w), self.bits)


@keras.saving.register_keras_serializable(PACKAGE)
class Linear(Quantizer):
    """:func:`~cunet_tf.quantize.functional.linear` as an object.

    Args:
        bits: k.
        r: end of the range, a power of two.
        signed: grid around zero, or from zero up.
        narrow: leave out the lowest integer of the signed grid, as eq. 7.
        gradient_bits: bits of the scaled gradient; ``None`` leaves it in float.
        nearest: round the gradient to the nearest step instead of stochastically.
    """

    def __init__(
        self,
        bits: int = 8,
        r: float = 1.0,
        signed: bool = True,
        narrow: bool = False,
        gradient_bits: int | None = None,
        nearest: bool = False,
    ):
        functional.limits(bits, r, signed, narrow)
        self.bits, self.r, self.signed, self.narrow = bits, float(r), signed, narrow
        self.gradient_bits, self.nearest = gradient_bits, nearest

    def __call__(self, x: Tensor) -> Tensor:
        """The rounded tensor, of any shape."""
        return functional.linear(x, self.bits, self.r, self.signed, self.narrow, self.gradient)

    def with_range(self, r: float) -> "Linear":
        """The same with another range."""
        return Linear(**{**self.get_config(), "r": r})

    @property
    def gradient(self) -> Callable[[Tensor], Tensor] | None:
        """What is done to the gradient, ``None`` for nothing."""
        if not self.gradient_bits:
            return None
        return partial(functional.scaled_gradient, bits=self.gradient_bits, stochastic=not self.nearest)

    @property
    def step(self) -> float:
        """Distance of neighbouring values."""
        return self.r * 2.0 ** ((1 if self.signed else 0) - self.bits)

    @property
    def limits(self) -> tuple[float, float]:
        """Lowest and highest value."""
        return functional.limits(self.bits, self.r, self.signed, self.narrow)


@keras.saving.register_keras_serializable(PACKAGE)
class ClipMaster(keras.constraints.Constraint):
    """Keeps float masters in [-1, 1], where the straight-through gradient lives.

    Args:
        bound: a filter whose mean abs(w) exceeds bound/(2 sqrt(fan_in)), the mean of a fresh
            kernel for 1, is scaled down to it; 0 lets it grow. Batch normalisation undoes any
            scale of a filter, so training only inflates it, and inflated filters leave the
            grid of the features: a fixed range needs the bound.
    """

    def __init__(self, bound: float = 0.0):
        self.bound = bound

    def __call__(self, w: Tensor) -> Tensor:
        """The clipped kernel ``[..., filters]``."""
        if self.bound:
            axes = tuple(range(len(w.shape) - 1))
            largest = self.bound / (2.0 * math.sqrt(math.prod(w.shape[:-1])))
            mean = ops.mean(ops.abs(w), axis=axes, keepdims=True)
            w = w * ops.minimum(1.0, largest / ops.maximum(mean, keras.config.epsilon()))
        return ops.clip(w, -1.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, as Keras saves them."""
        return {"bound": self.bound}


NAMED: dict[str, Callable[[], Quantizer]] = {
    "binary": Binary,
    "binary-a": partial(Binary, alpha=True),
    "ternary": Ternary,
    "ternary-a": partial(Ternary, alpha=True),
    **{f"w{bits}": partial(Uniform, bits) for bits in functional.KERNEL_BITS},
    "signed8": partial(Linear, 8),
    "unsigned8": partial(Linear, 8, signed=False),
    "signed6": partial(Linear, 6),
    "unsigned6": partial(Linear, 6, signed=False),
}


def get(identifier: str | dict[str, Any] | Callable | None) -> Callable | None:
    """A quantizer by name, by serialised configuration, or as it is.

    Raises:
        CUNetError: unknown name.

    Example:
        >>> get("binary-a").alpha
        True
    """
    if isinstance(identifier, str):
        if identifier not in NAMED:
            raise CUNetError(f"unknown quantizer {identifier!r}. {did_you_mean(identifier, NAMED)}")
        return NAMED[identifier]()
    return keras.saving.deserialize_keras_object(identifier) if isinstance(identifier, dict) else identifier
