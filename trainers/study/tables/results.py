"""What the runs of a protocol have found so far."""

from collections.abc import Iterable

from cunet_tf.figures import HIGHER, LOWER, nme_label
from cunet_tf.rows import Row
from cunet_tf.trainers.study.tables.protocol import Protocol
from cunet_tf.trainers.study.tables.records import Records


class Results:
    """Figures of the finished runs of a protocol.

    Args:
        protocol: says which runs there are.
        records: rows of finished ones.
    """

    def __init__(self, protocol: Protocol, records: Records):
        self.protocol, self.records = protocol, records

    def found(self, name: str) -> dict[int, Row]:
        """Seed -> row of a finished run, see :class:`~cunet_tf.trainers.study.tables.records.Records`."""
        rows = {seed: self.records.find(self.protocol.job(name, seed)) for seed in self.protocol.seeds}
        return {seed: row for seed, row in rows.items() if row}

    def figures(self, name: str) -> dict[int, Row]:
        """Seed -> ``metric``, ``value`` (as shown), ``error`` (less is better), ``failure_rate``; in percent."""
        return {
            seed: {**{key: row[key] for key in ("metric", "error", "failure_rate")},
                   "value": row["error"] if row["metric"] == "NME" else 100.0 - row["error"]}
            for seed, row in self.found(name).items() if row["error"] is not None
        }  # fmt: skip

    def columns(self, name: str) -> Row:
        """Metric, mean, one column for each seed, mean failure rate; ``None`` where nothing is finished."""
        figures = self.figures(name)
        first = next(iter(figures.values()), {})
        seeds = {f"seed_{seed}": figures.get(seed, {}).get("value") for seed in self.protocol.seeds}
        means = {key: mean([row[key] for row in figures.values()]) for key in ("value", "failure_rate")}
        return {"metric": first.get("metric"), "mean": means["value"], **seeds, "failure_rate": means["failure_rate"]}

    def devices(self, names: list[str] | None = None) -> dict[str, list[str]]:
        """Device, as ``cunet train`` names it -> the finished runs that it trained, or ended; those of most first.

        ``names`` are those that count; all by default.
        """
        found: dict[str, list[str]] = {}
        for name in self.protocol.variants if names is None else names:
            for row in self.found(name).values():
                runs = found.setdefault(row["device"], [])
                runs += [row["run"]] * (row["run"] not in runs)
        return dict(sorted(found.items(), key=lambda each: -len(each[1])))

    def higher(self, name: str) -> bool:
        """Whether more is better in what :meth:`curve` shows."""
        return any(row["metric"] != "NME" for row in self.found(name).values())

    def curve(self, name: str, part: str) -> dict[int, list[float]]:
        """Seed -> metric after each epoch, on the ``TRAINING`` or the ``HELD_OUT`` part."""
        return {seed: row[part] for seed, row in self.found(name).items() if row[part]}

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
        for row in (row for name in names for row in self.found(name).values()):
            data = f"{self.protocol.data or 'the data'} {self.protocol.split}"
            return curve_label(row["metric"], row["normalizer"], f"{part} of {data}")
        return ""


def curve_label(metric: str, normalizer: str, where: str) -> str:
    """Words for a curve: of ``NME``, or of a PCK."""
    if metric != "NME":  # while training it is always the torso's
        return f"PCK@0.2 of the torso [%],\n{where}, {HIGHER}"
    return f"{nme_label(normalizer)},\n{where}, {LOWER}"


def mean(values: list[float | None]) -> float | None:
    """``None`` for nothing, or where a value is undefined."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None
