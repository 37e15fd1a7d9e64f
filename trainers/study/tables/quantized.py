"""Tables 8 to 10: what ``cunet sweep`` has written, beside the paper."""

import re
from pathlib import Path

from cunet_tf.rows import Row, read_csv
from cunet_tf.trainers.study.paper import JOINTS, TABLE_8, TABLE_9, TABLE_10
from cunet_tf.trainers.study.tables.context import Context
from cunet_tf.trainers.study.tables.page import Table

HOW = "Nothing is trained here: the rows are those of `cunet sweep`, whose pages give all conditions."


def sweeps(folder: Path, bodies: bool) -> dict[str, list[dict[str, str]]]:
    """Name -> rows of the sweeps on faces or on bodies in a folder."""
    found = {}
    for file in sorted(folder.glob("quantization*.csv")):
        rows = read_csv(file)
        if rows and {"quant", "test_split"} <= set(rows[0]) and ("Head" in rows[0]) == bodies:
            found[file.stem] = rows
    return found


def sweep_commands(folder: Path, names: list[str]) -> list[str]:
    """For each sweep a sentence with the command and the data, from the page beside its CSV file."""
    lines = []
    for name in names:
        page = folder / f"{name}.md"
        made = re.search(r"Made by `(.+?)`; all columns", page.read_text()) if page.is_file() else None
        row = read_csv(folder / f"{name}.csv")[0]
        command = f" by `{made[1]}`" if made else ""
        lines.append(
            f"[{name}]({name}.csv){command}: {row['preset']}, {row['epochs']} epochs on {row['data']} {row['split']} "
            f"({row['train_images']} pictures), seed {row['seed']}, tested on {row['test_split']} ({row['images']}), "
            f"{row['metric']}, normalizer {row['normalizer']}."
        )
    return lines or ["No sweep was found: run `cunet sweep` first."]


def table_8(context: Context) -> Table:
    """Quantized networks on faces."""
    paper = {name: {"paper_full": row.full, "paper_easy": row.easy, "paper_hard": row.hard,
                    "paper_relative": row.full / TABLE_8["float"].full, "paper_memory": row.training_memory,
                    "paper_size": row.model_size, "paper_index": row.balance_index}
             for name, row in TABLE_8.items()}  # fmt: skip
    return _sweep_table(context, "8", "quantized CU-Net-4, 300-W", False, paper)


def table_9(context: Context) -> Table:
    """Quantized networks on bodies."""
    float_error = 100.0 - TABLE_9["float"].pckh
    paper = {name: {"paper_pckh": row.pckh, "paper_relative": (100.0 - row.pckh) / float_error,
                    "paper_memory": TABLE_8[name].training_memory,
                    "paper_size": TABLE_8[name].model_size, "paper_index": row.balance_index}
             for name, row in TABLE_9.items()}  # fmt: skip
    return _sweep_table(context, "9", "quantized CU-Net-2, bodies", True, paper)


def _sweep_table(context: Context, key: str, title: str, bodies: bool, paper: dict[str, Row]) -> Table:
    found = sweeps(context.reports, bodies)
    rows: list[Row] = []
    for name, members in found.items():
        errors = {row["quant"]: float(row["error"]) for row in members}
        rows += [{"quant": row["quant"], **paper.get(row["quant"], {}), "sweep": name, "preset": row["preset"],
                  "epochs": row["epochs"], **_ours(row, errors.get("float"), bodies)} for row in members]  # fmt: skip
    covered = {row["quant"] for row in rows}
    rows += [{"quant": quant, **cells} for quant, cells in paper.items() if quant not in covered]
    columns = {name: None for row in sorted(rows, key=len, reverse=True) for name in row}
    about = [HOW, *sweep_commands(context.reports, list(found)),
             "Relative: the error (NME, or 100 - PCK) divided by the float network's of the same sweep."]  # fmt: skip
    return Table(key, title, [{**columns, **row} for row in rows], about=about)


def _ours(row: dict[str, str], float_error: float | None, bodies: bool) -> Row:
    error = float(row["error"])
    return {
        "ours_pck" if bodies else "ours_nme": 100.0 - error if bodies else error,
        "ours_relative": error / float_error if float_error else None,
        "ours_memory": float(row["training_memory_ratio"]),
        "ours_size": float(row["honest_size_ratio"]),
        "ours_index": float(row["balance_index"]),
    }


def table_10(context: Context) -> Table:
    """Quantized networks, joint by joint."""
    columns = (*JOINTS, "Mean")
    rows: list[Row] = []
    found = sweeps(context.reports, bodies=True)
    for name, members in found.items():
        for row in members:
            values = [float(row[joint]) for joint in JOINTS] + [100.0 - float(row["error"])]
            source = f"ours: {name}, {row['metric']}"
            rows.append({"quant": row["quant"], "source": source, **dict(zip(columns, values, strict=True))})
    for quant, figures in TABLE_10.items():
        rows.append({"quant": quant, "source": "paper, PCKh@0.5", **dict(zip(columns, figures, strict=True))})
    rows.sort(key=lambda row: list(TABLE_10).index(row["quant"]) if row["quant"] in TABLE_10 else len(TABLE_10))
    about = [HOW, *sweep_commands(context.reports, list(found)),
             "PCK@0.2 of the torso and PCKh@0.5 of the head are different measures on different data: compare how "
             "much each joint loses, not the level."]  # fmt: skip
    return Table("10", "quantized networks, joint by joint", rows, about=about)
