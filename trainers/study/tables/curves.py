"""Fig. 7 and 8: the metric over the epochs, from the histories of the runs."""

from collections.abc import Sequence

import numpy as np

from cunet_tf.figures import LOWER, plot_lines
from cunet_tf.rows import Row, number
from cunet_tf.trainers.study.tables.context import Context
from cunet_tf.trainers.study.tables.networks import Scale, supervised, width_name, widths
from cunet_tf.trainers.study.tables.page import Table, stem_of
from cunet_tf.trainers.study.tables.records import HELD_OUT, TRAINING
from cunet_tf.trainers.study.tables.results import Results

FOUR = (0, 1, 3, 5)  # of Table 2: m and n each alone and together


def four_widths(scale: Scale) -> list[str]:
    """Runs of Fig. 7."""
    return [width_name(*widths(scale)[index]) for index in FOUR]


def dense_and_coupled(scale: Scale) -> list[str]:
    """Runs of Fig. 8."""
    return ["dense-unet", "supervisions-1", supervised(scale)[scale.stacks // 2]]


def fig_7(context: Context) -> Table:
    """Widths."""
    theirs = "four (m, n) of CU-Net-2"
    return _curves(context, "fig7", "validation curves of four (m, n)", theirs, four_widths(context.scale))


def fig_8(context: Context) -> Table:
    """A single dense U-Net, and CU-Net with one supervision and with half of them."""
    theirs = "a single dense U-Net and CU-Net-8 with 1 and 4 supervisions; the former's fluctuates most"
    names = dense_and_coupled(context.scale)
    return _curves(context, "fig8", "validation curves of the dense U-Net and CU-Net", theirs, names)


def _curves(context: Context, key: str, title: str, theirs: str, names: Sequence[str]) -> Table:
    """``theirs``: what the curves of the paper's figure are."""
    results = context.results
    rows: list[Row] = []
    curves = {}
    if results:
        for index, name in enumerate(names):
            rows += _curve_rows(results, name)
            curves[name] = (results.mean_curve(name, HELD_OUT), f"C{index}-")
    label = results.axis_label(names, "held-out pictures") if results else ""
    drawn = plot_lines(curves, "epoch", label, context.out / f"{stem_of(key)}.png", LOWER in label)
    last = max((row["epoch"] for row in rows), default=0)
    about = [f"The paper's curves are of {theirs}, without numbers. Ours: metric of the last head on held-out and on "
             "un-augmented training pictures; lines are means over the seeds, the table is the last epoch.",
             *context.conditions()]  # fmt: skip
    shown = [row for row in rows if row["epoch"] == last]
    below = [_fluctuations(results, names)] if results and rows else []
    rows = rows or [{"network": name} for name in names]
    return Table(key, title, rows, shown or None, about=about, below=below, picture=drawn)


def _fluctuations(results: Results, names: Sequence[str]) -> str:
    """How far the curve of each seed jumps from epoch to epoch in the second half, on average."""
    jumps = []
    for name in names:
        curves = results.curve(name, HELD_OUT).values()
        steps = [np.abs(np.diff(curve[len(curve) // 2 :])).mean() for curve in curves if len(curve) > 3]
        jumps.append(f"{name} {' and '.join(number(float(step), '.3f') for step in steps) or '-'}")
    return (
        "Fluctuation, the mean change between neighbouring epochs of the second half, of each seed: "
        f"{', '.join(jumps)}."
    )


def _curve_rows(results: Results, name: str) -> list[Row]:
    """A row for each seed and epoch."""
    rows: list[Row] = []
    training = results.curve(name, TRAINING)
    for seed, values in results.curve(name, HELD_OUT).items():
        watched = training.get(seed, [None] * len(values))
        rows += [{"network": name, "seed": seed, "epoch": epoch + 1, "held_out": value, "training": watched[epoch]}
                 for epoch, value in enumerate(values)]  # fmt: skip
    return rows
