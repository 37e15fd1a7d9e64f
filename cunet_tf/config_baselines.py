"""The networks that the paper compares CU-Net with, as numbers, and the way from a file back to any of them."""

from dataclasses import dataclass
from typing import Any, ClassVar

from cunet_tf.config import CUNetConfig, NetworkConfig
from cunet_tf.errors import CUNetError, did_you_mean


@dataclass(frozen=True)
class DenseUNetConfig(NetworkConfig):
    """Shape of a dense U-Net (paper, section 3.1 and Table 3): one U-Net whose blocks have several dense layers.

    Attributes:
        layers: L, dense layers of each block; "dense U-Net (8)" has 8.
        main_channels: m, channels of the main flow.
        growth: n, new features of each dense layer.
        landmarks: C, heat maps of the head.
        levels: poolings.
        input_size: side of the square input in pixels, divisible by 4 * 2**levels.
        gamma_init: ``"ones"`` or ``"uniform"``.

    Raises:
        CUNetError: when a field is out of range; the message says what to change.
    """

    architecture: ClassVar[str] = "dense_unet"
    title: ClassVar[str] = "dense U-Net"
    layers: int = 4
    main_channels: int = 128
    growth: int = 32
    landmarks: int = 16
    levels: int = 4
    input_size: int = 256
    gamma_init: str = "ones"

    def __post_init__(self) -> None:
        self._check("layers", ("main_channels", "growth"), "levels")

    @property
    def supervised(self) -> tuple[int, ...]:
        """The only U-Net."""
        return (0,)


@dataclass(frozen=True)
class HourglassConfig(NetworkConfig):
    """Shape of a stacked hourglass network (Newell, Yang and Deng 2016), every hourglass supervised.

    Attributes:
        stacks: N, number of hourglasses.
        channels: of the main flow, divisible by 4 (256 in the original).
        depth: poolings inside one hourglass (4 in the original).
        landmarks: C, heat maps of each head.
        input_size: side of the square input in pixels, divisible by 4 * 2**depth.
        gamma_init: ``"ones"`` or ``"uniform"``.

    Raises:
        CUNetError: when a field is out of range; the message says what to change.
    """

    architecture: ClassVar[str] = "hourglass"
    title: ClassVar[str] = "stacked hourglass"
    unit: ClassVar[str] = "stack"
    quantizable: ClassVar[bool] = False
    stem_channels: ClassVar[int] = 64  # of the first convolution
    stacks: int = 8
    channels: int = 256
    depth: int = 4
    landmarks: int = 16
    input_size: int = 256
    gamma_init: str = "ones"

    def __post_init__(self) -> None:
        self._check("stacks", ("channels",), "depth")
        if self.channels % 4:
            low = self.channels // 4 * 4
            near = f"{low} or {low + 4}" if low else "4"
            raise CUNetError(f"channels={self.channels} must be divisible by 4: use {near}.")

    @property
    def supervised(self) -> tuple[int, ...]:
        """0-based indices of the hourglasses: each carries a head."""
        return tuple(range(self.stacks))


ARCHITECTURES: dict[str, type[NetworkConfig]] = {
    kind.architecture: kind for kind in (CUNetConfig, DenseUNetConfig, HourglassConfig)
}


def network_config_from_dict(fields: dict[str, Any]) -> NetworkConfig:
    """Inverse of :meth:`~cunet_tf.config.NetworkConfig.to_dict`.

    Fields without an ``architecture`` are a CU-Net's, as in files that are older than the baselines.

    Raises:
        CUNetError: unknown architecture or field, or a value out of range.
    """
    fields = dict(fields)
    name = fields.pop("architecture", CUNetConfig.architecture)
    if name not in ARCHITECTURES:
        raise CUNetError(
            f"architecture {name!r} is not one that this cunet-tf builds. {did_you_mean(name, ARCHITECTURES)}"
        )
    return ARCHITECTURES[name]().replace(**fields)
