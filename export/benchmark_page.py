"""The result of a comparison of models as Markdown and as a plot."""

from pathlib import Path
from typing import Any

from cunet_tf.figures import HIGHER, LOWER, nme_label, plot_points
from cunet_tf.rows import markdown_table

Row = dict[str, Any]
UNITS = {"bytes": 1e-6}  # of a column of the table in units of the plot
CLOCK_NAMES = {"processor": "processor time", "wall": "wall-clock time"}


def page(rows: list[Row], data: str) -> str:
    """A Markdown table and its conditions.

    Args:
        rows: of :func:`cunet_tf.export.benchmark.compare`, perhaps with ``metric`` and ``value``.
        data: what the metric was measured on; empty for none.
    """
    first = rows[0]
    head = ["model", "format", "bytes", "median ms", "min ms", f"of {first['yardstick']}", "peak MiB over idle",
            "operations delegated"]  # fmt: skip
    head += [f"{_metric_name(rows)} on {data}"] if data else []
    lines = [head]
    for row in rows:
        cells = [row["model"] if row["trained"] else f"{row['model']} (untrained)", row["format"], f"{row['bytes']:,}",
                 f"{row['median_ms']:.2f}", f"{row['min_ms']:.2f}", f"{row['ratio']:.3f}", f"{row['peak_mib']:.1f}",
                 delegated(row)]  # fmt: skip
        if data:
            cells.append("-" if row.get("value") is None else f"{row['value']:.3f}")
        lines.append(cells)
    return (
        f"# Models side by side\n\nBy `cunet benchmark`: one picture at a time, {conditions(first)}. Ratios are taken "
        "within a round, and their median is shown; peak memory in a fresh process. Untrained models have drawn "
        f"weights: bytes and time are theirs, a metric they have none.\n\n{markdown_table(lines)}\n"
    )


def conditions(row: Row) -> str:
    """How the times were taken, and on what: without the instruction sets a ratio means nothing."""
    threads = "1 thread" if row["threads"] == 1 else f"{row['threads']} threads"
    return (
        f"{CLOCK_NAMES[row['clock']]}, {threads}, {row['runs']} rounds in which every model runs once, on {row['cpu']}"
    )


def delegated(row: Row) -> str:
    """How many operations XNNPACK takes over; of a model that LiteRT does not run nothing is said."""
    return "-" if row["operations"] is None else f"{row['operations_delegated']} of {row['operations']}"


def _metric_name(rows: list[Row]) -> str:
    return next((row["metric"] for row in rows if row.get("metric")), "metric")


def plot(rows: list[Row], file: Path, data: str = "") -> None:
    """Size and latency of every model; where a metric was measured, the metric over both.

    Args:
        rows: as for :func:`page`.
        file: PNG to write.
        data: what the metric was measured on.
    """
    scored = [row for row in rows if row.get("value") is not None]
    clock, cpu = CLOCK_NAMES[rows[0]["clock"]], rows[0]["cpu"]
    size, time = f"size on disk [MB], {LOWER}", f"median {clock} of a picture [ms], {LOWER}"
    if scored:
        metric = _metric_label(_metric_name(scored), data)
        axes = {(size, metric): ("bytes", "value"), (time, metric): ("median_ms", "value")}
    else:
        axes = {(size, time): ("bytes", "median_ms")}
    names = [f"{row['model']} {row['format']}" for row in scored or rows]
    places = {labels: [(row[x] * UNITS.get(x, 1.0), row[y]) for row in scored or rows]
              for labels, (x, y) in axes.items()}  # fmt: skip
    panels = {labels: dict(zip(names, each, strict=True)) for labels, each in places.items()}
    plot_points(panels, ("x",) if scored else ("x", "y"), file, title=f"{rows[0]['threads']} thread(s), {cpu}")


def _metric_label(name: str, data: str) -> str:
    """``nme_interocular`` in words, with its unit, what it was measured on and which way is better."""
    nme = name.startswith("nme_")
    label = nme_label(name.removeprefix("nme_")) if nme else f"{name.upper()} [%]"
    return f"{label},\n{f'{data}, ' if data else ''}{LOWER if nme else HIGHER}"
