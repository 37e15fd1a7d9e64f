"""One protocol for every accuracy column: on what the small networks are trained, and for how long."""

import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cunet_tf.data.hold_out import VAL_SHARE
from cunet_tf.errors import CUNetError
from cunet_tf.presets import preset
from cunet_tf.trainers.study.jobs import Job
from cunet_tf.trainers.study.tables.networks import REGRESSION, Scale, Variant, variants

# The same care for all: what helps a small network on a small budget most (docs/results/levers.md).
FOREGROUND, LEARNING_RATE = 20, 0.002
CARE = (f"--foreground={FOREGROUND}", f"--learning_rate={LEARNING_RATE}")


@dataclass(frozen=True)
class Protocol:
    """Data and budget that all runs share.

    Attributes:
        data: name of the data set; ``None`` accepts any finished run.
        split: to learn from.
        test_split: to evaluate on.
        box: boxes of the objects.
        data_flags: what ``cunet train`` and ``evaluate`` need to find the data.
        epochs, images, batch_size, seeds: the budget; networks of two passes, which update once for each, get batches
            twice as large: as many updates of as many pictures, as many epochs.
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
    targets: str = REGRESSION

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
            f"--batch_size={self.batch_of(variant)}", f"--epochs={self.epochs}",
            f"--watch={max(1, self.images // 10)}", f"--seed={seed}", *CARE, *variant.flags(),
        )  # fmt: skip
        folder, evaluate = f"{name}-s{seed}", (*self.data_flags, f"--split={self.test_split}")
        expects = self._expects(variant, seed)
        return Job(folder, self.workdir / folder, train, evaluate, self.test_split, self.box, expects)

    def batch_of(self, variant: Variant) -> int:
        """Pictures of a step, of which each pass gets ``batch_size``."""
        return self.batch_size * variant.config().passes

    def _expects(self, variant: Variant, seed: int) -> dict[str, Any]:
        config = variant.config().to_dict()
        if self.data in (None, "folder", "coco", "yolo"):  # a user's own data may have any number of landmarks
            del config["landmarks"]
        data = {"name": self.data, "split": self.split, "box": self.box} if self.data else {}
        return {
            "spec": {"config": config, "quant": "float"},
            "recipe": {"targets": variant.targets, "foreground": float(FOREGROUND), "learning_rate": LEARNING_RATE},
            "epochs": self.epochs, "batch_size": self.batch_of(variant), "seed": seed, "init": None,
            "data": {"images": self.images, **data},
        }  # fmt: skip

    def conditions(self) -> str:
        """In words, for the head of a table."""
        scale = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in asdict(self.scale).items())
        landmarks = self.variants["cunet"].landmarks
        learned = round((1.0 - VAL_SHARE) * self.images)
        updates = learned // self.batch_size * self.epochs
        return (
            f"Ours: {self.images} pictures of {self.data or 'the data'} {self.split} ({100 * VAL_SHARE:.0f} % of them "
            f"held out), {self.epochs} epochs, {self.batch_size} pictures an update, about {updates:,} updates, "
            f"`{' '.join(CARE)}`, seeds {', '.join(map(str, self.seeds))}; tested on {self.test_split}, {self.box} "
            f"boxes, no flip test; supervision {self.targets} where a row does not say another. Small networks "
            f"({scale}, {landmarks} landmarks) on a small budget: compare the ordering, not the level."
        )


def parse_budget(text: str) -> tuple[int, int]:
    """``EPOCHSxIMAGES`` as two numbers.

    Raises:
        CUNetError: anything else.
    """
    found = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", text)
    if not found or int(found[2]) < 2:
        raise CUNetError(f"--budget={text}: give EPOCHSxIMAGES, such as 16x1500.")
    return int(found[1]), int(found[2])


def parse_seeds(values: list[str]) -> tuple[int, ...]:
    """Different whole numbers.

    Raises:
        CUNetError: none, twice the same, or something else.
    """
    if not values or len(set(values)) < len(values) or not all(value.isdigit() for value in values):
        raise CUNetError(f"--seeds={','.join(values)}: give different whole numbers, such as 0,1.")
    return tuple(int(value) for value in values)
