"""The residual module of the stacked hourglass network."""

from typing import Any

import keras

from cunet_tf.aliases import Shape, Tensor
from cunet_tf.models.concat_conv import ConcatBNReLUConv
from cunet_tf.models.convolution import FanInUniform


@keras.saving.register_keras_serializable("cunet_tf")
class Residual(keras.layers.Layer):
    """A pre-activation bottleneck (He et al. 2016), as Newell et al. 2016 stack it.

    ``x + conv1x1(conv3x3(conv1x1(x)))``, each convolution behind its own BN and ReLU, half of the
    channels inside. Where the channels change, a 1x1 convolution takes x itself to the sum.

    Args:
        filters: output channels, even.
        gamma_init: see :class:`~cunet_tf.models.concat_conv.ConcatBNReLUConv`.

    Input: ``[B, H, W, C]``. Output: ``[B, H, W, filters]``.
    """

    def __init__(self, filters: int, gamma_init: str = "ones", **kwargs: object):
        super().__init__(**kwargs)
        self.filters, self.gamma_init = filters, gamma_init

        def make(channels: int, size: int, name: str) -> ConcatBNReLUConv:
            return ConcatBNReLUConv(channels, size, gamma_init=gamma_init, name=name, dtype=self.dtype_policy)

        self.reduce = make(filters // 2, 1, "reduce")
        self.middle = make(filters // 2, 3, "middle")
        self.expand = make(filters, 1, "expand")
        self.skip: keras.layers.Layer | None = None

    def build(self, input_shape: Shape) -> None:
        """Make the variables, for inputs of a shape."""
        narrow = (*input_shape[:-1], self.filters // 2)
        self.reduce.build(input_shape)
        self.middle.build(narrow)
        self.expand.build(narrow)
        if input_shape[-1] != self.filters:
            skip = keras.layers.Conv2D(
                self.filters, 1, use_bias=False, kernel_initializer=FanInUniform(), name="skip",
                dtype=self.dtype_policy,
            )  # fmt: skip
            skip.build(input_shape)
            self.skip = skip

    def call(self, x: Tensor, training: bool | None = None) -> Tensor:
        """``[B, H, W, C] -> [B, H, W, filters]``."""
        y = self.reduce(x, training=training)
        y = self.expand(self.middle(y, training=training), training=training)
        return y + (x if self.skip is None else self.skip(x))

    def compute_output_shape(self, input_shape: Shape) -> tuple:
        """Shape of the results, of that of the inputs, as Keras asks for it."""
        return (*input_shape[:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, as Keras saves them."""
        return {**super().get_config(), "filters": self.filters, "gamma_init": self.gamma_init}
