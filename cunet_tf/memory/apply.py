"""Tell a network what to keep for the backward pass."""

from typing import Any

import keras

from cunet_tf.backend import tensorflow
from cunet_tf.compat import forget_traces
from cunet_tf.errors import CUNetError
from cunet_tf.memory.compressed import fits
from cunet_tf.memory.layers import BatchNorm, MaxPool, Rectifier, StemConv
from cunet_tf.memory.names import MemoryConfig


def set_memory(model: keras.Model, memory: str | MemoryConfig | None) -> Any:
    """Set the memory mode of a CU-Net, before ``fit`` or between two calls of it.

    The mode belongs to the running model: its variables, its configuration and the files it
    is saved to are the same in every mode.

    Args:
        model: of :func:`~cunet_tf.models.cunet.build_cunet`, also loaded from a file.
        memory: a mode by name, ``None`` for ``none``.

    Returns:
        The model.

    Raises:
        CUNetError: unknown mode, another network than a CU-Net, or another backend than TensorFlow.
    """
    from cunet_tf.models.layers import ConcatBNReLUConv, SemanticBlock, Upsample2x
    from cunet_tf.models.quant_layers import QuantActivation

    config = MemoryConfig.parse(memory)
    if config:
        tensorflow(f"memory={config}")  # refuses other backends
        if not any(isinstance(layer, SemanticBlock) for layer in model.layers):
            raise CUNetError(f"memory={config}: only a CU-Net saves memory, not {model.name}; leave --memory out.")
    own = (ConcatBNReLUConv, Upsample2x, QuantActivation, StemConv, BatchNorm, Rectifier, MaxPool)
    parts = [part for layer in model.layers for part in (layer, *getattr(layer, "convolutions", ()))]
    convolutions = [part for part in parts if isinstance(part, ConcatBNReLUConv)]
    lossless = any(fits(convolution.input_quantizer, config) for convolution in convolutions)
    for part in parts:
        if isinstance(part, own):
            part.memory = config
    for convolution in convolutions:
        convolution.lossless = lossless
    model.memory = config
    forget_traces(model)
    return model
