"""Tables 5 and 11: parameters, operations and time of CU-Net against the stacked hourglass."""

from cunet_tf.presets import preset
from cunet_tf.rows import Row
from cunet_tf.trainers.study.paper import TABLE_5, TABLE_11
from cunet_tf.trainers.study.tables.context import Context, sizes
from cunet_tf.trainers.study.tables.page import Table
from cunet_tf.trainers.study.tables.speed import CPU, KERAS, TFLITE, WALL, Times, median, ratio, read_times

FILE = "latency.csv"
# Columns: of wall-clock time, then of CPU time.
CLOCKS = {f"{engine}{name}_ms": (engine, clock) for name, clock in (("", WALL), ("_cpu", CPU))
          for engine in (KERAS, TFLITE)}  # fmt: skip
PAIRS = tuple((f"hourglass-{n}", f"pose-{n}") for n in (16, 8, 4))
OURS = {"Newell": "hourglass-8", "CU-Net-8": "pose-8", "CU-Net-16": "pose-16"}  # rows of Table 11 that we build
NAMES = "`pose-N` is CU-Net-N, 16 landmarks; parameters are convolution weights, MACs with all heads."


def table_5(context: Context) -> Table:
    """Hourglass and CU-Net of 4, 8 and 16 stacks, and their ratios."""
    times, conditions = read_times(context.out / FILE)
    rows: list[Row] = []
    for name, paper in TABLE_5.items():
        rows.append({"network": name, **sizes(preset(name).config), "paper_parameters": paper.parameters,
                     **_times(times, name), "paper_ms": paper.milliseconds, "paper_pckh": paper.pckh})  # fmt: skip
    rows += [ratios(times, *pair) for pair in PAIRS]
    return Table("5", "parameters and time against the stacked hourglass", rows, about=[NAMES, conditions])


def ratios(times: Times, large: str, small: str) -> Row:
    """How many times larger and slower the first network is than the second."""
    one, other = (sizes(preset(name).config) for name in (large, small))
    papers = TABLE_5[large], TABLE_5[small]
    slow, fast = (row.milliseconds for row in papers)
    assert slow and fast, "Table 5 gives the time of every network"
    return {
        "network": f"ratio {large} : {small}",
        **{name: one[name] / other[name] for name in one},
        "paper_parameters": papers[0].parameters / papers[1].parameters,
        **{column: ratio(times, large, small, *clock) for column, clock in CLOCKS.items()},
        "paper_ms": slow / fast,
    }


def table_11(context: Context) -> Table:
    """Other systems' sizes and times, as the paper quotes them, beside ours where we build them."""
    times, conditions = read_times(context.out / FILE)
    rows = []
    for system, paper in TABLE_11.items():
        name = OURS.get(system)
        ours = {**sizes(preset(name).config), **_times(times, name)} if name else {}
        rows.append({"system": system, "ours": name, **ours, "paper_parameters": paper.parameters,
                     "paper_ms": paper.milliseconds})  # fmt: skip
    about = "Rows without a name of ours are quoted from the paper: those systems are not part of this project."
    return Table("11", "parameters and time of other systems", rows, about=[about, NAMES, conditions])


def networks() -> list[str]:
    """Everything that is timed, small networks first."""
    return sorted(TABLE_5, key=lambda name: sizes(preset(name).config)["gmac"])


def _times(times: Times, name: str) -> Row:
    return {column: median(times, name, *clock) for column, clock in CLOCKS.items()}
