"""Fig. 7 and 8: the metric over the epochs, from the histories of the runs."""

from cunet_tf.figures import LOWER, plot_lines
from cunet_tf.rows import Row
from cunet_tf.trainers.study.tables.context import Context
from cunet_tf.trainers.study.tables.page import Table, stem_of
from cunet_tf.trainers.study.tables.protocol import DETECTION
from cunet_tf.trainers.study.tables.refinement import RUNS
from cunet_tf.trainers.study.tables.results import HELD_OUT, TRAINING, Results

ARCHITECTURES = ("cunet", "hourglass", "dense-unet")
PASSES = tuple(RUNS.values())


def fig_7(context: Context) -> Table:
    """The architectures."""
    title = "validation curves of CU-Net, hourglass and dense U-Net"
    return _curves(context, "fig7", title, "four (m, n)", ARCHITECTURES)


def fig_8(context: Context) -> Table:
    """One pass and two, detection and regression."""
    title = f"validation curves of detection ({DETECTION}), regression and refinement"
    return _curves(context, "fig8", title, "a single dense U-Net and CU-Net-8 with 1 and 4 supervisions", PASSES)


def _curves(context: Context, key: str, title: str, theirs: str, names: tuple[str, ...]) -> Table:
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
    return Table(key, title, rows or [{"network": name} for name in names], shown or None, about=about, picture=drawn)


def _curve_rows(results: Results, name: str) -> list[Row]:
    """A row for each seed and epoch."""
    rows: list[Row] = []
    training = results.curve(name, TRAINING)
    for seed, values in results.curve(name, HELD_OUT).items():
        watched = training.get(seed, [None] * len(values))
        rows += [{"network": name, "seed": seed, "epoch": epoch + 1, "held_out": value, "training": watched[epoch]}
                 for epoch, value in enumerate(values)]  # fmt: skip
    return rows
