"""What the builders of tables draw from."""

from dataclasses import dataclass
from pathlib import Path

from cunet_tf.config import NetworkConfig
from cunet_tf.models.counts import count
from cunet_tf.rows import Row
from cunet_tf.trainers.study.tables.findings import Ordering, describe_orderings
from cunet_tf.trainers.study.tables.networks import Scale
from cunet_tf.trainers.study.tables.results import Results


@dataclass(frozen=True)
class Gallery:
    """What Fig. 11 shows.

    Attributes:
        model: model file, or a shipped name.
        data, root, split: the pictures.
        count: how many of them.
    """

    model: str = "face-mobile"
    data: str = "synthetic"
    root: str | None = None
    split: str = "3:12"
    count: int = 12


@dataclass(frozen=True)
class Context:
    """Where the figures of a table come from.

    Attributes:
        out: folder that the tables, pictures and ``latency.csv`` are written to.
        reports: folder with the CSV files of ``cunet sweep`` and ``cunet evaluate``.
        results: the trained runs; ``None`` leaves accuracy columns out.
        gallery: what Fig. 11 shows.
        runs: names of the runs of the table in hand; ``None`` for all.
    """

    out: Path
    reports: Path
    results: Results | None = None
    gallery: Gallery = Gallery()
    runs: list[str] | None = None

    @property
    def scale(self) -> Scale:
        """Of the trained networks."""
        return self.results.protocol.scale if self.results else Scale()

    def accuracy(self, name: str | None) -> Row:
        """Accuracy columns of a run; empty ones without a name."""
        if self.results is None:
            return {}
        return self.results.columns(name) if name else {}

    def conditions(self) -> list[str]:
        """The protocol of the accuracy columns in words, and what trained them where that was not one device."""
        if not self.results:
            return []
        most, *others = [*self.results.devices(self.runs).items()] or [("", [])]
        rest = [f"Trained on {device}, the others on {most[0]}: {', '.join(runs)}." for device, runs in others]
        return [self.results.protocol.conditions(), *rest]

    def findings(self, orderings: list[Ordering]) -> list[str]:
        """Which of the paper's orderings hold."""
        return [describe_orderings(self.results, orderings)] if self.results else []

    def size(self, name: str) -> Row:
        """Counts of a trained network, by the name of its run."""
        return sizes(self.results.protocol.variants[name].config()) if self.results else {}


def sizes(config: NetworkConfig) -> Row:
    """``conv_parameters`` as the paper counts, and ``gmac`` for one picture, heads run."""
    found = count(config)
    return {"conv_parameters": found["conv_parameters"], "gmac": found["macs"] / 1e9}
