"""Pictures for people: landmarks over a photograph, training curves, error curves."""

import colorsys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from cunet_tf.outputs import MARK, marked_picture, replace_file
from cunet_tf.skeletons import Skeleton

# The style of every figure.
PANEL = (5.0, 4.0)  # inches
DPI = 100
GRID = {"alpha": 0.3, "which": "both"}
SMALL = "small"  # legends and names of points
PARTS = {"": "training", "val_": "validation", "watched_": "training, not augmented"}  # of history.csv's columns
WHITE, GREY = (255, 255, 255), (150, 150, 150)
COMMENT = {"Comment": f"{{{MARK}}}"}  # marks a figure as ours


def draw_landmarks(
    image: np.ndarray, points: np.ndarray, skeleton: Skeleton,
    mask: np.ndarray | None = None, box: np.ndarray | None = None, found: bool = True,
) -> np.ndarray:  # fmt: skip
    """A copy of the picture with edges, points and the box.

    Args:
        image: RGB ``uint8 [H, W, 3]``; small pictures are enlarged to be legible.
        points: ``[C, 2]`` in the picture's pixels.
        skeleton: gives the edges.
        mask: ``[C]``, only points with mask > 0 are drawn.
        box: ``[x0, y0, x1, y1]``, drawn thin when given.
        found: all in grey when false.

    Returns:
        RGB ``uint8``, at least 512 pixels on the long side.
    """
    canvas, zoom = enlarged(image)
    draw_on(canvas, zoom, points, skeleton, mask, box, found)
    return canvas


def enlarged(image: np.ndarray) -> tuple[np.ndarray, int]:
    """A copy of a picture with at least 512 pixels on the long side, and the whole factor."""
    zoom = -(-512 // max(image.shape[:2]))
    if zoom == 1:
        return image.copy(), 1
    return cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_LINEAR), zoom


def draw_on(
    canvas: np.ndarray, zoom: int, points: np.ndarray, skeleton: Skeleton,
    mask: np.ndarray | None = None, box: np.ndarray | None = None, found: bool = True,
) -> None:  # fmt: skip
    """Draw one object into a picture that :func:`enlarged` made; arguments as of :func:`draw_landmarks`."""
    shown = np.ones(len(points), bool) if mask is None else np.asarray(mask) > 0
    extent = zoom * np.ptp(points[shown], axis=0).max() if shown.any() else 0.0
    thick = max(1, round(extent / 250))
    colours = [_colour(index, len(points)) if found else GREY for index in range(len(points))]

    def pixel(point: np.ndarray) -> tuple[int, int]:
        x, y = (np.asarray(point, np.float64) + 0.5) * zoom - 0.5
        return int(round(x)), int(round(y))

    if box is not None:
        cv2.rectangle(canvas, pixel(box[:2]), pixel(box[2:]), WHITE if found else GREY, thick, cv2.LINE_AA)
    for start, end in skeleton.edges:
        if shown[start] and shown[end]:
            cv2.line(canvas, pixel(points[start]), pixel(points[end]), colours[start], thick, cv2.LINE_AA)
    for index in np.flatnonzero(shown):
        cv2.circle(canvas, pixel(points[index]), thick + 1, WHITE, -1, cv2.LINE_AA)
        cv2.circle(canvas, pixel(points[index]), thick, colours[index], -1, cv2.LINE_AA)


def contact_sheet(tiles: list[np.ndarray], columns: int = 4, side: int = 256) -> np.ndarray:
    """Equal square tiles in rows, RGB ``uint8``; empty places stay black."""
    rows = -(-len(tiles) // columns)
    sheet = np.zeros((rows * side, columns * side, 3), np.uint8)
    for index, tile in enumerate(tiles):
        scale = side / max(tile.shape[:2])
        small = cv2.resize(tile, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:side, :side]
        y, x = index // columns * side, index % columns * side
        sheet[y : y + small.shape[0], x : x + small.shape[1]] = small
    return sheet


def save_png(path: Path | str, image: np.ndarray) -> None:
    """Write RGB ``uint8`` as PNG."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(encoded(image, ".png"))


def save_result(path: Path, image: np.ndarray) -> None:
    """Write RGB ``uint8`` in the format of the ending (.png, .jpg), marked as ours."""
    replace_file(path, lambda target: target.write_bytes(marked_picture(encoded(image, path.suffix))))


def encoded(image: np.ndarray, ending: str) -> bytes:
    """RGB ``uint8`` as the bytes of a ``.png`` or ``.jpg`` file."""
    return cv2.imencode(ending, image[..., ::-1])[1].tobytes()


def plot_curves(rows: list[dict[str, Any]], path: Path | str) -> None:
    """Loss and landmark metric over epochs, from rows of ``history.csv``; the best epoch of validation is marked."""
    from matplotlib.ticker import MaxNLocator

    metric = "pck" if any(name.endswith("pck") for name in rows[-1]) else "nme"
    panels = [name for name in ("loss", metric) if any(column.endswith(name) for column in rows[-1])]
    figure, axes = _figure(len(panels))
    epochs = [int(row["epoch"]) + 1 for row in rows]
    for axis, ending in zip(axes, panels, strict=True):
        for prefix, label in PARTS.items():
            values = [float(row.get(f"{prefix}{ending}", "nan")) for row in rows]
            if np.isfinite(values).any():
                axis.plot(epochs, values, label=label, marker="." if len(rows) < 3 else None)
        axis.set(xlabel="epoch", ylabel="loss" if ending == "loss" else f"{metric.upper()} [%]")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        if ending != "pck":
            axis.set_yscale("log")
            for set_formatter in (axis.yaxis.set_major_formatter, axis.yaxis.set_minor_formatter):
                set_formatter(lambda value, _: f"{value:g}")
    watched = np.array([float(row.get(f"val_{panels[-1]}", "nan")) for row in rows])
    if np.isfinite(watched).any():
        best = int(np.nanargmax(watched) if panels[-1] == "pck" else np.nanargmin(watched))
        label = f"best: {watched[best]:.4g}, epoch {epochs[best]}"
        axes[-1].axvline(epochs[best], color="grey", linestyle=":", label=label)
    save_figure(figure, path)


def plot_shares(
    limits: np.ndarray, curves: dict[str, np.ndarray], mark: float, xlabel: str, ylabel: str, path: Path
) -> None:
    """Cumulative error distributions, one line for each named curve of shares over ``limits``."""
    figure, (axis,) = _figure(1)
    for name, shares in curves.items():
        axis.plot(100 * limits, 100 * shares, label=name)
    axis.axvline(100 * mark, color="grey", linestyle=":", linewidth=1)
    axis.set(xlabel=xlabel, ylabel=ylabel, xlim=(0, None), ylim=(0, 100))
    save_figure(figure, path)


def plot_lines(curves: dict[str, tuple[list[float], str]], xlabel: str, ylabel: str, path: Path) -> bool:
    """Named curves over 1, 2, 3, ..., each with a format of matplotlib; without any there is no file.

    Returns:
        Whether the picture was written.
    """
    curves = {name: curve for name, curve in curves.items() if curve[0]}
    if not curves:
        return False
    figure, (axis,) = _figure(1)
    for name, (values, style) in curves.items():
        axis.plot(range(1, len(values) + 1), values, style, label=name)
    axis.set(xlabel=xlabel, ylabel=ylabel)
    save_figure(figure, path)
    return True


def plot_panels(
    panels: dict[str, dict[str, list[tuple[int, float]]]], xlabel: str, path: Path | str, log: str = ""
) -> None:
    """Panels side by side: name of the y axis -> named lines -> (x, y) points; ``log="x"`` spaces x by ratios."""
    figure, axes = _figure(len(panels))
    for axis, (ylabel, lines) in zip(axes, panels.items(), strict=True):
        for name, points in lines.items():
            axis.plot(*zip(*sorted(points), strict=True), label=name, marker=".")
        axis.set(xlabel=xlabel, ylabel=ylabel, ylim=(0, None), xscale="log" if log == "x" else "linear")
        if log == "x":
            axis.set_xticks(sorted({x for points in lines.values() for x, _ in points}), minor=False)
            axis.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
            axis.xaxis.set_minor_formatter("")
    save_figure(figure, path)


def plot_points(
    panels: dict[tuple[str, str], dict[str, tuple[float, float]]], log: tuple[str, ...], path: Path | str
) -> None:
    """Panels side by side: labels of the x and y axis -> name of a point -> its place; ``log`` axes ("x", "y")."""
    from matplotlib.ticker import LogFormatter

    figure, axes = _figure(len(panels))
    for axis, ((xlabel, ylabel), points) in zip(axes, panels.items(), strict=True):
        for index, (name, place) in enumerate(points.items()):
            axis.plot(*place, "o", color=f"C{index % 10}")
            axis.annotate(name, place, textcoords="offset points", xytext=(5, 4), fontsize=SMALL)
        axis.set(xlabel=xlabel, ylabel=ylabel, **{f"{each}scale": "log" for each in log})
        axis.margins(0.25)  # room for the names
        for each in log:  # a few short numbers between the powers of ten, where there are few of those
            getattr(axis, f"{each}axis").set_minor_formatter(LogFormatter(minor_thresholds=(2, 0.5)))
    save_figure(figure, path)


def save_figure(figure: Any, path: Path | str) -> None:
    """Give every panel its grid, and a legend where something is named; write a PNG marked as ours."""
    for axis in figure.axes:
        axis.grid(**GRID)
        if axis.get_legend_handles_labels()[1]:
            axis.legend(fontsize=SMALL)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", dpi=DPI, metadata=COMMENT)


def _figure(columns: int) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(PANEL[0] * columns, PANEL[1]), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, [figure.add_subplot(1, columns, index + 1) for index in range(columns)]


def _colour(index: int, count: int) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(0.9 * index / max(count - 1, 1), 0.85, 1.0)
    return int(255 * red), int(255 * green), int(255 * blue)
