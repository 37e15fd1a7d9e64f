"""The result of a comparison of models as Markdown and as a plot."""

from pathlib import Path
from typing import Any

from cunet_tf.draw import COMMENT
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
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    scored = [row for row in rows if row.get("value") is not None]
    figure, panels = plt.subplots(1, 2 if scored else 1, figsize=(11 if scored else 6, 4.5), squeeze=False)
    if scored:
        for panel, key, label in zip(panels[0], ("bytes", "median_ms"), ("bytes on disk", "median ms"), strict=True):
            _scatter(panel, scored, key, "value", label, _metric_name(scored))
            panel.set_xscale("log")
    else:
        _scatter(panels[0][0], rows, "bytes", "median_ms", "bytes on disk", "median ms")
        panels[0][0].set_xscale("log")
        panels[0][0].set_yscale("log")
    figure.tight_layout()
    figure.savefig(file, dpi=110, metadata=COMMENT)
    plt.close(figure)


def _scatter(panel: Any, rows: list[Row], x: str, y: str, x_label: str, y_label: str) -> None:
    for index, row in enumerate(rows):
        panel.plot(row[x], row[y], "o", color=f"C{index % 10}")
        panel.annotate(f"{row['model']} {row['format']}", (row[x], row[y]), textcoords="offset points", xytext=(5, 4),
                       fontsize=8)  # fmt: skip
    panel.set_xlabel(x_label)
    panel.set_ylabel(y_label)
    panel.margins(0.25)
    panel.grid(alpha=0.3)
