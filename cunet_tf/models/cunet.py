"""CU-Net (paper, sections 3.2, 3.3 and 4.1): coupled U-Nets, top to bottom."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import keras

from cunet_tf.aliases import Tensor
from cunet_tf.config import CUNetConfig
from cunet_tf.config_baselines import DenseUNetConfig
from cunet_tf.memory.names import MemoryConfig
from cunet_tf.memory.strategy import set_memory
from cunet_tf.models.concat_conv import ConcatBNReLUConv, ConcatConvBNReLU
from cunet_tf.models.convolution import ConvBNReLU
from cunet_tf.models.coupling import CouplingQueues
from cunet_tf.models.landmark_model import LandmarkModel
from cunet_tf.models.layers import MaxPool, SemanticBlock, Upsample2x
from cunet_tf.models.parts import image_input, prepare
from cunet_tf.models.quant_layers import QuantActivation
from cunet_tf.models.refined_model import RefinedModel
from cunet_tf.models.refinement import second_pass
from cunet_tf.quantize.names import QuantConfig
from cunet_tf.quantize.placement import conv_quantizers, output_grid
from cunet_tf.spec import ModelSpec

L = TypeVar("L", bound=keras.layers.Layer)


def build_cunet(
    network: CUNetConfig | ModelSpec,
    name: str = "cunet",
    quant: str | QuantConfig | None = None,
    memory: str | MemoryConfig | None = None,
) -> keras.Model:
    """The network as a functional Keras model.

    Given a :class:`~cunet_tf.spec.ModelSpec`, the model carries it into every saved file.
    ``quant`` names a quantization (paper, section 3.5) such as ``"BW-a-QIG(818)"``; by default
    it is the description's own. Float and quantized networks have the same variables.

    ``memory`` names what training keeps for the backward pass, such as ``"recompute"`` (see
    :class:`~cunet_tf.memory.names.MemoryConfig`); it changes neither the variables nor a saved file.

    Raises:
        CUNetError: the shape of another network, an unknown quantization or memory mode, or one
            under another backend than TensorFlow.

    Input ``image``: float32 ``[B, H, W, 3]``, RGB in 0..1, H = W = the input size.
    Output: a list of float32 heat maps ``[B, H/4, W/4, C]``, earliest supervised U-Net first;
    the last one is the prediction.

    Example:
        >>> model = build_cunet(CUNetConfig(stacks=1, main_channels=8, growth=4, input_size=64))
        >>> [tuple(output.shape) for output in model.outputs]
        [(None, 16, 16, 16)]
    """
    config, placed, spec = prepare(network, CUNetConfig, quant)
    image = image_input(config)
    unets = CoupledUNets(config, placed, config.passes)
    flow = stem(config, image, placed)
    heatmaps, last = unets(flow)
    kind = LandmarkModel
    if config.refinement:
        heatmaps, kind = heatmaps + second_pass(unets, flow, last), RefinedModel
    return set_memory(kind(image, heatmaps, name=name, cunet_spec=spec.to_dict() if spec else None), memory)


def stem(config: CUNetConfig | DenseUNetConfig, image: Tensor, quant: QuantConfig) -> Tensor:
    """``[B, H, W, 3] -> [B, H/4, W/4, m]``."""
    x = ConvBNReLU(config.main_channels, 7, 2, pool=True, gamma_init=config.gamma_init, name="stem")(image)
    grid = output_grid(quant, isinstance(config, CUNetConfig) and config.conv_first)
    return x if grid is None else QuantActivation(grid, name="stem_grid")(x)


class CoupledUNets:
    """All U-Nets of a network. Layers are made when first used: a second call is a second pass.

    Args:
        config: the architecture.
        quant: what is quantized.
        bn_sets: sets of batch-normalisation variables, one for each pass.
    """

    def __init__(self, config: CUNetConfig, quant: QuantConfig, bn_sets: int = 1):
        self.config, self.quant, self.bn_sets = config, quant, bn_sets
        self._layers: dict[str, keras.layers.Layer] = {}

    def __call__(self, flow: Tensor, bn_set: int = 0) -> tuple[list[Tensor], Tensor]:
        """Run every U-Net.

        Args:
            flow: input of the first U-Net, ``[B, H/4, W/4, m]``.
            bn_set: which batch-normalisation variables this pass uses.

        Returns:
            Heat maps of the supervised U-Nets, and the input of the last U-Net.
        """
        run = _Run(bn_set, CouplingQueues(self.config.effective_order))
        heatmaps = []
        entry = flow
        for index in range(self.config.stacks):
            if index > 0:
                # in_i from y_(i-1) and the inputs of the previous c_i U-Nets (blue lines of Fig. 3).
                adapter = self.conv(f"unet{index}_input", self.config.main_channels)
                flow = entry = adapter([flow, *run.queues.history("input")], bn_set=bn_set)
            run.queues.push("input", flow)
            flow = self._unet(index, flow, run)
            if index in self.config.supervised:
                heatmaps.append(self._head(index)(flow, bn_set=bn_set))
        return heatmaps, entry

    def conv(self, name: str, filters: int, kernel_size: int = 1, **options: Any) -> ConcatBNReLUConv:
        """The convolution of this name, quantized as its name says."""
        config = self.config
        quantizers = conv_quantizers(self.quant, name, options.pop("concatenated", True), config.conv_first)
        options = {"bn_sets": self.bn_sets, "gamma_init": config.gamma_init, "name": name, **quantizers, **options}
        kind = ConcatConvBNReLU if config.conv_first else ConcatBNReLUConv
        return self._layer(name, lambda: kind(filters, kernel_size, **options))

    def _head(self, index: int) -> ConcatBNReLUConv:
        """BN-ReLU-conv1x1, or a bare convolution, to C linear heat maps, float32; never fed back into the flow."""
        bare = {"normalize": False} if self.config.conv_first else {}
        name, landmarks = self.config.head_name(index), self.config.landmarks
        return self.conv(name, landmarks, concatenated=False, dtype="float32", **bare)

    def _unet(self, index: int, x: Tensor, run: "_Run") -> Tensor:
        """One U-Net: ``[B, H/4, W/4, m] -> [B, H/4, W/4, m]``, feeding and reading the queues."""
        skips = []
        for level in range(self.config.levels):
            x, skip = self._block(index, f"down{level}", [x], run)
            x = MaxPool(2, name=run.named(f"unet{index}_pool{level}"))(x)
            skips.append(skip)
        (x,) = self._block(index, "neck", [x], run)
        for level in reversed(range(self.config.levels)):
            x = Upsample2x(name=run.named(f"unet{index}_resize{level}"))(x)
            (x,) = self._block(index, f"up{level}", [x, skips[level]], run)
        return x

    def _block(self, index: int, position: str, main: list[Tensor], run: "_Run") -> list[Tensor]:
        """The semantic block at one position; its new features go to the next K U-Nets.

        Returns ``[ahead]``, or ``[ahead, skip]`` in the top-down path.
        """
        name = f"unet{index}_{position}"
        layer = self._layer(name, lambda: SemanticBlock(
            self.config.main_channels, self.config.growth, position.startswith("down"), self.bn_sets,
            self.config.gamma_init, self.quant, self.config.norm_order, name=name,
        ))  # fmt: skip
        features, *outputs = layer([*main, *run.queues.history(position)], bn_set=run.bn_set)
        run.queues.push(position, features)
        return outputs

    def _layer(self, name: str, make: Callable[[], L]) -> L:
        if name not in self._layers:
            self._layers[name] = make()
        return self._layers[name]


@dataclass(frozen=True)
class _Run:
    """One pass through the U-Nets, with queues of its own."""

    bn_set: int
    queues: CouplingQueues

    def named(self, name: str) -> str:
        """Layers without variables are made anew for each pass, and need a name of their own."""
        return name if self.bn_set == 0 else f"pass{self.bn_set + 1}_{name}"
