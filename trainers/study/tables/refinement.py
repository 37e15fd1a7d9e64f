"""Tables 6 and 7: detection, regression and iterative refinement (section 3.4) on faces."""

from cunet_tf.presets import preset
from cunet_tf.rows import Row
from cunet_tf.trainers.study.paper import TABLE_6, TABLE_7_CUNET_8
from cunet_tf.trainers.study.tables.context import Context, sizes
from cunet_tf.trainers.study.tables.findings import Ordering
from cunet_tf.trainers.study.tables.page import Table

RUNS = {
    "detection": "detection",
    "regression": "regression",
    "detection-detection": "iterative-detection-detection",
    "detection-regression": "iterative-detection-regression",
    "regression-regression": "iterative-regression-regression",
}
PAIRS = (
    ("regression", "detection"),
    ("detection-detection", "detection"),
    ("detection-regression", "detection-detection"),
    ("regression-regression", "detection-regression"),
    ("regression", "detection-regression"),
    ("regression-regression", "regression"),
)
DEEP = "deep"
SEVENTH = ("regression", "regression-regression")  # rows that Table 7 repeats
COUNTED = "Parameters are convolution weights with all heads, 68 landmarks at 256 px; the paper's NME is in percent."


def table_6(context: Context) -> Table:
    """Supervision of one pass and of two."""
    rows = [_row(context, name) for name in TABLE_6]
    return Table("6", "iterative refinement, CU-Net-4, 300-W", rows, about=[COUNTED, *context.conditions()],
                 below=context.findings([_ordering(*pair) for pair in PAIRS]))  # fmt: skip


def table_7(context: Context) -> Table:
    """Iterative refinement against a network of twice the depth."""
    deep, millions = TABLE_7_CUNET_8
    deep_row = {"network": "CU-Net-8", "passes": "regression", **sizes(preset("face-8").config),
                "paper_parameters": millions, **_paper(deep)}  # fmt: skip
    rows = [*(_row(context, name) for name in SEVENTH), deep_row]
    if context.results:
        deep_row |= {"ours": DEEP, "our_conv_parameters": context.size(DEEP)["conv_parameters"],
                     **context.accuracy(DEEP)}  # fmt: skip
        rows[-1] = deep_row
    about = "Ours of twice the depth has twice as many U-Nets as the others."
    claim = Ordering(RUNS["regression-regression"], DEEP, "full set: 3.28, 3.26: about equal, at half the parameters")
    return Table("7", "iterative refinement against depth, 300-W", rows,
                 about=[COUNTED, about, *context.conditions()],
                 below=context.findings([_ordering(*PAIRS[-1]), claim]))  # fmt: skip


def _row(context: Context, name: str) -> Row:
    figures, millions = TABLE_6[name]
    twice = "-" in name
    row = {"network": "CU-Net-4", "passes": name, **sizes(preset("iterative-4" if twice else "face-4").config),
           "paper_parameters": millions, **_paper(figures)}  # fmt: skip
    if context.results:
        run = RUNS[name]
        row |= {"ours": run, "our_conv_parameters": context.size(run)["conv_parameters"], **context.accuracy(run)}
    return row


def _paper(figures: tuple[float, float, float]) -> Row:
    return {f"paper_{part}": value for part, value in zip(("easy", "hard", "full"), figures, strict=True)}


def _ordering(better: str, worse: str) -> Ordering:
    values = ", ".join(f"{TABLE_6[name][0].full}" for name in (better, worse))
    return Ordering(RUNS[better], RUNS[worse], f"full set: {values} ({better}, {worse})")
