"""A float CU-Net rebuilt from legacy Keras' own layers, because tf_keras cannot load a Keras 3 file.

Imports ``tf_keras``, and no Keras 3: only :mod:`cunet_tf.export.tfmot.worker` uses it.
"""

import numpy as np
import tf_keras

from cunet_tf.aliases import Tensor
from cunet_tf.config import CUNetConfig
from cunet_tf.models.coupling import CouplingQueues

layers = tf_keras.layers
EPSILON, MOMENTUM = 1e-5, 0.9  # as in cunet_tf.models.normalize, which needs Keras 3
NORM = ("gamma", "beta", "moving_mean", "moving_variance")


def build_twin(config: CUNetConfig, weights: dict[str, np.ndarray]) -> tf_keras.Model:
    """The network of :func:`cunet_tf.models.cunet.build_cunet` as a functional tf_keras model.

    Args:
        config: the architecture.
        weights: all variables of the Keras 3 model by path, such as ``unet0_neck/ahead/kernel``.

    Returns:
        A model with the same inputs and outputs. The layers of the operation ``unet0_neck/ahead``
        are ``unet0_neck.ahead.bn`` and ``unet0_neck.ahead.conv``.
    """
    image = tf_keras.Input((config.input_size, config.input_size, 3), name="image")
    x = layers.ZeroPadding2D(3)(image)
    x = layers.Conv2D(config.main_channels, 7, 2, use_bias=False, name="stem.conv")(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON, name="stem.bn")(x))
    x = layers.MaxPooling2D(2)(x)
    queues, heads = CouplingQueues(config.effective_order), []
    for index in range(config.stacks):
        if index:
            x = _operation([x, *queues.history("input")], f"unet{index}_input", config.main_channels)
        queues.push("input", x)
        x = _unet(config, index, x, queues)
        if index in config.supervised:
            heads.append(_operation([x], f"unet{index}_head", config.landmarks))
    model = tf_keras.Model(image, heads)
    for layer in model.layers:
        names = weight_paths(layer.name)
        if names:
            layer.set_weights([weights[name] for name in names])
    return model


def weight_paths(layer: str) -> list[str]:
    """Paths in Keras 3 of a twin layer's variables; none for a layer without.

    Example:
        >>> weight_paths("unet0_neck.ahead.conv")
        ['unet0_neck/ahead/kernel']
    """
    place, _, kind = layer.rpartition(".")
    if kind not in ("conv", "bn"):
        return []
    return [f"{place.replace('.', '/')}/{name}" for name in (("kernel",) if kind == "conv" else NORM)]


def _unet(config: CUNetConfig, index: int, x: Tensor, queues: CouplingQueues) -> Tensor:
    skips = []
    for level in range(config.levels):
        x, skip = _block(config, f"unet{index}", f"down{level}", [x], queues)
        x = layers.MaxPooling2D(2)(x)
        skips.append(skip)
    (x,) = _block(config, f"unet{index}", "neck", [x], queues)
    for level in reversed(range(config.levels)):
        x = layers.UpSampling2D(2)(x)
        (x,) = _block(config, f"unet{index}", f"up{level}", [x, skips[level]], queues)
    return x


def _block(config: CUNetConfig, unet: str, position: str, main: list, queues: CouplingQueues) -> list:
    """``[ahead]``, or ``[ahead, skip]`` in the top-down path."""
    parts, name = [*main, *queues.history(position)], f"{unet}_{position}"
    features = _operation(parts, f"{name}.bottleneck", 4 * config.growth)
    features = _operation([features], f"{name}.features", config.growth, 3)
    queues.push(position, features)
    ends = ("ahead", "skip") if position.startswith("down") else ("ahead",)
    return [_operation([*parts, features], f"{name}.{end}", config.main_channels) for end in ends]


def _operation(tensors: list, name: str, filters: int, size: int = 1) -> Tensor:
    """concat - BN - ReLU - conv."""
    x = layers.Concatenate()(tensors) if len(tensors) > 1 else tensors[0]
    x = layers.ReLU()(layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON, name=f"{name}.bn")(x))
    return layers.Conv2D(filters, size, padding="same", use_bias=False, name=f"{name}.conv")(x)
