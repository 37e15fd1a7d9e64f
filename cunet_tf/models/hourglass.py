"""The stacked hourglass network (Newell, Yang and Deng 2016) that the paper compares with."""

import keras

from cunet_tf.aliases import Tensor
from cunet_tf.config_baselines import HourglassConfig
from cunet_tf.models.convolution import ConvBNReLU, FanInUniform
from cunet_tf.models.landmark_model import LandmarkModel
from cunet_tf.models.layers import Upsample2x
from cunet_tf.models.parts import image_input, prepare
from cunet_tf.models.residual import Residual
from cunet_tf.quantize.names import QuantConfig
from cunet_tf.spec import ModelSpec


def build_hourglass(
    network: HourglassConfig | ModelSpec, name: str = "hourglass", quant: str | QuantConfig | None = None
) -> keras.Model:
    """The network as a functional Keras model: one residual module for each position, no biases.

    Given a :class:`~cunet_tf.spec.ModelSpec`, the model carries it into every saved file.

    Raises:
        CUNetError: the shape of another network, or a quantization: there is none for hourglasses.

    Input ``image``: float32 ``[B, H, W, 3]``, RGB in 0..1, H = W = the input size.
    Output: a list of float32 heat maps ``[B, H/4, W/4, C]``, earliest hourglass first; the last
    one is the prediction.

    Example:
        >>> model = build_hourglass(HourglassConfig(stacks=2, channels=16, depth=1, input_size=64))
        >>> [tuple(output.shape) for output in model.outputs]
        [(None, 16, 16, 16), (None, 16, 16, 16)]
    """
    config, _, spec = prepare(network, HourglassConfig, quant)
    image = image_input(config)
    flow = stem(config, image)
    heatmaps = []
    for index in range(config.stacks):
        features = stack_features(config, index, flow)
        heatmaps.append(head(config, index, features))
        if index + 1 < config.stacks:
            flow = remap(config, index, flow, features, heatmaps[-1])
    return LandmarkModel(image, heatmaps, name=name, cunet_spec=spec.to_dict() if spec else None)


def stem(config: HourglassConfig, image: Tensor) -> Tensor:
    """``[B, H, W, 3] -> [B, H/4, W/4, channels]``: a convolution, then three residuals, pooled after the first."""
    half = config.channels // 2
    x = ConvBNReLU(config.stem_channels, 7, 2, gamma_init=config.gamma_init, name="stem")(image)
    x = Residual(half, config.gamma_init, name="stem_residual0")(x)
    x = keras.layers.MaxPooling2D(2, name="stem_pool")(x)
    x = Residual(half, config.gamma_init, name="stem_residual1")(x)
    return Residual(config.channels, config.gamma_init, name="stem_residual2")(x)


def hourglass(config: HourglassConfig, name: str, x: Tensor, level: int = 0) -> Tensor:
    """The part of one hourglass from ``level`` downwards; keeps the shape of ``x``.

    A residual stays at this resolution (side); another branch is pooled, goes through a residual
    (down), the levels below (bottom at the lowest) and a residual (up), is enlarged and added.
    """

    def residual(position: str, tensor: Tensor) -> Tensor:
        return Residual(config.channels, config.gamma_init, name=f"{name}_{position}")(tensor)

    side = residual(f"side{level}", x)
    low = residual(f"down{level}", keras.layers.MaxPooling2D(2, name=f"{name}_pool{level}")(x))
    low = hourglass(config, name, low, level + 1) if level + 1 < config.depth else residual("bottom", low)
    low = Upsample2x(name=f"{name}_resize{level}")(residual(f"up{level}", low))
    return keras.layers.Add(name=f"{name}_add{level}")([side, low])


def stack_features(config: HourglassConfig, index: int, flow: Tensor) -> Tensor:
    """An hourglass, a residual and conv-BN-ReLU: the features ``[B, H/4, W/4, channels]`` that its head reads."""
    name = f"stack{index}"
    x = hourglass(config, name, flow)
    x = Residual(config.channels, config.gamma_init, name=f"{name}_out")(x)
    return ConvBNReLU(config.channels, gamma_init=config.gamma_init, name=f"{name}_lin")(x)


def head(config: HourglassConfig, index: int, features: Tensor) -> Tensor:
    """conv1x1 to C linear heat maps, float32."""
    return _conv1x1(config.landmarks, config.head_name(index), dtype="float32")(features)


def remap(config: HourglassConfig, index: int, flow: Tensor, features: Tensor, heatmaps: Tensor) -> Tensor:
    """The next hourglass' input: the flow, plus features and heat maps, each through a conv1x1."""
    name = f"stack{index}"
    added = [
        _conv1x1(config.channels, f"{name}_remap_features")(features),
        _conv1x1(config.channels, f"{name}_remap_heatmaps")(heatmaps),
    ]
    return keras.layers.Add(name=f"{name}_merge")([flow, *added])


def _conv1x1(filters: int, name: str, **options: object) -> keras.layers.Conv2D:
    return keras.layers.Conv2D(filters, 1, use_bias=False, kernel_initializer=FanInUniform(), name=name, **options)
