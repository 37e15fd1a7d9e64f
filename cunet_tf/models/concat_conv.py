"""The one operation of CU-Net, concat-BN-ReLU-conv, in both orders (paper, section 4.1)."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from cunet_tf.aliases import Shapes, Tensor
from cunet_tf.backend import on_tensorflow
from cunet_tf.memory.strategy import Memory
from cunet_tf.models.convolution import PACKAGE, NormalizedConv
from cunet_tf.models.normalize import batch_moments_norm


@keras.saving.register_keras_serializable(PACKAGE)
class ConcatBNReLUConv(NormalizedConv):
    """``conv(ReLU(BN(concat(inputs))))``, the one operation of CU-Net, without bias.

    The layer owns its kernel and ``bn_sets`` independent sets of BN variables (two for
    iterative refinement, paper section 3.4). Four hooks let quantization and memory
    sharing in without a change of variables, so that a float checkpoint fits them all:
    :meth:`quantize_input`, :meth:`quantize_kernel`, :meth:`quantize_output` and ``memory``.

    Args:
        filters: output channels.
        kernel_size: 1 or 3; stride 1, zero padding "same".
        bn_sets: number of BN variable sets; ``call`` chooses one with ``bn_set``.
        gamma_init: see :class:`NormalizedConv`.
        input_quantizer: applied to the convolution's input, ``None`` does nothing.
        kernel_quantizer: applied to the kernel, ``None`` does nothing.
        output_quantizer: applied to the output, ``None`` does nothing.

    Input: a tensor ``[B, H, W, C]`` or a list of them with equal B, H, W.
    Output: ``[B, H, W, filters]``.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int = 1,
        bn_sets: int = 1,
        gamma_init: str = "ones",
        input_quantizer: Callable | None = None,
        kernel_quantizer: Callable | None = None,
        output_quantizer: Callable | None = None,
        **kwargs: object,
    ):
        super().__init__(filters, kernel_size, bn_sets, gamma_init, **kwargs)
        self.input_quantizer = input_quantizer
        self.kernel_quantizer = kernel_quantizer
        self.output_quantizer = output_quantizer

    def build(self, input_shape: Shapes) -> None:
        """Make the variables, for inputs of a shape."""
        channels = sum(shape[-1] for shape in shapes_of(input_shape))
        self.add_variables(channels, channels, getattr(self.kernel_quantizer, "constraint", None))

    def call(self, inputs: Tensor, training: bool | None = None, bn_set: int = 0) -> Tensor:
        """The operation on one tensor or several ``[B, H, W, *]``: ``[B, H, W, filters]``."""
        tensors = as_list(inputs)
        if training and self.trainable:
            return train_chain(self.memory, [self], tensors, bn_set)
        return self.quantize_output(self.infer(joined(tensors), bn_set))

    def infer(self, x: Tensor, bn_set: int) -> Tensor:
        """The operation on joined tensors, by the moving statistics."""
        return self.convolve(self.normalize_fixed(x, bn_set), self.kernel, product=False)

    def trained(self, bn_set: int) -> list[Tensor]:
        """The variables of :meth:`train`."""
        return [*self.bn[bn_set][:2], self.kernel]

    def train(self, x: Tensor, *variables: Tensor, relu: Callable = ops.relu) -> tuple[Tensor, ...]:
        """The operation on joined tensors, by the batch's moments, a pure function: result, mean, variance."""
        gamma, beta, kernel = variables
        normed, *moments = batch_moments_norm(x, gamma, beta)
        return self.convolve(normed, kernel, relu), *moments

    def convolve(self, normed: Tensor, kernel: Tensor, relu: Callable = ops.relu, product: bool = True) -> Tensor:
        """``conv(ReLU(.))`` with the quantizers of input and kernel; a pure function of tensors.

        ``product``: a 1x1 convolution may be a matrix product, which trains faster (docs/training.md); what is
        exported, or predicts under TensorFlow, stays a convolution.
        """
        x = self.quantize_input(relu(normed))
        kernel = ops.cast(self.quantize_kernel(kernel), x.dtype)
        if self.kernel_size == 1 and (product or not on_tensorflow()):
            return pointwise(x, kernel)
        return ops.conv(x, kernel, padding="same")

    def quantize_input(self, x: Tensor) -> Tensor:
        """Hook on the convolution's input, after ReLU."""
        return x if self.input_quantizer is None else self.input_quantizer(x)

    def quantize_kernel(self, kernel: Tensor) -> Tensor:
        """Hook on the kernel; the float variable is never overwritten."""
        return kernel if self.kernel_quantizer is None else self.kernel_quantizer(kernel)

    def quantize_output(self, y: Tensor) -> Tensor:
        """Hook on the output, the tensor that others concatenate."""
        return y if self.output_quantizer is None else self.output_quantizer(y)

    def compute_output_shape(self, input_shape: Shapes) -> tuple:
        """Shape of the results, of that of the inputs, as Keras asks for it."""
        return (*shapes_of(input_shape)[0][:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, as Keras saves them."""
        own = {name: getattr(self, name) for name in ("filters", "kernel_size", "bn_sets", "gamma_init")}
        for name in ("input_quantizer", "kernel_quantizer", "output_quantizer"):
            own[name] = keras.saving.serialize_keras_object(getattr(self, name))
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ConcatBNReLUConv":
        """Inverse of :meth:`get_config`."""
        for name in ("input_quantizer", "kernel_quantizer", "output_quantizer"):
            config[name] = keras.saving.deserialize_keras_object(config.get(name))
        return cls(**config)


@keras.saving.register_keras_serializable(PACKAGE)
class ConcatConvBNReLU(ConcatBNReLUConv):
    """``ReLU(BN(conv(concat(inputs))))``: the other order, in which a deployed convolution holds its normalisation.

    A memory mode computes the convolution again as well: what a normalisation reads is its result.

    Args:
        normalize: with BN and ReLU; without, it is a bare convolution (a head, whose maps are linear).
        filters, kernel_size, bn_sets, gamma_init, kernel_quantizer, output_quantizer: see :class:`ConcatBNReLUConv`;
            the inputs are on their grids already.
    """

    def __init__(self, filters: int, kernel_size: int = 1, normalize: bool = True, **kwargs: Any):
        super().__init__(filters, kernel_size, **kwargs)
        self.normalize = normalize

    def build(self, input_shape: Shapes) -> None:
        """Make the variables, for inputs of a shape."""
        channels = sum(shape[-1] for shape in shapes_of(input_shape))
        normalized = self.filters if self.normalize else 0
        self.add_variables(channels, normalized, getattr(self.kernel_quantizer, "constraint", None))

    def convolve(self, normed: Tensor, kernel: Tensor, relu: Callable | None = None, product: bool = True) -> Tensor:
        """The bare convolution."""
        return super().convolve(normed, kernel, lambda x: x, product)

    def infer(self, x: Tensor, bn_set: int) -> Tensor:
        """The operation on joined tensors, by the moving statistics."""
        y = self.convolve(x, self.kernel, product=False)
        return ops.relu(self.normalize_fixed(y, bn_set)) if self.normalize else y

    def trained(self, bn_set: int) -> list[Tensor]:
        """The variables of :meth:`train`."""
        return super().trained(bn_set) if self.normalize else [self.kernel]

    def train(self, x: Tensor, *variables: Tensor, relu: Callable = ops.relu) -> tuple[Tensor, ...]:
        """See :meth:`ConcatBNReLUConv.train`; a bare convolution has no mean and variance."""
        *affine, kernel = variables
        y = self.convolve(x, kernel)
        if not self.normalize:
            return (y,)
        normed, *moments = batch_moments_norm(y, *affine)
        return relu(normed), *moments

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, as Keras saves them."""
        return {**super().get_config(), "normalize": self.normalize}


def train_chain(memory: Memory, chain: Sequence[ConcatBNReLUConv], tensors: Sequence[Tensor], bn_set: int) -> Tensor:
    """A training pass through convolutions each of which reads the one before: one function to recompute.

    Args:
        memory: what is kept.
        chain: convolutions; nobody else reads the outputs of all but the last.
        tensors: inputs of the first, ``[B, H, W, *]``.
        bn_set: which BN variables.

    Returns:
        The last output ``[B, H, W, filters]``, quantized; moving statistics are updated.
    """

    def function(*args: Tensor, relu: Callable = ops.relu) -> tuple[Tensor, ...]:
        y, rest = joined(args[: len(tensors)]), iter(args[len(tensors) :])
        moments: list[Tensor] = []
        for index, conv in enumerate(chain):
            if index:
                y = chain[index - 1].quantize_output(y)
            y, *both = conv.train(y, *itertools.islice(rest, len(conv.trained(bn_set))), relu=relu)
            moments += both
        return (y, *moments)

    variables = [variable for conv in chain for variable in conv.trained(bn_set)]
    output, *moments = memory.recompute(function, *tensors, *variables)
    for index, conv in enumerate(chain[: len(moments) // 2]):  # a bare convolution has none
        conv.update_statistics(bn_set, *moments[2 * index : 2 * index + 2])
    return memory.quantized(output, chain[-1].output_quantizer)


def pointwise(x: Tensor, kernel: Tensor) -> Tensor:
    """A 1x1 convolution ``[B, H, W, C] -> [B, H, W, F]`` as a matrix product, by a kernel ``[1, 1, C, F]``."""
    rows = ops.matmul(ops.reshape(x, (-1, x.shape[-1])), ops.reshape(kernel, kernel.shape[-2:]))
    return ops.reshape(rows, (-1, *x.shape[1:-1], kernel.shape[-1]))


def as_list(inputs: Tensor) -> list[Tensor]:
    """What a layer was called with, as a list."""
    return list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]


def joined(tensors: Sequence[Tensor]) -> Tensor:
    """One tensor as it is, several concatenated along their channels."""
    return tensors[0] if len(tensors) == 1 else ops.concatenate(tensors, axis=-1)


def shapes_of(input_shape: Shapes) -> list[tuple]:
    """A list of shapes, whether one tensor or a list of them was given."""
    single = not isinstance(input_shape[0], (list, tuple))
    return [tuple(input_shape)] if single else [tuple(shape) for shape in input_shape]
