"""Quantized layers for any Keras model."""

from typing import Any

import keras

from cunet_tf.errors import CUNetError
from cunet_tf.memory.strategy import PLAIN, Memory
from cunet_tf.quantize import quantizers

PACKAGE = "cunet_tf"


@keras.saving.register_keras_serializable(PACKAGE)
class QuantActivation(keras.layers.Layer):
    """Applies a quantizer to a tensor of any shape; inside a CU-Net it follows the network's ``memory``.

    Args:
        quantizer: a name such as ``"signed8"``, or an object such as ``Linear(8, r=2.0)``.

    Example:
        >>> QuantActivation("unsigned8")(np.float32([-1.0, 0.5, 2.0])).numpy()
        array([0.        , 0.5       , 0.99609375], dtype=float32)
    """

    memory: Memory = PLAIN

    def __init__(self, quantizer: Any = "signed8", **kwargs: Any):
        super().__init__(**kwargs)
        chosen = quantizers.get(quantizer)
        if chosen is None:
            raise CUNetError("QuantActivation: a layer that only quantizes needs a quantizer, by name or as an object.")
        self.quantizer = chosen

    def call(self, x: Any, training: bool | None = None) -> Any:
        return self.memory.quantized(x, self.quantizer) if training else self.quantizer(x)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "quantizer": keras.saving.serialize_keras_object(self.quantizer)}


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
        kernel_size: Any,
        *args: Any,
        kernel_quantizer: Any = "binary-a",
        input_quantizer: Any = None,
        **kwargs: Any,
    ):
        self.kernel_quantizer = quantizers.get(kernel_quantizer)
        self.input_quantizer = quantizers.get(input_quantizer)
        kwargs.setdefault("kernel_constraint", getattr(self.kernel_quantizer, "constraint", None))
        super().__init__(filters, kernel_size, *args, **kwargs)

    def call(self, inputs: Any) -> Any:
        return super().call(inputs if self.input_quantizer is None else self.input_quantizer(inputs))

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """Keras' own step, with the quantized kernel."""
        quantized = kernel if self.kernel_quantizer is None else self.kernel_quantizer(kernel)
        return super().convolution_op(inputs, quantized)

    def get_config(self) -> dict[str, Any]:
        own = {
            name: keras.saving.serialize_keras_object(getattr(self, name))
            for name in ("kernel_quantizer", "input_quantizer")
        }
        return {**super().get_config(), **own}
