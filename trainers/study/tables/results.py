"""What the runs of a protocol have found so far."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from cunet_tf.figures import HIGHER, LOWER, nme_label
from cunet_tf.rows import Row
from cunet_tf.trainers.study.sweep_table import metric_of
from cunet_tf.trainers.study.tables.protocol import Protocol

TRAINING, HELD_OUT = "watched", "val"  # columns of history.csv begin with these


class Results:
    """Figures of the finished runs of a protocol, read from their folders.

    Args:
        protocol: says which runs there are.
    """

    def __init__(self, protocol: Protocol):
        self.protocol = protocol
        self.evaluation = cache(self._evaluation)

    def _evaluation(self, name: str, seed: int) -> dict[str, Any]:
        return self.protocol.job(name, seed).evaluation()

    def figures(self, name: str) -> dict[int, Row]:
        """Seed -> ``metric``, ``value`` (as shown), ``error`` (less is better), ``failure_rate``; in percent."""
        found = {}
        for seed in self.protocol.seeds:
            evaluation = self.evaluation(name, seed)
            row = metric_of(evaluation) if evaluation else {"error": None}
            if row["error"] is not None:
                shown = row["error"] if row["metric"] == "NME" else 100.0 - row["error"]
                found[seed] = {"metric": row["metric"], "value": shown, "error": row["error"],
                               "failure_rate": evaluation.get("failure_rate")}  # fmt: skip
        return found

    def columns(self, name: str) -> Row:
        """Metric, mean, one column for each seed, mean failure rate; ``None`` where nothing is finished."""
        figures = self.figures(name)
        first = next(iter(figures.values()), {})
        seeds = {f"seed_{seed}": figures.get(seed, {}).get("value") for seed in self.protocol.seeds}
        means = {key: mean([row[key] for row in figures.values()]) for key in ("value", "failure_rate")}
        return {"metric": first.get("metric"), "mean": means["value"], **seeds, "failure_rate": means["failure_rate"]}

    def curve(self, name: str, part: str) -> dict[int, list[float]]:
        """Seed -> metric after each epoch, on the ``TRAINING`` or the ``HELD_OUT`` part."""
        curves = {}
        for seed in self.protocol.seeds:
            rows = self.protocol.job(name, seed).history() if self.evaluation(name, seed) else []
            column = metric_column(rows[0], part) if rows else None
            if column:
                curves[seed] = [float(row[column]) for row in rows]
        return curves

    def mean_curve(self, name: str, part: str) -> list[float]:
        """Mean over the seeds of :meth:`curve`; empty when no run is finished."""
        curves = list(self.curve(name, part).values())
        return [sum(values) / len(values) for values in zip(*curves, strict=True)] if curves else []

    def axis_label(self, names: Iterable[str], part: str) -> str:
        """Metric of :meth:`curve` with its unit and yardstick, what it was measured on, which way is better.

        Args:
            names: of the drawn runs; the first finished one tells the metric, which all share.
            part: of the pictures of the protocol's split, in words; ``held-out pictures``.
        """
        for job in (self.protocol.job(name, seed) for name in names for seed in self.protocol.seeds):
            evaluation = job.evaluation()
            column = metric_column(job.history()[0], HELD_OUT) if evaluation else None
            if column:
                data = f"{self.protocol.data or 'the data'} {self.protocol.split}"
                return curve_label(column, evaluation["normalizer"], f"{part} of {data}")
        return ""


def curve_label(column: str, normalizer: str, where: str) -> str:
    """Words for a column of ``history.csv``: ``val_nme`` or ``val_pck``."""
    if column.endswith("_pck"):  # while training it is always the torso's
        return f"PCK@0.2 of the torso [%],\n{where}, {HIGHER}"
    return f"{nme_label(normalizer)},\n{where}, {LOWER}"


def metric_column(row: dict[str, str], part: str) -> str | None:
    """The column of the last head's NME or PCK on a part; only that head has a metric."""
    return next((name for name in (f"{part}_nme", f"{part}_pck") if name in row), None)


def mean(values: list[float | None]) -> float | None:
    """``None`` for nothing, or where a value is undefined."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None
