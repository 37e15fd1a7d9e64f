"""The layers of CU-Net: one operation, concat-BN-ReLU-conv, and what is composed of it (paper, section 4.1)."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from cunet_tf.backend import custom_gradient
from cunet_tf.memory.strategy import PLAIN, Memory
from cunet_tf.models.convolution import PACKAGE, NormalizedConv
from cunet_tf.models.normalize import batch_moments_norm
from cunet_tf.quantize.names import QuantConfig
from cunet_tf.quantize.placement import conv_quantizers


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
        **kwargs: Any,
    ):
        super().__init__(filters, kernel_size, bn_sets, gamma_init, **kwargs)
        self.input_quantizer = input_quantizer
        self.kernel_quantizer = kernel_quantizer
        self.output_quantizer = output_quantizer

    def build(self, input_shape: Any) -> None:
        channels = sum(shape[-1] for shape in _shapes(input_shape))
        self.add_variables(channels, channels, getattr(self.kernel_quantizer, "constraint", None))

    def call(self, inputs: Any, training: bool | None = None, bn_set: int = 0) -> Any:
        tensors = _list(inputs)
        if training and self.trainable:
            return train_chain(self.memory, [self], tensors, bn_set)
        return self.quantize_output(self.convolve(self.normalize_fixed(_concat(tensors), bn_set), self.kernel))

    def convolve(self, normed: Any, kernel: Any, relu: Callable = ops.relu) -> Any:
        """``conv(ReLU(.))`` with the quantizers of input and kernel; a pure function of tensors."""
        x = self.quantize_input(relu(normed))
        return ops.conv(x, ops.cast(self.quantize_kernel(kernel), x.dtype), padding="same")

    def quantize_input(self, x: Any) -> Any:
        """Hook on the convolution's input, after ReLU."""
        return x if self.input_quantizer is None else self.input_quantizer(x)

    def quantize_kernel(self, kernel: Any) -> Any:
        """Hook on the kernel; the float variable is never overwritten."""
        return kernel if self.kernel_quantizer is None else self.kernel_quantizer(kernel)

    def quantize_output(self, y: Any) -> Any:
        """Hook on the output, the tensor that others concatenate."""
        return y if self.output_quantizer is None else self.output_quantizer(y)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return (*_shapes(input_shape)[0][:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("filters", "kernel_size", "bn_sets", "gamma_init")}
        for name in ("input_quantizer", "kernel_quantizer", "output_quantizer"):
            own[name] = keras.saving.serialize_keras_object(getattr(self, name))
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ConcatBNReLUConv":
        for name in ("input_quantizer", "kernel_quantizer", "output_quantizer"):
            config[name] = keras.saving.deserialize_keras_object(config.get(name))
        return cls(**config)


def train_chain(memory: Memory, chain: Sequence[ConcatBNReLUConv], tensors: Sequence[Any], bn_set: int) -> Any:
    """A training pass through convolutions each of which reads the one before: one function to recompute.

    Args:
        memory: what is kept.
        chain: convolutions; nobody else reads the outputs of all but the last.
        tensors: inputs of the first, ``[B, H, W, *]``.
        bn_set: which BN variables.

    Returns:
        The last output ``[B, H, W, filters]``, quantized; moving statistics are updated.
    """

    def function(*args: Any, relu: Callable = ops.relu) -> tuple[Any, ...]:
        y = _concat(args[: len(tensors)])
        moments: list[Any] = []
        for index, conv in enumerate(chain):
            if index:
                y = chain[index - 1].quantize_output(y)
            first = len(tensors) + 3 * index
            gamma, beta, kernel = args[first : first + 3]
            normed, *both = batch_moments_norm(y, gamma, beta)
            y, moments = conv.convolve(normed, kernel, relu), [*moments, *both]
        return (y, *moments)

    variables = [variable for conv in chain for variable in (*conv.bn[bn_set][:2], conv.kernel)]
    output, *moments = memory.recompute(function, *tensors, *variables)
    for index, conv in enumerate(chain):
        conv.update_statistics(bn_set, *moments[2 * index : 2 * index + 2])
    return memory.quantized(output, chain[-1].output_quantizer)


@keras.saving.register_keras_serializable(PACKAGE)
class SemanticBlock(keras.layers.Layer):
    """A semantic block (paper, section 4.1, Fig. 4): bottleneck, new features, adapters.

    With z the concatenated inputs, ``f = conv3x3(conv1x1(z))`` (4n, then n channels) and
    ``z' = [z, f]``: ``ahead = conv1x1(z')`` and, for top-down blocks, ``skip = conv1x1(z')``,
    m channels each. The width 4n follows the reference; the paper's text says 4m.

    Args:
        main_channels: m.
        growth: n.
        with_skip: also return skip.
        bn_sets, gamma_init: see :class:`ConcatBNReLUConv`.
        quant: the quantization, or its name, see :class:`~cunet_tf.quantize.names.QuantConfig`.

    Input: list of ``[B, H, W, *]``: the main inputs, then the new features of the previous
    c_i U-Nets, oldest first. Output: list ``[f, ahead]`` or ``[f, ahead, skip]``.
    """

    def __init__(
        self,
        main_channels: int,
        growth: int,
        with_skip: bool = False,
        bn_sets: int = 1,
        gamma_init: str = "ones",
        quant: str | QuantConfig = "float",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.main_channels, self.growth, self.with_skip = main_channels, growth, with_skip
        self.bn_sets, self.gamma_init = bn_sets, gamma_init
        self.quant = QuantConfig.parse(quant)

        def make(filters: int, size: int, name: str, concatenated: bool = True) -> ConcatBNReLUConv:
            quantizers = conv_quantizers(self.quant, f"{self.name}/{name}", concatenated)
            return ConcatBNReLUConv(
                filters, size, bn_sets, gamma_init, name=name, dtype=self.dtype_policy, **quantizers
            )

        self.bottleneck = make(4 * growth, 1, "bottleneck", concatenated=False)
        self.features = make(growth, 3, "features")
        self.ahead = make(main_channels, 1, "ahead")
        self.skip = make(main_channels, 1, "skip") if with_skip else None

    @property
    def convolutions(self) -> list[ConcatBNReLUConv]:
        """The convolutions of the block, in running order."""
        return [self.bottleneck, self.features, self.ahead] + ([self.skip] if self.skip is not None else [])

    def build(self, input_shape: Any) -> None:
        shapes = _shapes(input_shape)
        grid = tuple(shapes[0][:-1])
        self.bottleneck.build(shapes)
        self.features.build((*grid, 4 * self.growth))
        extended = [*shapes, (*grid, self.growth)]
        self.ahead.build(extended)
        if self.skip is not None:
            self.skip.build(extended)

    def call(self, inputs: Any, training: bool | None = None, bn_set: int = 0) -> list[Any]:
        options = {"training": training, "bn_set": bn_set}
        parts, memory = _list(inputs), self.bottleneck.memory
        if training and memory.joins and self.bottleneck.trainable and self.features.trainable:
            features = train_chain(memory, [self.bottleneck, self.features], parts, bn_set)
        else:
            features = self.features(self.bottleneck(parts, **options), **options)
        extended = [*parts, features]
        outputs = [features, self.ahead(extended, **options)]
        return outputs if self.skip is None else [*outputs, self.skip(extended, **options)]

    def compute_output_shape(self, input_shape: Any) -> list[tuple]:
        grid = tuple(_shapes(input_shape)[0][:-1])
        wide = [(*grid, self.main_channels)] * (2 if self.with_skip else 1)
        return [(*grid, self.growth), *wide]

    def get_config(self) -> dict[str, Any]:
        names = ("main_channels", "growth", "with_skip", "bn_sets", "gamma_init")
        own = {name: getattr(self, name) for name in names}
        return {**super().get_config(), **own, "quant": str(self.quant)}


@keras.saving.register_keras_serializable(PACKAGE)
class Upsample2x(keras.layers.Layer):
    """Nearest x2: ``[B, H, W, C] -> [B, 2H, 2W, C]``, one RESIZE_NEAREST_NEIGHBOR in TFLite."""

    memory: Memory = PLAIN

    def call(self, x: Any, training: bool | None = None) -> Any:
        if not training or keras.backend.backend() != "tensorflow":
            return self._resize(x)
        return self.memory.derived(self._resize_to_train, x)

    def _resize_to_train(self, x: Any) -> Any:
        """As :meth:`_resize`; XLA has no gradient of TensorFlow's operation on a CPU."""

        @custom_gradient
        def operation(value: Any) -> tuple[Any, Callable]:
            return self._resize(value), lambda dy: 4.0 * ops.average_pool(dy, 2, 2)

        return operation(x)

    def _resize(self, x: Any) -> Any:
        return ops.image.resize(x, (2 * x.shape[1], 2 * x.shape[2]), interpolation="nearest")

    def compute_output_shape(self, input_shape: Any) -> tuple:
        batch, height, width, channels = input_shape
        return (batch, 2 * height, 2 * width, channels)


@keras.saving.register_keras_serializable(PACKAGE)
class MaxPool(keras.layers.MaxPooling2D):
    """2x2 max-pooling between the blocks of a U-Net; a memory mode keeps where each maximum was."""

    memory: Memory = PLAIN

    def call(self, x: Any, training: bool | None = None) -> Any:
        return self.memory.pooled(x) if training else super().call(x)


def _list(inputs: Any) -> list[Any]:
    return list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]


def _concat(tensors: Sequence[Any]) -> Any:
    return tensors[0] if len(tensors) == 1 else ops.concatenate(tensors, axis=-1)


def _shapes(input_shape: Any) -> list[tuple]:
    """A list of shapes, whether one tensor or a list of them was given."""
    single = not isinstance(input_shape[0], (list, tuple))
    return [tuple(input_shape)] if single else [tuple(shape) for shape in input_shape]
