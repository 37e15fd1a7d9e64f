"""Plots for people, in the one style of :mod:`cunet_tf.style`: training curves, error curves, lines, named points."""

import math
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cunet_tf.labels import place_labels
from cunet_tf.outputs import MARK
from cunet_tf.style import CYCLE, MARK_LINE, PANEL, STYLE
from cunet_tf.writing import replace_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PARTS = {"": "training", "val_": "validation", "watched_": "training, not augmented"}  # of history.csv's columns
COMMENT = {"Comment": f"{{{MARK}}}"}  # marks a figure as ours
TITLE_LETTERS = 70  # of a line above one panel
LOWER, HIGHER = "lower is better", "higher is better"
YARDSTICKS = {"box": "the box's size"}  # normalizers that are no distance between landmarks


def nme_label(normalizer: str) -> str:
    """Name and unit of the NME for an axis: ``NME [% of interocular distance]``."""
    return f"NME [% of {YARDSTICKS.get(normalizer, f'{normalizer} distance')}]"


def plot_curves(rows: list[dict[str, Any]], path: Path | str) -> None:
    """Loss and landmark metric over epochs, from rows of ``history.csv``; the best epoch of validation is marked."""
    metric = "pck" if any(name.endswith("pck") for name in rows[-1]) else "nme"
    columns = {(prefix, ending): _column(rows, f"{prefix}{ending}") for ending in ("loss", metric) for prefix in PARTS}
    panels = [ending for ending in ("loss", metric)
              if any(np.isfinite(columns[prefix, ending]).any() for prefix in PARTS)] or ["loss"]  # fmt: skip
    epochs = [int(row["epoch"]) for row in rows]
    with _figure(len(panels), path) as axes:
        for axis, ending in zip(axes, panels, strict=True):
            for index, (prefix, label) in enumerate(PARTS.items()):
                values = columns[prefix, ending]
                if np.isfinite(values).any():
                    marker = "o" if np.isfinite(values).sum() < 3 else None
                    axis.plot(epochs, values, label=label, color=f"C{index}", marker=marker)
            _label_epochs(axis, ending, epochs)
        watched = columns["val_", panels[-1]]
        if np.isfinite(watched).any():
            best = int(np.nanargmax(watched) if panels[-1] == "pck" else np.nanargmin(watched))
            for axis in axes:
                axis.axvline(epochs[best], **MARK_LINE)
            label = f"best on validation: {watched[best]:.4g}, epoch {epochs[best]}"
            axes[-1].plot(epochs[best], watched[best], "D", color="black", markersize=5, label=label)


def _column(rows: list[dict[str, Any]], name: str) -> np.ndarray:
    return np.array([float(row.get(name) or "nan") for row in rows])


def _label_epochs(axis: "Axes", ending: str, epochs: list[int]) -> None:
    """Axes of a panel of :func:`plot_curves`: whole epochs, even where there is one only."""
    from matplotlib.ticker import MaxNLocator

    better = HIGHER if ending == "pck" else LOWER
    axis.set(xlabel="epoch", ylabel=f"{'loss' if ending == 'loss' else f'{ending.upper()} [%]'}, {better}")
    if epochs[-1] - epochs[0] < 2:
        axis.set_xlim(epochs[0] - 0.5, epochs[-1] + 0.5)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if not axis.lines:
        axis.text(0.5, 0.5, "no finite value", ha="center", transform=axis.transAxes)
    elif ending != "pck":
        _space_by_ratios(axis, "y")


def plot_shares(
    limits: np.ndarray, curves: dict[str, np.ndarray], mark: float, xlabel: str, ylabel: str, path: Path
) -> None:
    """Cumulative error distributions, one line for each named curve of shares over ``limits``."""
    with _figure(1, path) as (axis,):
        for name, shares in curves.items():
            axis.plot(100 * limits, 100 * shares, label=name)
        axis.axvline(100 * mark, label=f"limit: {100 * mark:.3g} %", **MARK_LINE)
        axis.set(xlabel=xlabel, ylabel=ylabel, xlim=(0, 100 * limits[-1]), ylim=(0, 101))


def plot_lines(
    curves: dict[str, tuple[list[float], str]], xlabel: str, ylabel: str, path: Path, ratios: bool = False
) -> bool:
    """Named curves over 1, 2, 3, ..., each with a format of matplotlib; without any there is no file.

    Args:
        ratios: whether y is spaced by ratios, so that small late differences are seen.

    Returns:
        Whether the picture was written.
    """
    curves = {name: curve for name, curve in curves.items() if curve[0]}
    if not curves:
        return False
    with _figure(1, path) as (axis,):
        for name, (values, style) in curves.items():
            axis.plot(range(1, len(values) + 1), values, style, label=name)
        axis.set(xlabel=xlabel, ylabel=ylabel)
        if ratios:
            _space_by_ratios(axis, "y")
    return True


def plot_panels(
    panels: dict[str, dict[str, list[tuple[int, float]]]], xlabel: str, path: Path | str, log: str = ""
) -> None:
    """Panels side by side: name of the y axis -> named lines -> (x, y) points; ``log="x"`` spaces x by ratios."""
    with _figure(len(panels), path) as axes:
        for axis, (ylabel, lines) in zip(axes, panels.items(), strict=True):
            for name, points in lines.items():
                axis.plot(*zip(*sorted(points), strict=True), label=name, marker=".")
            axis.set(xlabel=xlabel, ylabel=ylabel, ylim=(0, None), xscale="log" if log == "x" else "linear")
            if log == "x":
                axis.set_xticks(sorted({x for points in lines.values() for x, _ in points}), minor=False)
                axis.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
                axis.xaxis.set_minor_formatter("")


def plot_points(
    panels: dict[tuple[str, str], dict[str, tuple[float, float]]], log: tuple[str, ...], path: Path | str,
    title: str = "",
) -> list[np.ndarray]:  # fmt: skip
    """Panels side by side: labels of the x and y axis -> name of a point -> its place; ``log`` axes ("x", "y").

    Args:
        title: above all panels, broken into lines where they are narrower.

    Returns:
        For each panel the boxes ``[N, 4]`` of the names: x0, y0, x1, y1 in pixels from the lower left.
    """
    with _figure(len(panels), path) as axes:
        for axis, ((xlabel, ylabel), points) in zip(axes, panels.items(), strict=True):
            for index, place in enumerate(points.values()):
                axis.plot(*place, "o", color=f"C{index}")
            axis.set(xlabel=xlabel, ylabel=ylabel, **{f"{each}scale": "log" for each in log})
            axis.margins(0.15)  # room for the names
            for each in log:
                _space_by_ratios(axis, each)
        figure = axes[0].figure
        if title:
            figure.suptitle(textwrap.fill(title, TITLE_LETTERS * len(panels)), fontsize=STYLE["legend.fontsize"])
        figure.draw_without_rendering()  # now the panels have their places
        figure.set_layout_engine("none")
        return [_name_points(axis, points) for axis, points in zip(axes, panels.values(), strict=True)]


def _name_points(axis: "Axes", points: dict[str, tuple[float, float]]) -> np.ndarray:
    """Write every point's name near it, with a thin line to it; returns the names' boxes."""
    from matplotlib.transforms import IdentityTransform

    anchors = axis.transData.transform(list(points.values()))
    look = {"transform": IdentityTransform(), "fontsize": STYLE["legend.fontsize"]}
    texts = [axis.text(0, 0, name, color=f"C{index}", **look) for index, name in enumerate(points)]
    extents = [text.get_window_extent() for text in texts]
    sizes = np.array([(extent.width, extent.height) for extent in extents])
    left, low, right, high = axis.bbox.extents
    boxes = place_labels(anchors, sizes, (left, low, right, high), gap=10.0)
    for text, extent, box, anchor in zip(texts, extents, boxes, anchors, strict=True):
        text.set_position((box[0] - extent.x0, box[1] - extent.y0))
        near = anchor.clip(box[:2], box[2:])
        axis.plot(
            *zip(anchor, near, strict=True), color="#808080", linewidth=0.7, transform=IdentityTransform(), zorder=1
        )
    return boxes


def _space_by_ratios(axis: "Axes", which: str) -> None:
    """A logarithmic axis with a few plain numbers."""
    from matplotlib.ticker import FixedLocator, NullLocator

    getattr(axis, f"set_{which}scale")("log")
    line = getattr(axis, f"{which}axis")
    line.set_major_locator(FixedLocator(plain_ticks(*getattr(axis, f"get_{which}lim")())))
    line.set_minor_locator(NullLocator())
    line.set_major_formatter(lambda value, _: f"{value:,.6g}")


def plain_ticks(low: float, high: float) -> list[float]:
    """Round numbers between two positive limits, for an axis spaced by ratios: powers of ten where there are four."""
    from matplotlib.ticker import MaxNLocator

    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1,), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7)):
        ticks = [step * 10.0**power for power in powers for step in steps]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) > 3:
            return ticks
    return [float(tick) for tick in MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(low, high) if low <= tick <= high]


@contextmanager
def _figure(columns: int, path: Path | str) -> Iterator[Any]:
    """Axes side by side to draw into; then a legend where something is named, and a PNG marked as ours."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.rcsetup import cycler

    style: Any = {**STYLE, "axes.prop_cycle": cycler(color=CYCLE)}
    with rc_context(style):
        figure = Figure(figsize=(PANEL[0] * columns, PANEL[1]), layout="constrained")
        FigureCanvasAgg(figure)
        axes = [figure.add_subplot(1, columns, index + 1) for index in range(columns)]
        yield axes
        for axis in axes:
            if axis.get_legend_handles_labels()[1]:
                axis.legend()
        replace_file(Path(path), lambda target: figure.savefig(target, format="png", metadata=COMMENT))
