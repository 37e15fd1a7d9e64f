"""Tables 5 and 11: parameters, operations and time of CU-Net against the stacked hourglass."""

from cunet_tf.paper import TABLE_5, TABLE_11
from cunet_tf.presets import preset
from trainers.files import Row
from trainers.tables.context import Context, sizes
from trainers.tables.page import Table
from trainers.tables.speed import KERAS, TFLITE, Times, fastest, median, ratio, read_times

FILE = "latency.csv"
ENGINES = (KERAS, TFLITE)
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
    return {
        "network": f"ratio {large} : {small}",
        **{name: one[name] / other[name] for name in one},
        "paper_parameters": papers[0].parameters / papers[1].parameters,
        **{f"{engine}_ms": ratio(times, large, small, engine) for engine in ENGINES},
        **{f"{engine}_fastest_ms": _of_fastest(times, large, small, engine) for engine in ENGINES},
        "paper_ms": papers[0].milliseconds / papers[1].milliseconds,
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
    medians = {f"{engine}_ms": median(times, name, engine) for engine in ENGINES}
    return medians | {f"{engine}_fastest_ms": fastest(times, name, engine) for engine in ENGINES}


def _of_fastest(times: Times, large: str, small: str, engine: str) -> float | None:
    one, other = (fastest(times, name, engine) for name in (large, small))
    return one / other if one and other else None
