"""The result of a comparison of models as Markdown and as a plot."""

from pathlib import Path
from typing import Any

from cunet_tf.draw import plot_points
from cunet_tf.rows import markdown_table

Row = dict[str, Any]


def page(rows: list[Row], data: str) -> str:
    """A Markdown table and its conditions.

    Args:
        rows: of :func:`cunet_tf.export.benchmark.compare`, perhaps with ``metric`` and ``value``.
        data: what the metric was measured on; empty for none.
    """
    first = rows[0]
    head = ["model", "format", "bytes", "median ms", "p90 ms", f"of {first['relative_to']}", "peak MiB over idle",
            "operations delegated"]  # fmt: skip
    head += [f"{_metric_name(rows)} on {data}"] if data else []
    lines = [head]
    for row in rows:
        cells = [row["model"] if row["trained"] else f"{row['model']} (untrained)", row["format"], f"{row['bytes']:,}",
                 f"{row['median_ms']:.2f}", f"{row['p90_ms']:.2f}", f"{row['relative']:.3f}", f"{row['peak_mib']:.1f}",
                 f"{row['operations_delegated']} of {row['operations']}"]  # fmt: skip
        if data:
            cells.append("-" if row.get("value") is None else f"{row['value']:.3f}")
        lines.append(cells)
    return (
        f"# Models side by side\n\nBy `cunet benchmark`: one picture at a time, {first['threads']} thread(s), medians "
        f"of {first['runs']} rounds in which every model runs once; peak memory in a fresh process. Untrained models "
        f"have drawn weights: bytes and time are theirs, a metric they have none.\n\n{markdown_table(lines)}\n"
    )


def _metric_name(rows: list[Row]) -> str:
    return next((row["metric"] for row in rows if row.get("metric")), "metric")


def plot(rows: list[Row], file: Path) -> None:
    """Size and latency of every model; where a metric was measured, the metric over both."""
    scored = [row for row in rows if row.get("value") is not None]
    if scored:
        metric = _metric_name(scored)
        axes = {("bytes on disk", metric): ("bytes", "value"), ("median ms", metric): ("median_ms", "value")}
    else:
        axes = {("bytes on disk", "median ms"): ("bytes", "median_ms")}
    panels = {labels: {f"{row['model']} {row['format']}": (row[x], row[y]) for row in scored or rows}
              for labels, (x, y) in axes.items()}  # fmt: skip
    plot_points(panels, ("x",) if scored else ("x", "y"), file)
