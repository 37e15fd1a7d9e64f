"""The small networks that stand for the paper's, all by one rule of size."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

from cunet_tf.codec import DiskCodec, GaussianCodec
from cunet_tf.config import CUNetConfig, NetworkConfig
from cunet_tf.config_baselines import DenseUNetConfig, HourglassConfig
from cunet_tf.errors import CUNetError
from cunet_tf.models.counts import count
from cunet_tf.presets import preset
from cunet_tf.skeletons import MPII16

BODIES = ("lsp", "lspet", "mpii")  # data sets with a torso
DETECTION, REGRESSION = DiskCodec.name, GaussianCodec.name
# Of Table 2 and Fig. 7, in m and n of the full size (m 128, n 32); two U-Nets, as there.
WIDTHS = ((0.5, 0.5), (1, 0.5), (1, 0.75), (1, 1), (1.5, 0.75), (1.5, 1))
WIDTH_STACKS = 2


@dataclass(frozen=True)
class Scale:
    """Size of CU-Net; hourglass and dense U-Net follow from it.

    Attributes:
        stacks: N; 4 at least, so that orders, and supervisions between 1 and N, differ.
        main_channels: m.
        growth: n.
        refinement: g, new channels between two passes.
        input_size: side of the input in pixels.

    Raises:
        CUNetError: too few U-Nets.
    """

    stacks: int = 4
    main_channels: int = 32
    growth: int = 8
    refinement: int = 4
    input_size: int = 128

    def __post_init__(self) -> None:
        if self.stacks < 4:
            raise CUNetError(f"--stacks={self.stacks}: orders 0 to N-1 and supervisions 1 to N take 4 or more.")


@dataclass(frozen=True)
class Variant:
    """One network to train.

    Attributes:
        preset: where it starts from.
        options: flags of ``cunet train`` beside it.
        targets: its supervision.
        landmarks: of the data, which ``cunet train`` gives to any preset.
    """

    preset: str
    options: dict[str, int]
    targets: str
    landmarks: int = 68

    def config(self) -> NetworkConfig:
        """The architecture, for the landmarks of the data."""
        return preset(self.preset).config.replace(landmarks=self.landmarks, **self.options)

    def flags(self) -> tuple[str, ...]:
        """For ``cunet train``."""
        options = [f"--{name}={value}" for name, value in self.options.items()]
        return (f"--preset={self.preset}", *options, f"--targets={self.targets}")


def width_name(m: int, n: int) -> str:
    """Name of the run of a width (Table 2)."""
    return f"width-{m}-{n}"


def widths(scale: Scale) -> list[tuple[int, int]]:
    """The (m, n) of Table 2 at our scale, in the table's order."""
    return [(round(scale.main_channels * m), round(scale.growth * n)) for m, n in WIDTHS]


def orders(scale: Scale) -> dict[int, str]:
    """Order K -> name of its run, from none to fully dense (paper, 3.3)."""
    return {order: "cunet" if order == 1 else f"order-{order}" for order in range(scale.stacks)}


def supervised(scale: Scale) -> dict[int, str]:
    """Number of supervisions S -> name of its run; all of them is CU-Net itself."""
    return {number: f"supervisions-{number}" for number in range(1, scale.stacks)} | {scale.stacks: "cunet"}


@functools.cache
def variants(scale: Scale, data: str | None = None, targets: str = REGRESSION) -> dict[str, Variant]:
    """Every network that a table can ask for, by the name of its run.

    Args:
        scale: of CU-Net.
        data: of ``--data``; bodies start from another preset than faces.
        targets: supervision of all but those whose supervision is the point (Tables 6 and 7).
    """
    base = "pose-mobile" if data in BODIES else "face-mobile"
    landmarks = MPII16.size if data == "mpii" else preset(base).skeleton.size
    wide = {"main_channels": scale.main_channels, "growth": scale.growth}
    size = {"input_size": scale.input_size}

    def cunet(own: str = targets, **options: int) -> Variant:
        return Variant(base, {"stacks": scale.stacks, **wide, **size, **options}, own, landmarks)

    def iterative(first: str, second: str) -> Variant:
        return cunet(f"{first},{second}", refinement=scale.refinement)

    equal = conv_parameters(CUNetConfig(scale.stacks, 1, scale.main_channels, scale.growth, landmarks))
    channels = closest(equal, lambda c: HourglassConfig(scale.stacks, 4 * c, landmarks=landmarks))
    width = closest(equal, lambda m: DenseUNetConfig(scale.stacks, m, max(m // 4, 1), landmarks))
    dense = {"layers": scale.stacks, **size}
    return {
        "cunet": cunet(),
        "hourglass": Variant("hourglass-4", {"stacks": scale.stacks, "channels": 4 * channels, **size}, targets,
                             landmarks),
        "dense-unet": Variant("dense-unet-4", {**dense, **wide}, targets, landmarks),
        "dense-unet-wide": Variant("dense-unet-4", {**dense, "main_channels": width, "growth": max(width // 4, 1)},
                                   targets, landmarks),
        **{name: cunet(order=order) for order, name in orders(scale).items() if name != "cunet"},
        **{name: cunet(supervisions=number) for number, name in supervised(scale).items() if name != "cunet"},
        "detection": cunet(DETECTION),
        "regression": cunet(REGRESSION),
        "iterative-regression-regression": iterative(REGRESSION, REGRESSION),
        "iterative-detection-regression": iterative(DETECTION, REGRESSION),
        "iterative-detection-detection": iterative(DETECTION, DETECTION),
        "deep": cunet(REGRESSION, stacks=2 * scale.stacks),
        **{width_name(m, n): cunet(stacks=WIDTH_STACKS, main_channels=m, growth=n) for m, n in widths(scale)},
    }  # fmt: skip


def conv_parameters(config: NetworkConfig) -> int:
    """As the paper counts."""
    return count(config)["conv_parameters"]


def closest(parameters: int, build: Callable[[int], NetworkConfig]) -> int:
    """The number, from 1 on, whose network has as nearly as possible so many parameters; more of it has more."""
    number = 1
    while conv_parameters(build(number + 1)) <= parameters:
        number += 1
    gaps = [abs(conv_parameters(build(each)) - parameters) for each in (number, number + 1)]
    return number + (gaps[1] < gaps[0])
