"""Tables 8 to 10: what ``cunet sweep`` has written, beside the paper."""

import re
from collections.abc import Sequence
from pathlib import Path

from cunet_tf.models.size_report import balance_index
from cunet_tf.quantize.names import QuantConfig
from cunet_tf.rows import Row, read_csv
from cunet_tf.trainers.study.paper import JOINTS, TABLE_8, TABLE_9, TABLE_10, paper_name
from cunet_tf.trainers.study.tables.context import Context
from cunet_tf.trainers.study.tables.kept_memory import MODES, kept_ratios
from cunet_tf.trainers.study.tables.page import Table

HOW = "Nothing is trained here: the rows are those of `cunet sweep`, whose pages give all conditions."
COSTS = (
    "Relative: the error (NME, or 100 - PCK) divided by the float network's of the same sweeps. Memory: ideal, bits of "
    "the features by 32, as the paper counts; measured, bytes that a step of CU-Net-4 (m 128, n 32, 256 px, two "
    "pictures) keeps for the backward pass, by those of the float one that recomputes nothing, plain (`none`) and "
    "compressed (`both`), from docs/memory.md; a dash where such bits were not measured. Size: ideal, bits of "
    "the weights by 32, as the paper counts; honest, bytes of the packed network by those of a float file. Indices by "
    "eq. 8 from these columns: ideal from both ideal ones, honest from the memory measured in mode `both` and the "
    "honest size. Sweeps that differ in their seed alone are one row each, errors are means."
)
SHARED = ("preset", "data", "split", "train_images", "test_split", "epochs", "init", "box")  # by the seeds of a sweep


def sweeps(folder: Path, bodies: bool) -> dict[str, list[dict[str, str]]]:
    """Name -> rows of the sweeps on faces or on bodies in a folder."""
    found = {}
    for file in sorted(folder.glob("quantization*.csv")):
        rows = read_csv(file)
        if rows and {"quant", "test_split"} <= set(rows[0]) and ("Head" in rows[0]) == bodies:
            found[file.stem] = rows
    return found


Members = list[dict[str, str]]


def pooled(found: dict[str, Members]) -> dict[tuple[str, ...], dict[str, Members]]:
    """Conditions shared by all but the seed -> quantization -> its rows, each with the name of its ``sweep``."""
    pools: dict[tuple[str, ...], dict[str, Members]] = {}
    for name, members in found.items():
        for row in members:
            rows = pools.setdefault(tuple(row[key] for key in SHARED), {})
            rows.setdefault(row["quant"], []).append({**row, "sweep": name})
    return pools


def errors_by_quant(folder: Path) -> list[dict[str, list[float]]]:
    """For each set of conditions: quantization of faces, by the paper's name -> error of each seed.

    Where one was trained with several ranges, those of the least error count.
    """
    pools = []
    for rows in pooled(sweeps(folder, bodies=False)).values():
        found: dict[str, list[float]] = {}
        for quant, members in rows.items():
            errors, name = [float(row["error"]) for row in members], paper_name(quant)
            if name not in found or sum(errors) / len(errors) < sum(found[name]) / len(found[name]):
                found[name] = errors
        pools.append(found)
    return pools


def errors_of_both(pools: list[dict[str, list[float]]], one: str, other: str) -> tuple[list[float], list[float]]:
    """Errors of two quantizations under the conditions for which both have most seeds; empty where there are none."""
    pairs = [(pool[one], pool[other]) for pool in pools if one in pool and other in pool]
    return max(pairs, key=lambda errors: min(map(len, errors)), default=([], []))


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
    found, kept = sweeps(context.reports, bodies), kept_ratios(context.reports)
    rows: list[Row] = []
    for members in pooled(found).values():
        errors = _mean(members.get("float", []), "error")
        rows += [{"quant": quant, **paper.get(paper_name(quant), {}), "sweep": ", ".join(row["sweep"] for row in ones),
                  "preset": ones[0]["preset"], "epochs": ones[0]["epochs"], **_ours(ones, errors, bodies, kept)}
                 for quant, ones in members.items()]  # fmt: skip
    covered = {paper_name(row["quant"]) for row in rows}
    rows += [{"quant": quant, **cells} for quant, cells in paper.items() if quant not in covered]
    columns = {name: None for row in sorted(rows, key=len, reverse=True) for name in row}
    about = [HOW, *sweep_commands(context.reports, list(found)), COSTS]
    return Table(key, title, [{**columns, **row} for row in rows], about=about)


def _ours(members: Members, float_error: float | None, bodies: bool, kept: dict[tuple[int | None, str], float]) -> Row:
    error, bits = _mean(members, "error"), QuantConfig.parse(members[0]["quant"]).features
    memory, ideal, honest = (float(members[0][name]) for name in
                             ("training_memory_ratio", "model_size_ratio", "honest_size_ratio"))  # fmt: skip
    plain, compressed = (kept.get((bits, mode)) for mode in MODES)
    seeds = {f"seed_{row['seed']}": _shown(float(row["error"]), bodies) for row in members}
    return {
        "ours_pck" if bodies else "ours_nme": _shown(error, bodies), **seeds,
        "ours_relative": error / float_error if float_error else None,
        "ours_memory_ideal": memory, "ours_memory_measured_none": plain, "ours_memory_measured_both": compressed,
        "ours_size_ideal": ideal, "ours_size_honest": honest,
        "ours_index_ideal": balance_index(error, memory, ideal),
        "ours_index_honest": balance_index(error, compressed, honest) if compressed else None,
    }  # fmt: skip


def _shown(error: float, bodies: bool) -> float:
    return 100.0 - error if bodies else error


def _mean(members: Sequence[dict[str, str]], column: str) -> float:
    """Of no rows 0."""
    values = [float(row[column]) for row in members]
    return sum(values) / max(len(values), 1)


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
    order = {quant: index for index, quant in enumerate(TABLE_10)}
    rows.sort(key=lambda row: order.get(paper_name(row["quant"]), len(order)))
    about = [HOW, *sweep_commands(context.reports, list(found)),
             "PCK@0.2 of the torso and PCKh@0.5 of the head are different measures on different data: compare how "
             "much each joint loses, not the level."]  # fmt: skip
    return Table("10", "quantized networks, joint by joint", rows, about=about)
