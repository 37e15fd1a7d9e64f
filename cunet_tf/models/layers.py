"""The layers of CU-Net: one operation, concat-BN-ReLU-conv, and what is composed of it."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras
from keras import ops

from cunet_tf.backend import custom_gradient
from cunet_tf.memory import compressed, recompute
from cunet_tf.memory.names import NONE, MemoryConfig
from cunet_tf.models.normalize import MOMENTUM, batch_moments_norm, moving_norm
from cunet_tf.quantize.names import QuantConfig
from cunet_tf.quantize.placement import conv_quantizers

PACKAGE = "cunet_tf"


@keras.saving.register_keras_serializable(PACKAGE)
class FanInUniform(keras.initializers.Initializer):
    """U(-1/sqrt(fan_in), 1/sqrt(fan_in)), the convolution initialiser of the reference."""

    def __init__(self, seed: int | None = None):
        self.seed = seed
        self._generator = keras.random.SeedGenerator(seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        limit = float(shape[0] * shape[1] * shape[2]) ** -0.5
        return keras.random.uniform(shape, -limit, limit, dtype, seed=self._generator)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed}


@keras.saving.register_keras_serializable(PACKAGE)
class ConcatBNReLUConv(keras.layers.Layer):
    """``conv(ReLU(BN(concat(inputs))))``, the one operation of CU-Net, without bias.

    The layer owns its kernel and ``bn_sets`` independent sets of BN variables (two for
    iterative refinement, paper section 3.4). Four hooks let quantization and memory
    sharing in without a change of variables, so that a float checkpoint fits them all:
    :meth:`quantize_input`, :meth:`quantize_kernel`, :meth:`quantize_output` and
    :meth:`recompute`.

    Args:
        filters: output channels.
        kernel_size: 1 or 3; stride 1, zero padding "same".
        bn_sets: number of BN variable sets; ``call`` chooses one with ``bn_set``.
        gamma_init: ``"ones"`` or ``"uniform"`` (U(0, 1), the reference).
        input_quantizer: applied to the convolution's input, ``None`` does nothing.
        kernel_quantizer: applied to the kernel, ``None`` does nothing.
        output_quantizer: applied to the output, ``None`` does nothing.

    Input: a tensor ``[B, H, W, C]`` or a list of them with equal B, H, W.
    Output: ``[B, H, W, filters]``.

    Attributes:
        memory: what training keeps for the backward pass, see :mod:`cunet_tf.memory.apply`.
        defers: the output is read by a single convolution, which recomputes this one as well.
        lossless: stored bits hold the network's quantized features themselves; nothing else is rounded.
    """

    memory: MemoryConfig = NONE
    defers = False
    lossless = False

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
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.bn_sets = bn_sets
        self.gamma_init = gamma_init
        self.input_quantizer = input_quantizer
        self.kernel_quantizer = kernel_quantizer
        self.output_quantizer = output_quantizer

    def build(self, input_shape: Any) -> None:
        channels = sum(shape[-1] for shape in _shapes(input_shape))
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.kernel_size, self.kernel_size, channels, self.filters),
            initializer=FanInUniform(),
            constraint=getattr(self.kernel_quantizer, "constraint", None),
            autocast=False,  # quantized in float32 in every policy
        )
        gamma = "ones" if self.gamma_init == "ones" else keras.initializers.RandomUniform(0.0, 1.0)
        self.bn = [self._add_bn(channels, gamma, index) for index in range(self.bn_sets)]

    def _add_bn(self, channels: int, gamma: Any, index: int) -> tuple[Any, Any, Any, Any]:
        """Variables (gamma, beta, moving mean, moving variance), float32 in every policy."""
        prefix = "" if index == 0 else f"pass{index + 1}_"
        specs = [("gamma", gamma, True), ("beta", "zeros", True),
                 ("moving_mean", "zeros", False), ("moving_variance", "ones", False)]  # fmt: skip
        return tuple(
            self.add_weight(
                name=prefix + name, shape=(channels,), initializer=init, trainable=trainable,
                dtype="float32", autocast=False,
            )
            for name, init, trainable in specs
        )  # fmt: skip

    def call(self, inputs: Any, training: bool | None = None, bn_set: int = 0) -> Any:
        tensors = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        gamma, beta, moving_mean, moving_variance = self.bn[bn_set]
        if not (training and self.trainable):
            statistics = (ops.convert_to_tensor(moving_mean), ops.convert_to_tensor(moving_variance))
            output = self._convolve(moving_norm(_concat(tensors), gamma, beta, *statistics), self.kernel)
            return self.quantize_output(output)

        if self.lossless:
            for tensor in tensors:  # where a producer has left no recipe
                recompute.keep_exactly(tensor)
        output, mean, variance = self.recompute(self._train)(*tensors, gamma, beta, self.kernel)
        for moving, batch in ((moving_mean, mean), (moving_variance, variance)):
            moving.assign(moving * MOMENTUM + ops.stop_gradient(batch) * (1.0 - MOMENTUM))
        return self.keep(output)

    def _train(self, *args: Any, relu: Callable = ops.relu) -> tuple[Any, Any, Any]:
        """The training pass, a pure function of the inputs, gamma, beta and the kernel."""
        *parts, scale, offset, kernel = args
        normed, mean, variance = batch_moments_norm(_concat(parts), scale, offset)
        return self._convolve(normed, kernel, relu), mean, variance

    def _convolve(self, normed: Any, kernel: Any, relu: Callable = ops.relu) -> Any:
        return self._conv(self.quantize_input(relu(normed)), kernel)

    def _conv(self, x: Any, kernel: Any) -> Any:
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

    def recompute(self, function: Callable) -> Callable:
        """Hook on the training pass, a pure function of tensors: may recompute in backward."""
        if not self.memory:
            return function
        if not self.memory.recomputes:
            return self._train_compressed
        defer = self.defers and (self.memory.bottleneck or self.lossless)
        wrap = recompute.deferred if defer else recompute.recomputed

        def call(*args: Any) -> Any:
            relu = compressed.relu_for(args, self.memory)
            return wrap(partial(function, relu=relu), self.memory)(*args)

        return call

    def _train_compressed(self, *args: Any) -> tuple[Any, Any, Any]:
        """As :meth:`_train`: what each step keeps has few bits, and only the concatenation is made again."""
        *parts, scale, offset, kernel = args
        memory = self.memory

        def norm(*args: Any) -> tuple[Any, Any, Any]:
            *parts, scale, offset = args
            return batch_moments_norm(_concat(parts), scale, offset)

        normed, mean, variance = recompute.recomputed(norm, memory)(*parts, scale, offset)
        x = compressed.relu(normed)
        if self.lossless and self.input_quantizer is None:
            recompute.keep_exactly(x)
        x = compressed.quantized(x, self.input_quantizer, memory)
        return recompute.recomputed(self._conv, memory)(x, kernel), mean, variance

    def keep(self, output: Any) -> Any:
        """Quantized output of a training pass, with the recipe by which its readers find it again."""
        if not self.memory or recompute.attached(output) is not None:
            return self.quantize_output(output)
        if self.lossless and self.output_quantizer is None:
            recompute.keep_exactly(output)
        return compressed.quantized(output, self.output_quantizer, self.memory)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        return (*_shapes(input_shape)[0][:-1], self.filters)

    def save_own_variables(self, store: Any) -> None:
        """Store by name (Keras would by position), so that files outlive added BN sets."""
        for variable in self._own_variables():
            store[variable.name] = ops.convert_to_numpy(variable)

    def load_own_variables(self, store: Any) -> None:
        """A BN set that the file lacks starts as a copy of the first."""
        for variable in self._own_variables():
            first = variable.name.split("_", 1)[-1] if variable.name.startswith("pass") else variable.name
            variable.assign(store[variable.name if variable.name in store else first])

    def _own_variables(self) -> list[Any]:
        return [self.kernel, *(variable for one_set in self.bn for variable in one_set)]

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


@keras.saving.register_keras_serializable(PACKAGE)
class SemanticBlock(keras.layers.Layer):
    """A semantic block (paper, Fig. 3): bottleneck, new features, adapters.

    With z the concatenated inputs, ``f = conv3x3(conv1x1(z))`` (4n, then n channels) and
    ``z' = [z, f]``: ``ahead = conv1x1(z')`` and, for top-down blocks, ``skip = conv1x1(z')``,
    m channels each. The width 4n follows the reference; the paper's text says 4m.

    Args:
        main_channels: m.
        growth: n.
        with_skip: also return skip.
        bn_sets, gamma_init: see :class:`ConcatBNReLUConv`.
        quant: name of the quantization, see :class:`~cunet_tf.quantize.names.QuantConfig`.

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
        quant: str = "float",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.main_channels, self.growth, self.with_skip = main_channels, growth, with_skip
        self.bn_sets, self.gamma_init = bn_sets, gamma_init
        self.quant = str(quant)
        placed = QuantConfig.parse(quant)

        def make(filters: int, size: int, name: str, concatenated: bool = True) -> ConcatBNReLUConv:
            quantizers = conv_quantizers(placed, f"{self.name}/{name}", concatenated)
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
        return [self.bottleneck, self.features, self.ahead] + ([self.skip] if self.with_skip else [])

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
        parts = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        self.bottleneck.defers = self.features.trainable
        features = self.features(self.bottleneck(parts, **options), **options)
        extended = [*parts, features]
        outputs = [features, self.ahead(extended, **options)]
        return outputs if self.skip is None else [*outputs, self.skip(extended, **options)]

    def compute_output_shape(self, input_shape: Any) -> list[tuple]:
        grid = tuple(_shapes(input_shape)[0][:-1])
        wide = [(*grid, self.main_channels)] * (2 if self.with_skip else 1)
        return [(*grid, self.growth), *wide]

    def get_config(self) -> dict[str, Any]:
        names = ("main_channels", "growth", "with_skip", "bn_sets", "gamma_init", "quant")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable(PACKAGE)
class Upsample2x(keras.layers.Layer):
    """Nearest x2: ``[B, H, W, C] -> [B, 2H, 2W, C]``, one RESIZE_NEAREST_NEIGHBOR in TFLite."""

    memory: MemoryConfig = NONE

    def call(self, x: Any, training: bool | None = None) -> Any:
        if not training or keras.backend.backend() != "tensorflow":
            return self._resize(x)
        if self.memory and recompute.attached(x) is not None:
            return recompute.resampled(self._resize_to_train, self.memory, x)
        return self._resize_to_train(x)

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


def _concat(tensors: list[Any]) -> Any:
    return tensors[0] if len(tensors) == 1 else ops.concatenate(tensors, axis=-1)


def _shapes(input_shape: Any) -> list[tuple]:
    """A list of shapes, whether one tensor or a list of them was given."""
    single = not isinstance(input_shape[0], (list, tuple))
    return [tuple(input_shape)] if single else [tuple(shape) for shape in input_shape]
