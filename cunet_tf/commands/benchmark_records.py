"""``cunet benchmark --data=... --packed=FOLDER``: records beside the pictures that they were cut from."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from cunet_tf.data.records import load_records
from cunet_tf.errors import CUNetError
from cunet_tf.flags import network_spec, request_source
from cunet_tf.outputs import begins_with, claim
from cunet_tf.processor import processor
from cunet_tf.quiet import import_quietly
from cunet_tf.rows import append_row, number, table
from cunet_tf.trainers.views import chosen_augmentation

COLUMNS = ("data", "split", "input_size", "cores", "processor", "what", "value", "ratio")
ROUNDS = 5
ONE, HERE = ", one thread", ", here"  # ends of what :mod:`cunet_tf.records_speed` names
UNITS = {ONE: "ms of the processor a picture", HERE: "ms of the processor a picture", "": "pictures/s"}
DIFFERENCES = {
    "points_mean": "points, mean difference [heat-map pixels]",
    "points_largest": "points, largest difference [heat-map pixels]",
    "masks": "landmarks that count in one only",
    "levels_mean": "colours, mean difference [of 255]",
    "levels_largest": "colours, largest difference [of 255]",
}


def run(values: flags.FlagValues) -> dict[str, Any]:
    """Differences of the examples, and times in rounds in which all take turns."""
    if values.csv:
        claim([values.csv], "--csv", begins_with(*COLUMNS))
    workers = _workers(values.workers)
    spec = network_spec(values)
    source = request_source(values, spec.skeleton)
    records = load_records(values.packed, values.split)
    import_quietly("keras")
    from cunet_tf.data.pipeline import Examples
    from cunet_tf.records_speed import difference, speeds
    from cunet_tf.trainers.recipes import recipe_for

    spec = spec if source.skeleton == spec.skeleton else spec.with_skeleton(source.skeleton)
    recipe = recipe_for(spec)
    spec = spec.replace(crop_factor=recipe.crop_factor)
    views = chosen_augmentation(values, recipe.augmentation, spec.skeleton)
    pictures, packed = (Examples(each, spec, views) for each in (source, records))
    apart = asdict(difference(pictures, packed))
    found = speeds({"pictures": pictures, "records": packed}, workers, values.batch_size, values.seconds, ROUNDS)
    result = {
        "data": values.data, "split": source.split, "input_size": spec.input_size, "cores": os.cpu_count(),
        "processor": processor(), "difference": apart, "speed": _rows(found),
    }  # fmt: skip
    if values.csv:
        head = {name: result[name] for name in COLUMNS[:5]}
        for key, what in DIFFERENCES.items():
            append_row(Path(values.csv), {**head, "what": what, "value": apart[key], "ratio": None})
        for what, row in _rows(found).items():
            append_row(Path(values.csv), {**head, "what": f"{what} [{row['unit']}]", "value": row["value"],
                                          "ratio": row["ratio"]})  # fmt: skip
    return result


def _workers(texts: list[str]) -> list[int]:
    try:
        found = [int(text) for text in texts]
    except ValueError:
        found = [-1]
    if min(found, default=-1) < 0:
        raise CUNetError(f"--workers={','.join(texts)}: give numbers of processes, 0 for threads, such as 0,1,2.")
    return found


def _rows(found: dict[str, list[float]]) -> dict[str, dict[str, Any]]:
    """Medians over the rounds, and of each round's ratio to the first row that has the same end and unit."""
    rows: dict[str, dict[str, Any]] = {}
    first: dict[str, list[float]] = {}
    for name, each in found.items():
        end = next((end for end in (ONE, HERE) if name.endswith(end)), "")
        base = first.setdefault(end, each)
        rows[name] = {"value": float(np.median(each)), "ratio": float(np.median(np.divide(each, base))),
                      "unit": UNITS[end]}  # fmt: skip
    return rows


def describe(result: dict[str, Any]) -> str:
    """Both as a table."""
    rows: list[tuple] = [(f"{result['data']} {result['split']} at {result['input_size']} px", "", "ratio")]
    rows += [(what, number(result["difference"][key], ".3g"), "") for key, what in DIFFERENCES.items()]
    rows += [
        (f"{what} [{row['unit']}]", number(row["value"]), number(row["ratio"], ".3g"))
        for what, row in result["speed"].items()
    ]
    return f"{result['cores']} cores, {result['processor']}; medians of {ROUNDS} rounds\n\n{table(rows)}"
