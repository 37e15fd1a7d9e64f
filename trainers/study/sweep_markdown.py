"""The result of a sweep as Markdown, beside the paper's Tables 8 (faces), 9 and 10 (bodies)."""

from scipy.stats import spearmanr

from cunet_tf.rows import Row, markdown_table, number
from cunet_tf.trainers.study.paper import JOINTS, TABLE_10, paper_figures, paper_name
from cunet_tf.trainers.study.sweep_table import are_bodies

LEAST_FOR_ORDER = 4  # configurations in common, below which a rank correlation says nothing


def to_markdown(rows: list[Row], command: str, stem: str) -> str:
    """Conditions, our figures beside the paper's, and how alike the two orders are."""
    bodies = are_bodies(rows)
    parts = [f"# Quantized networks: {rows[0]['preset']} on {rows[0]['data']}", _conditions(rows, command, stem)]
    parts += [_main_table(rows), _order(rows)]
    if bodies:
        about = "Joints, ours / the paper's Table 10 (MPII, PCKh@0.5); the mean of ours pools the scored joints:"
        parts += [about, _joint_table(rows)]
    return "\n\n".join(parts) + "\n"


def _conditions(rows: list[Row], command: str, stem: str) -> str:
    row = rows[0]
    starts = sorted({str(each["init"]) for each in rows if each["init"]})
    start = f" All started from the weights of {', '.join(starts)}." if starts else ""
    missing = f" Not on disk, left out: {', '.join(dict.fromkeys(row['missing']))}." if row["missing"] else ""
    return (
        f"Made by `{command}`; all columns are in [{stem}.csv]({stem}.csv).\n\n"
        f"Trained on {row['data']} {row['split']} ({row['train_images']:,} pictures), {row['epochs']} epochs, "
        f"seed {row['seed']}, preset {row['preset']}.{start} Tested on {row['test_split']} "
        f"({row['images']:,} pictures), {row['box']} boxes, no flip test; {row['metric']} in percent, "
        f"normalizer {row['normalizer']}.{missing}\n\n"
        "Compare the ordering, not the levels: the paper has another network, other data and another budget. "
        f"Relative to float: the error ({'100 - PCK' if are_bodies(rows) else 'NME'}) divided by that of the float "
        "network. The balance index (less is better) takes the ideal ratios, bits / 32. "
        "The packed estimate stores kernels that stay in float as int8."
    )


def _main_table(rows: list[Row]) -> str:
    bodies = are_bodies(rows)
    source = "Table 9, CU-Net-2, MPII, PCKh@0.5" if bodies else "Table 8, CU-Net-4, 300-W full, NME"
    head = ["configuration", f"{rows[0]['metric']}, ours", "relative to float", f"paper ({source})",
            "paper, relative to float", "bits of weights / features / gradients", "ideal bytes",
            "packed bytes (estimate)", "balance index, ours", "balance index, paper"]  # fmt: skip
    ours = next((row["error"] for row in rows if row["quant"] == "float"), None)
    theirs = paper_figures("float", bodies)
    cells = []
    for row in rows:
        paper = paper_figures(row["quant"], bodies)
        shown = row["nme"] if not bodies else 100.0 - row["error"]
        bits = " / ".join(str(row[f"{name}_bits"]) for name in ("weight", "feature", "gradient"))
        cells.append([
            row["quant"], number(shown), _ratio(row["error"], ours), number(paper and paper.value),
            _ratio(paper and paper.error, theirs and theirs.error), bits, f"{row['ideal_bytes']:,}",
            f"{row['packed_bytes']:,}", number(row["balance_index"]), number(paper and paper.balance_index),
        ])  # fmt: skip
    return markdown_table([head, *cells])


def _order(rows: list[Row]) -> str:
    bodies = are_bodies(rows)
    figures = [(row["error"], paper_figures(row["quant"], bodies)) for row in rows]
    pairs = [(error, paper.error) for error, paper in figures if paper and error is not None]
    text = "Spearman rank correlation of our errors with the paper's"
    if len(pairs) < LEAST_FOR_ORDER or any(len(set(column)) == 1 for column in zip(*pairs, strict=True)):
        return f"{text}: not given, it takes {LEAST_FOR_ORDER} configurations in common and unequal errors."
    return f"{text}, {len(pairs)} configurations: {spearmanr(*zip(*pairs, strict=True)).statistic:.2f}."


def _joint_table(rows: list[Row]) -> str:
    cells = [["configuration", *JOINTS, "Mean"]]
    for row in rows:
        own = [row[joint] for joint in JOINTS] + [100.0 - row["error"]]
        paper = TABLE_10.get(paper_name(row["quant"]), (None,) * len(own))
        pairs = zip(own, paper, strict=True)
        cells.append([row["quant"], *(f"{number(one, '.1f')} / {number(other, '.1f')}" for one, other in pairs)])
    return markdown_table(cells)


def _ratio(error: float | None, of_float: float | None) -> str:
    return "-" if error is None or not of_float else f"{error / of_float:.2f}"
