"""Parts that the builders of several networks share."""

from typing import Any

import keras

from cunet_tf.aliases import Tensor
from cunet_tf.backend import require_quantization, tensorflow
from cunet_tf.config import NetworkConfig
from cunet_tf.errors import CUNetError
from cunet_tf.quantize.names import QuantConfig
from cunet_tf.spec import ModelSpec


def prepare(
    network: NetworkConfig | ModelSpec, kind: type[NetworkConfig], quant: str | QuantConfig | None
) -> tuple[Any, QuantConfig, ModelSpec | None]:
    """What a builder needs of its arguments.

    Args:
        network: a configuration, or a description that holds one.
        kind: of configuration that the builder takes.
        quant: a quantization, or ``None`` for the description's own.

    Returns:
        The configuration; the quantization; the description with that quantization, ``None``
        where only a configuration was given.

    Raises:
        CUNetError: another kind of configuration, an unknown quantization, or one that this
            network or Keras' backend does not take.
    """
    spec = network if isinstance(network, ModelSpec) else None
    config = spec.config if spec else network
    if not isinstance(config, kind):
        raise CUNetError(f"this builds a {kind.title}, not {type(config).__name__}: use build_network.")
    own = spec.quantization if spec else QuantConfig()
    placed = own if quant is None else QuantConfig.parse(quant)
    placed.require(config)
    if not placed.is_float:  # refuse other backends before anything is built
        require_quantization()
        if placed.rounds_gradients:
            tensorflow(f"{placed}, a quantization of gradients,")
    return config, placed, spec and spec.replace(quant=str(placed))


def image_input(config: NetworkConfig) -> Tensor:
    """The input ``image``: float32 ``[B, H, W, 3]``, RGB in 0..1.

    Raises:
        CUNetError: Keras is set to channels first.
    """
    if keras.config.image_data_format() != "channels_last":
        raise CUNetError(
            "Keras is set to channels_first, these networks take pictures [B, H, W, 3]: "
            "keras.config.set_image_data_format('channels_last'), or image_data_format in ~/.keras/keras.json."
        )
    return keras.Input((config.input_size, config.input_size, 3), name="image")
