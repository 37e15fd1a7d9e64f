"""cunet check: is a data set sound? Points, boxes, files, pictures, duplicates; exits with 1 on errors.

Example:
  cunet check --data=300w --root=300w --split=train --out=found
  cunet check --data=300w --root=300w --split=train --against=full --allow_missing
  cunet check --data=synthetic --preset=face-mobile --split=7:500 --quick --json
"""

from pathlib import Path
from typing import Any

from absl import flags

from cunet_tf.checking import REPORT, SHEET, check, require_possible
from cunet_tf.data.check import Finding
from cunet_tf.data.sample import Source
from cunet_tf.data.sources import SOURCES, Request, load_source
from cunet_tf.errors import CUNetError, did_you_mean
from cunet_tf.flags import define_data, no_arguments
from cunet_tf.presets import PRESETS, preset
from cunet_tf.progress import progress
from cunet_tf.rows import table
from cunet_tf.skeletons import FACE68, LSP14, MPII16, Skeleton

SKELETON_OF = {"300w": FACE68, "lsp": LSP14, "lspet": LSP14, "mpii": MPII16,
               "folder": None, "coco": None, "yolo": None, "packed": None}  # fmt: skip


def define(values: flags.FlagValues) -> None:
    """The flags."""
    define_data(values, split="train")
    flags.DEFINE_string(
        "preset", None, f"Whose landmarks are wanted, the data's own by default: {', '.join(PRESETS)}.",
        flag_values=values,
    )  # fmt: skip
    flags.DEFINE_string("against", None, "Another split, which must share no picture with it.", flag_values=values)
    flags.DEFINE_string("out", None, "Folder for report.json and contact_sheet.png.", flag_values=values)
    flags.DEFINE_integer("limit", 5, "Findings of each kind to print.", 0, flag_values=values)
    flags.DEFINE_bool("quick", False, "Decode no pictures: what train does before it starts.", flag_values=values)


def run(values: flags.FlagValues, rest: list[str]) -> dict[str, Any]:
    """What the module says; the result for --json and :func:`describe`."""
    no_arguments(rest)
    require_possible(values.against, values.quick, values.out)  # before the data is read
    skeleton = find_skeleton(values)
    problems: list[CUNetError] = []
    others: list[CUNetError] = []
    data = _load(values, skeleton, values.split, problems)
    against = _load(values, skeleton, values.against, others) if values.against else None
    with progress("pictures") as show:
        result = check(data, against=against, quick=values.quick, out=values.out, skeleton=skeleton, problems=problems,
                       problems_against=others, progress=show)  # fmt: skip
    return {**result, "data": values.data, "limit": values.limit}


def find_skeleton(values: flags.FlagValues) -> Skeleton | None:
    """The preset's landmarks, or those that the data set is known for; ``None`` for a user's own.

    Raises:
        CUNetError: an unknown data set or preset, or drawn data without a preset.
    """
    if not values.data:
        raise CUNetError(f"name a data set with --data: {', '.join(SOURCES)}.")
    if values.data not in SOURCES:
        raise CUNetError(f"--data={values.data}: {did_you_mean(values.data, SOURCES)}")
    if values.preset:
        return preset(values.preset).skeleton
    if values.data not in SKELETON_OF:
        raise CUNetError(f"--data={values.data}: say whose landmarks with --preset: {', '.join(PRESETS)}.")
    return SKELETON_OF[values.data]


def _load(values: flags.FlagValues, skeleton: Skeleton | None, split: str, problems: list[CUNetError]) -> Source:
    return load_source(
        values.data,
        Request(values.root, split, skeleton, values.allow_missing, values.box, problems, values.allow_outside),
    )


def describe(result: dict[str, Any]) -> str:
    """The result for the terminal."""
    left_out = f" and {result['left_out']:,} left out" if result["left_out"] else ""
    head = (
        f"{result['data']} {result['split']}: {result['samples']:,} samples{left_out}, {result['box']} boxes, "
        f"{result['check']} check: {result['errors']:,} errors, {result['warnings']:,} warnings"
    )
    rows: list[tuple] = [("subset", "samples", "errors", "warnings")]
    rows += [(name, row["samples"], row["errors"], row["warnings"]) for name, row in result["subsets"].items()]
    parts = [head, table(rows)]
    for kind, count in result["kinds"].items():
        found = [Finding(**row) for row in result["findings"] if f"{row['severity']}: {row['kind']}" == kind]
        lines = [f"{kind} ({count:,})", *(f"  {finding}" for finding in found[: result["limit"]])]
        parts.append("\n".join(lines))
    if result["out"]:
        parts.append(f"Look at {Path(result['out']) / SHEET}; {REPORT} beside it holds all findings.")
    return "\n\n".join(parts)
