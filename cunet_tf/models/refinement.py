"""Iterative refinement (paper, section 3.4): the same convolutions a second time."""

from typing import Any, Protocol

import keras

from cunet_tf.aliases import Tensor
from cunet_tf.config import CUNetConfig
from cunet_tf.models.concat_conv import ConcatBNReLUConv
from cunet_tf.models.conv_count import DENSE_CONVS
from cunet_tf.models.refined_model import FIRST, LAST


class Unets(Protocol):
    """All U-Nets of a network, see :class:`~cunet_tf.models.cunet.CoupledUNets`."""

    config: CUNetConfig

    def __call__(self, flow: Tensor, bn_set: int = 0) -> tuple[list[Tensor], Tensor]:
        """Run every U-Net."""
        ...

    def conv(self, name: str, filters: int, kernel_size: int = 1, **options: Any) -> ConcatBNReLUConv:
        """The convolution of this name."""
        ...


def refine(unets: Unets, first: Tensor, last: Tensor) -> Tensor:
    """The modified input of the second pass: dense aggregation block.

    Args:
        unets: whose options the block shares.
        first: in_0, ``[B, H/4, W/4, m]``.
        last: in_(N-1) of the first pass, of the same shape.

    Returns:
        ``[B, H/4, W/4, m]``, from [first, last] and four times g new channels, each
        convolution reading all that was made before it.
    """
    config = unets.config
    parts = [keras.layers.Identity(name=FIRST)(first), keras.layers.Identity(name=LAST)(last)]
    for index in range(DENSE_CONVS):
        parts.append(unets.conv(f"refine{index}", config.refinement, 3, bn_sets=1)(parts))
    return unets.conv("refine_input", config.main_channels, bn_sets=1)(parts)


def second_pass(unets: Unets, first: Tensor, last: Tensor) -> list[Tensor]:
    """Heat maps of the second pass, with batch-normalisation variables of its own."""
    heatmaps, _ = unets(refine(unets, first, last), bn_set=1)
    names = unets.config.head_names[len(heatmaps) :]
    return [keras.layers.Identity(name=name, dtype="float32")(maps) for name, maps in zip(names, heatmaps, strict=True)]
