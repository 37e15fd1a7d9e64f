"""The layers of CU-Net: what is composed of its one operation (paper, section 4.1)."""

from typing import Any

import keras
from keras import ops

from cunet_tf.aliases import Backward, Shape, Shapes, Tensor
from cunet_tf.backend import custom_gradient, on_tensorflow
from cunet_tf.config import CONV_FIRST, NORM_FIRST
from cunet_tf.memory.strategy import PLAIN, Memory
from cunet_tf.models.concat_conv import ConcatBNReLUConv, ConcatConvBNReLU, as_list, joined, shapes_of, train_chain
from cunet_tf.models.convolution import PACKAGE
from cunet_tf.quantize.names import QuantConfig
from cunet_tf.quantize.placement import conv_quantizers


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
        norm_order: of every convolution, see :class:`~cunet_tf.config.CUNetConfig`.

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
        norm_order: str = NORM_FIRST,
        **kwargs: object,
    ):
        super().__init__(**kwargs)
        self.norm_order = norm_order
        self.main_channels, self.growth, self.with_skip = main_channels, growth, with_skip
        self.bn_sets, self.gamma_init = bn_sets, gamma_init
        self.quant = QuantConfig.parse(quant)

        conv_first = norm_order == CONV_FIRST

        def make(filters: int, size: int, name: str, concatenated: bool = True) -> ConcatBNReLUConv:
            quantizers = conv_quantizers(self.quant, f"{self.name}/{name}", concatenated, conv_first)
            kind = ConcatConvBNReLU if conv_first else ConcatBNReLUConv
            return kind(
                filters, size, bn_sets=bn_sets, gamma_init=gamma_init, name=name, dtype=self.dtype_policy, **quantizers
            )

        self.bottleneck = make(4 * growth, 1, "bottleneck", concatenated=conv_first)
        self.features = make(growth, 3, "features")
        self.ahead = make(main_channels, 1, "ahead")
        self.skip = make(main_channels, 1, "skip") if with_skip else None

    @property
    def convolutions(self) -> list[ConcatBNReLUConv]:
        """The convolutions of the block, in running order."""
        return [self.bottleneck, self.features, self.ahead] + ([self.skip] if self.skip is not None else [])

    def build(self, input_shape: Shapes) -> None:
        """Make the variables, for inputs of a shape."""
        shapes = shapes_of(input_shape)
        grid = tuple(shapes[0][:-1])
        self.bottleneck.build(shapes)
        self.features.build((*grid, 4 * self.growth))
        extended = [*shapes, (*grid, self.growth)]
        self.ahead.build(extended)
        if self.skip is not None:
            self.skip.build(extended)

    def call(self, inputs: Tensor, training: bool | None = None, bn_set: int = 0) -> list[Tensor]:
        """The block on its main inputs and the history: ``[f, ahead]``, with a skip ``[f, ahead, skip]``."""
        options = {"training": training, "bn_set": bn_set}
        parts, memory = as_list(inputs), self.bottleneck.memory
        once = training and not memory  # joined once for all readers: one gradient is taken apart, not three
        if once:
            parts = [joined(parts)]
        if training and memory.joins and self.bottleneck.trainable and self.features.trainable:
            features = train_chain(memory, [self.bottleneck, self.features], parts, bn_set)
        else:
            features = self.features(self.bottleneck(parts, **options), **options)
        extended = [joined([*parts, features])] if once else [*parts, features]
        outputs = [features, self.ahead(extended, **options)]
        return outputs if self.skip is None else [*outputs, self.skip(extended, **options)]

    def compute_output_shape(self, input_shape: Shapes) -> list[tuple]:
        """Shape of the results, of that of the inputs, as Keras asks for it."""
        grid = tuple(shapes_of(input_shape)[0][:-1])
        wide = [(*grid, self.main_channels)] * (2 if self.with_skip else 1)
        return [(*grid, self.growth), *wide]

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, as Keras saves them."""
        names = ("main_channels", "growth", "with_skip", "bn_sets", "gamma_init")
        own = {name: getattr(self, name) for name in names}
        order = {"norm_order": self.norm_order} if self.norm_order != NORM_FIRST else {}
        return {**super().get_config(), **own, "quant": str(self.quant), **order}


@keras.saving.register_keras_serializable(PACKAGE)
class Upsample2x(keras.layers.Layer):
    """Nearest x2: ``[B, H, W, C] -> [B, 2H, 2W, C]``, one RESIZE_NEAREST_NEIGHBOR in TFLite."""

    memory: Memory = PLAIN

    def call(self, x: Tensor, training: bool | None = None) -> Tensor:
        """``[B, H, W, C] -> [B, 2H, 2W, C]``."""
        if not on_tensorflow():
            return _doubled(x)
        return self.memory.derived(self._resize_to_train, x) if training else self._resize(x)

    def _resize_to_train(self, x: Tensor) -> Tensor:
        """As :meth:`_resize`; XLA has no gradient of TensorFlow's operation on a CPU."""

        @custom_gradient
        def operation(value: Tensor) -> tuple[Tensor, Backward]:
            return self._resize(value), lambda dy: 4.0 * ops.average_pool(dy, 2, 2)

        return operation(x)

    def _resize(self, x: Tensor) -> Tensor:
        return ops.image.resize(x, (2 * x.shape[1], 2 * x.shape[2]), interpolation="nearest")

    def compute_output_shape(self, input_shape: Shape) -> tuple:
        """Shape of the results, of that of the inputs, as Keras asks for it."""
        batch, height, width, channels = input_shape
        return (batch, 2 * height, 2 * width, channels)


def _doubled(x: Tensor) -> Tensor:
    """Every pixel four times; of XLA's forms the one whose gradient is a sum, not a scatter."""
    height, width, channels = x.shape[1:]
    wide = ops.broadcast_to(x[:, :, None, :, None], (ops.shape(x)[0], height, 2, width, 2, channels))
    return ops.reshape(wide, (-1, 2 * height, 2 * width, channels))


@keras.saving.register_keras_serializable(PACKAGE)
class MaxPool(keras.layers.MaxPooling2D):
    """2x2 max-pooling between the blocks of a U-Net; a memory mode keeps where each maximum was."""

    memory: Memory = PLAIN

    def call(self, x: Tensor, training: bool | None = None) -> Tensor:
        """``[B, H, W, C] -> [B, H/2, W/2, C]``."""
        return self.memory.pooled(x) if training else super().call(x)
