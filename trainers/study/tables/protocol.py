"""One protocol for every accuracy column: which small networks are trained, on what, for how long."""

import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cunet_tf.codec import DiskCodec, GaussianCodec
from cunet_tf.config import NetworkConfig
from cunet_tf.errors import CUNetError
from cunet_tf.presets import preset
from cunet_tf.skeletons import MPII16
from cunet_tf.trainers.study.jobs import Job

BODIES = ("lsp", "lspet", "mpii")  # data sets with a torso
DETECTION, REGRESSION = DiskCodec.name, GaussianCodec.name
WIDTHS = ((0.5, 0.5), (1, 0.5), (1, 0.75), (1, 1), (1.5, 0.75), (1.5, 1))  # of Table 2, in m and n of the full size


@dataclass(frozen=True)
class Scale:
    """Size of the trained networks; the defaults give CU-Net, hourglass and dense U-Net about 200,000 parameters.

    Attributes:
        stacks: N, of CU-Net and hourglass; 3 at least, so that orders and supervisions differ.
        main_channels: m.
        growth: n.
        channels: of the hourglass.
        refinement: g, of iterative refinement.
        input_size: side of the input in pixels.
    """

    stacks: int = 3
    main_channels: int = 32
    growth: int = 8
    channels: int = 36
    refinement: int = 4
    input_size: int = 128

    def __post_init__(self) -> None:
        if self.stacks < 3:
            raise CUNetError(f"--stacks={self.stacks}: orders 0, 1, 2 and supervisions 1, 2, 3 take 3 or more.")


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
    """Name of the run of another width (Table 2)."""
    return f"width-{m}-{n}"


def widths(scale: Scale) -> list[tuple[int, int]]:
    """The (m, n) of Table 2 at our scale, in the table's order."""
    return [(round(scale.main_channels * m), round(scale.growth * n)) for m, n in WIDTHS]


def variants(scale: Scale, data: str | None = None, targets: str = DETECTION) -> dict[str, Variant]:
    """Every network that a table can ask for, by the name of its run.

    ``targets`` is the supervision of all but those whose supervision is the point (Table 6).
    """
    base = "pose-mobile" if data in BODIES else "face-mobile"
    landmarks = MPII16.size if data == "mpii" else preset(base).skeleton.size
    wide = {"main_channels": scale.main_channels, "growth": scale.growth}
    size = {"input_size": scale.input_size}

    def cunet(own: str = targets, **options: int) -> Variant:
        return Variant(base, {"stacks": scale.stacks, **wide, **size, **options}, own, landmarks)

    def iterative(first: str, second: str) -> Variant:
        return cunet(f"{first},{second}", refinement=scale.refinement)

    hourglass = {"stacks": scale.stacks, "channels": scale.channels, **size}
    others = [pair for pair in widths(scale) if pair != (scale.main_channels, scale.growth)]
    return {
        "cunet": cunet(),
        "hourglass": Variant("hourglass-4", hourglass, targets, landmarks),
        "dense-unet": Variant("dense-unet-4", {**wide, **size}, targets, landmarks),
        "order-0": cunet(order=0),
        "order-2": cunet(order=2),
        "supervisions-1": cunet(supervisions=1),
        "supervisions-2": cunet(supervisions=2),
        "detection": cunet(DETECTION),
        "regression": cunet(REGRESSION),
        "iterative-regression-regression": iterative(REGRESSION, REGRESSION),
        "iterative-detection-regression": iterative(DETECTION, REGRESSION),
        "iterative-detection-detection": iterative(DETECTION, DETECTION),
        **{width_name(m, n): cunet(main_channels=m, growth=n) for m, n in others},
    }


@dataclass(frozen=True)
class Protocol:
    """Data and budget that all runs share.

    Attributes:
        data: name of the data set; ``None`` accepts any finished run.
        split: to learn from.
        test_split: to evaluate on.
        box: boxes of the objects.
        data_flags: what ``cunet train`` and ``evaluate`` need to find the data.
        epochs, images, batch_size, seeds: the budget.
        workdir: folder of the runs.
        scale: size of the networks.
        targets: supervision where it is not itself compared.
    """

    data: str | None
    split: str
    test_split: str
    box: str
    data_flags: tuple[str, ...]
    epochs: int
    images: int
    batch_size: int
    seeds: tuple[int, ...]
    workdir: Path
    scale: Scale = field(default_factory=Scale)
    targets: str = DETECTION

    @property
    def variants(self) -> dict[str, Variant]:
        """The networks for this data."""
        return variants(self.scale, self.data, self.targets)

    def run_name(self, name: str) -> str:
        """The first name of the same network: ``detection`` is ``cunet`` where all are supervised by disks."""
        variants = self.variants
        return next(other for other, variant in variants.items() if variant == variants[name])

    def job(self, name: str, seed: int) -> Job:
        """The run of a network from a seed; two names of the same network share it."""
        name = self.run_name(name)
        variant = self.variants[name]
        # Drawn data has the landmarks of the preset, a baseline's are MPII's; other data brings its own.
        drawn = (f"--skeleton={preset(self.variants['cunet'].preset).skeleton.name}",) * (self.data == "synthetic")
        train = (
            *self.data_flags, *drawn, f"--split={self.split}", f"--images={self.images}",
            f"--batch_size={self.batch_size}", f"--epochs={self.epochs}",
            f"--watch={max(1, self.images // 10)}", f"--seed={seed}", *variant.flags(),
        )  # fmt: skip
        folder, evaluate = f"{name}-s{seed}", (*self.data_flags, f"--split={self.test_split}")
        expects = self._expects(variant, seed)
        return Job(folder, self.workdir / folder, train, evaluate, self.test_split, self.box, expects)

    def _expects(self, variant: Variant, seed: int) -> dict[str, Any]:
        config = variant.config().to_dict()
        if self.data in (None, "folder", "coco", "yolo"):  # a user's own data may have any number of landmarks
            del config["landmarks"]
        data = {"name": self.data, "split": self.split, "box": self.box} if self.data else {}
        return {
            "spec": {"config": config, "quant": "float"}, "recipe": {"targets": variant.targets},
            "epochs": self.epochs, "batch_size": self.batch_size, "seed": seed, "init": None,
            "data": {"images": self.images, **data},
        }  # fmt: skip

    def conditions(self) -> str:
        """In words, for the head of a table."""
        scale = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in asdict(self.scale).items())
        landmarks = self.variants["cunet"].landmarks
        return (
            f"Ours: {self.images} pictures of {self.data or 'the data'} {self.split} (5 % of them held out), "
            f"{self.epochs} epochs, batch {self.batch_size}, seeds {', '.join(map(str, self.seeds))}; tested on "
            f"{self.test_split}, {self.box} boxes, no flip test; supervision {self.targets} where a row does not say "
            f"another. Small networks ({scale}, {landmarks} landmarks) on a "
            "small budget: compare the ordering, not the level."
        )


def parse_budget(text: str) -> tuple[int, int]:
    """``EPOCHSxIMAGES`` as two numbers.

    Raises:
        CUNetError: anything else.
    """
    found = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", text)
    if not found or int(found[2]) < 2:
        raise CUNetError(f"--budget={text}: give EPOCHSxIMAGES, such as 16x800.")
    return int(found[1]), int(found[2])


def parse_seeds(values: list[str]) -> tuple[int, ...]:
    """Different whole numbers.

    Raises:
        CUNetError: none, twice the same, or something else.
    """
    if not values or len(set(values)) < len(values) or not all(value.isdigit() for value in values):
        raise CUNetError(f"--seeds={','.join(values)}: give different whole numbers, such as 0,1.")
    return tuple(int(value) for value in values)
