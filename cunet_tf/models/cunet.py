"""CU-Net (paper, section 3): coupled U-Nets, top to bottom."""

from typing import Any

import keras

from cunet_tf.config import CUNetConfig
from cunet_tf.models.coupling import CouplingQueues
from cunet_tf.models.layers import ConcatBNReLUConv, FanInUniform, SemanticBlock, Upsample2x
from cunet_tf.models.normalize import EPSILON, MOMENTUM
from cunet_tf.models.saved import LandmarkModel
from cunet_tf.quantize.layers import QuantActivation
from cunet_tf.quantize.names import QuantConfig
from cunet_tf.quantize.place import conv_quantizers, output_grid
from cunet_tf.quantize.seam import tensorflow
from cunet_tf.spec import ModelSpec


def build_cunet(
    network: CUNetConfig | ModelSpec, name: str = "cunet", quant: str | QuantConfig | None = None
) -> keras.Model:
    """The network as a functional Keras model.

    Given a :class:`~cunet_tf.spec.ModelSpec`, the model carries it into every saved file.
    ``quant`` names a quantization (paper, section 3.3) such as ``"BW-a-QIG(818)"``; by default
    it is the description's own. Float and quantized networks have the same variables.

    Raises:
        CUNetError: unknown quantization, or one under another backend than TensorFlow.

    Input ``image``: float32 ``[B, H, W, 3]``, RGB in 0..1, H = W = the input size.
    Output: a list of float32 heat maps ``[B, H/4, W/4, C]``, earliest supervised U-Net first;
    the last one is the prediction.

    Example:
        >>> model = build_cunet(CUNetConfig(stacks=1, main_channels=8, growth=4, input_size=64))
        >>> [tuple(output.shape) for output in model.outputs]
        [(None, 16, 16, 16)]
    """
    spec = network if isinstance(network, ModelSpec) else None
    config = spec.config if spec else network
    placed = QuantConfig.parse(quant if quant is not None else spec and spec.quant)
    spec = spec and spec.replace(quant=str(placed))
    if not placed.is_float:
        tensorflow()  # refuses other backends before anything is built
    image = keras.Input((config.input_size, config.input_size, 3), name="image")
    queues = CouplingQueues(config.effective_order)
    flow = stem(config, image, placed)
    heatmaps = []
    for index in range(config.stacks):
        if index > 0:
            flow = input_adapter(config, index, flow, queues, placed)
        queues.push("input", flow)
        flow = unet(config, index, flow, queues, placed)
        if index in config.supervised:
            heatmaps.append(head(config, index, flow))
    return LandmarkModel(image, heatmaps, name=name, cunet_spec=spec and spec.to_dict())


def stem(config: CUNetConfig, image: Any, quant: QuantConfig) -> Any:
    """``[B, H, W, 3] -> [B, H/4, W/4, m]``. "same" would pad 2 and 3: pad 3 and 3 explicitly."""
    x = keras.layers.ZeroPadding2D(3, name="stem_pad")(image)
    x = keras.layers.Conv2D(
        config.main_channels, 7, 2, use_bias=False, kernel_initializer=FanInUniform(), name="stem_conv"
    )(x)
    gamma = "ones" if config.gamma_init == "ones" else keras.initializers.RandomUniform(0.0, 1.0)
    x = keras.layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON, gamma_initializer=gamma, name="stem_bn")(x)
    x = keras.layers.ReLU(name="stem_relu")(x)
    x = keras.layers.MaxPooling2D(2, name="stem_pool")(x)
    grid = output_grid(quant)
    return x if grid is None else QuantActivation(grid, name="stem_grid")(x)


def input_adapter(config: CUNetConfig, index: int, flow: Any, queues: CouplingQueues, quant: QuantConfig) -> Any:
    """in_i from y_(i-1) and the inputs of the previous c_i U-Nets (blue lines of Fig. 3)."""
    name = f"unet{index}_input"
    adapter = ConcatBNReLUConv(
        config.main_channels, gamma_init=config.gamma_init, name=name, **conv_quantizers(quant, name)
    )
    return adapter([flow, *queues.history("input")])


def unet(config: CUNetConfig, index: int, x: Any, queues: CouplingQueues, quant: QuantConfig) -> Any:
    """One U-Net: ``[B, H/4, W/4, m] -> [B, H/4, W/4, m]``, feeding and reading the queues."""
    skips = []
    for level in range(config.levels):
        x, skip = block(config, index, f"down{level}", [x], queues, quant)
        x = keras.layers.MaxPooling2D(2, name=f"unet{index}_pool{level}")(x)
        skips.append(skip)
    (x,) = block(config, index, "neck", [x], queues, quant)
    for level in reversed(range(config.levels)):
        x = Upsample2x(name=f"unet{index}_resize{level}")(x)
        (x,) = block(config, index, f"up{level}", [x, skips[level]], queues, quant)
    return x


def block(
    config: CUNetConfig, index: int, position: str, main: list[Any], queues: CouplingQueues, quant: QuantConfig
) -> list[Any]:
    """The semantic block at one position; its new features go to the next K U-Nets.

    Returns ``[ahead]``, or ``[ahead, skip]`` in the top-down path.
    """
    layer = SemanticBlock(
        config.main_channels, config.growth, with_skip=position.startswith("down"),
        gamma_init=config.gamma_init, quant=str(quant), name=f"unet{index}_{position}",
    )  # fmt: skip
    features, *outputs = layer([*main, *queues.history(position)])
    queues.push(position, features)
    return outputs


def head(config: CUNetConfig, index: int, flow: Any) -> Any:
    """BN-ReLU-conv1x1 to C linear heat maps, float32; never fed back into the flow."""
    layer = ConcatBNReLUConv(config.landmarks, gamma_init=config.gamma_init, name=f"unet{index}_head", dtype="float32")
    return layer(flow)
