"""From any configuration to its Keras model."""

from collections.abc import Callable
from pathlib import Path

import keras

from cunet_tf.config import CUNetConfig, NetworkConfig
from cunet_tf.config_baselines import DenseUNetConfig, HourglassConfig
from cunet_tf.memory.names import MemoryConfig
from cunet_tf.memory.strategy import set_memory
from cunet_tf.models.cunet import build_cunet
from cunet_tf.models.dense_unet import build_dense_unet
from cunet_tf.models.hourglass import build_hourglass
from cunet_tf.models.pretrained import start_from
from cunet_tf.quantize.names import QuantConfig
from cunet_tf.spec import ModelSpec

BUILDERS: dict[type[NetworkConfig], Callable[..., keras.Model]] = {
    CUNetConfig: build_cunet,
    DenseUNetConfig: build_dense_unet,
    HourglassConfig: build_hourglass,
}


def build_network(
    network: NetworkConfig | ModelSpec,
    quant: str | QuantConfig | None = None,
    memory: str | MemoryConfig | None = None,
    weights: str | Path | None = None,
) -> keras.Model:
    """The Keras model of a CU-Net or a baseline, by the type of its configuration.

    See :func:`~cunet_tf.models.cunet.build_cunet` for input, output, ``quant`` and ``memory``.

    Args:
        network: a configuration, or a whole description.
        quant, memory: see there.
        weights: where to begin, see :func:`~cunet_tf.models.pretrained.pretrained`; layers that do not fit (the
            head, for other landmarks) stay fresh.

    Raises:
        CUNetError: an unknown quantization or memory mode, or one that the network or Keras' backend
            does not take.

    Example:
        >>> build_network(HourglassConfig(stacks=1, channels=8, depth=1, input_size=64)).name
        'hourglass'
    """
    config = network.config if isinstance(network, ModelSpec) else network
    model = set_memory(BUILDERS[type(config)](network, quant=quant), memory)
    if weights is not None:
        start_from(model, weights)
    return model
