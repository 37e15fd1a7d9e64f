"""The dense U-Net that the paper compares with (section 3.1): one U-Net, several dense layers in each block."""

import keras

from cunet_tf.aliases import Tensor
from cunet_tf.config_baselines import DenseUNetConfig
from cunet_tf.models.concat_conv import ConcatBNReLUConv
from cunet_tf.models.cunet import stem
from cunet_tf.models.landmark_model import LandmarkModel
from cunet_tf.models.layers import Upsample2x
from cunet_tf.models.parts import image_input, prepare
from cunet_tf.quantize.names import QuantConfig
from cunet_tf.quantize.placement import conv_quantizers
from cunet_tf.spec import ModelSpec


def build_dense_unet(
    network: DenseUNetConfig | ModelSpec, name: str = "dense_unet", quant: str | QuantConfig | None = None
) -> keras.Model:
    """The network as a functional Keras model; stem, positions and head are CU-Net's.

    Description, quantization and errors as for :func:`~cunet_tf.models.cunet.build_cunet`.

    Input ``image``: float32 ``[B, H, W, 3]``, RGB in 0..1, H = W = the input size.
    Output: a list of one tensor of float32 heat maps ``[B, H/4, W/4, C]``.

    Example:
        >>> model = build_dense_unet(DenseUNetConfig(layers=2, main_channels=8, growth=4, input_size=64))
        >>> [tuple(output.shape) for output in model.outputs]
        [(None, 16, 16, 16)]
    """
    config, placed, spec = prepare(network, DenseUNetConfig, quant)
    image = image_input(config)
    flow = unet(config, stem(config, image, placed), placed)
    head = ConcatBNReLUConv(config.landmarks, gamma_init=config.gamma_init, name=config.head_name(0), dtype="float32")
    return LandmarkModel(image, [head(flow)], name=name, cunet_spec=spec.to_dict() if spec else None)


def unet(config: DenseUNetConfig, x: Tensor, quant: QuantConfig) -> Tensor:
    """The U-Net: ``[B, H/4, W/4, m] -> [B, H/4, W/4, m]``."""
    skips = []
    for level in range(config.levels):
        x, skip = dense_block(config, quant, f"down{level}", [x])
        x = keras.layers.MaxPooling2D(2, name=f"unet0_pool{level}")(x)
        skips.append(skip)
    (x,) = dense_block(config, quant, "neck", [x])
    for level in reversed(range(config.levels)):
        x = Upsample2x(name=f"unet0_resize{level}")(x)
        (x,) = dense_block(config, quant, f"up{level}", [x, skips[level]])
    return x


def dense_block(config: DenseUNetConfig, quant: QuantConfig, position: str, main: list[Tensor]) -> list[Tensor]:
    """L dense layers, each of which reads the main inputs and all new features before it, and the adapters.

    A dense layer is ``conv3x3(conv1x1(.))``, 4n, then n channels.

    Returns:
        ``[ahead]``, or ``[ahead, skip]`` in the top-down path; m channels each.
    """

    def operation(tensors: list[Tensor], label: str, filters: int, size: int = 1, concatenated: bool = True) -> Tensor:
        name = f"unet0_{position}_{label}"
        quantizers = conv_quantizers(quant, name, concatenated)
        return ConcatBNReLUConv(filters, size, gamma_init=config.gamma_init, name=name, **quantizers)(tensors)

    tensors = list(main)
    for layer in range(config.layers):
        narrow = operation(tensors, f"bottleneck{layer}", 4 * config.growth, concatenated=False)
        tensors.append(operation([narrow], f"features{layer}", config.growth, 3))
    ends = ("ahead", "skip") if position.startswith("down") else ("ahead",)
    return [operation(tensors, end, config.main_channels) for end in ends]
