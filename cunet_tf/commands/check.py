"""cunet check: is a data set sound? Points, boxes, files, pictures, duplicates; exits with 1 on errors.

Example:
  cunet check --data=300w --root=300w --split=train --out=found
  cunet check --data=300w --root=300w --split=train --against=full --allow_missing
  cunet check --data=synthetic --preset=face-mobile --split=7:500 --quick --json
"""

import dataclasses
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from absl import flags

from cunet_tf.commands.check_sheet import sheet
from cunet_tf.data.check import ERROR, WARNING, Finding, finding_of, full_check, quick_check
from cunet_tf.data.sample import Source
from cunet_tf.data.sources import SOURCES, Request, load_source
from cunet_tf.draw import save_result
from cunet_tf.errors import CUNetError, FaultyFile, did_you_mean
from cunet_tf.flags import define_data, no_arguments
from cunet_tf.outputs import claim, json_text
from cunet_tf.presets import PRESETS, preset
from cunet_tf.progress import progress
from cunet_tf.rows import table
from cunet_tf.skeletons import FACE68, LSP14, MPII16, Skeleton
from cunet_tf.writing import replace_text

SKELETON_OF = {"300w": FACE68, "lsp": LSP14, "lspet": LSP14, "mpii": MPII16,
               "folder": None, "coco": None, "yolo": None, "packed": None}  # fmt: skip
REPORT, SHEET = "report.json", "contact_sheet.png"


def define(values: flags.FlagValues) -> None:
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
    no_arguments(rest)
    if values.against and values.quick:
        raise CUNetError("--against compares pictures: leave out --quick.")
    if values.out:
        claim([Path(values.out, name) for name in (REPORT, SHEET)], "--out")
    skeleton = find_skeleton(values)
    problems: list[CUNetError] = []
    source = _load(values, skeleton, values.split, problems)
    findings = [*_size_findings(source, skeleton), *map(finding_of, problems)]
    if values.quick:
        findings += quick_check(source)
    else:
        others: list[CUNetError] = []
        against = _load(values, skeleton, values.against, others) if values.against else None
        with progress("pictures") as show:
            findings += full_check(source, against, show)
        text = f"split {values.against} is compared without this faulty sample."
        findings += [Finding("not compared", WARNING, "", finding_of(other).file, text) for other in others]
    result = {
        "data": values.data, "split": source.split, "against": values.against, "box": source.box,
        "check": "quick" if values.quick else "full", **_summary(source, problems, findings),
        "limit": values.limit, "out": values.out,
    }  # fmt: skip
    if values.out:
        _write(Path(values.out), result, source, findings)
    return result


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


def _size_findings(source: Source, wanted: Skeleton | None) -> Iterator[Finding]:
    have = source.skeleton
    if wanted is not None and have.size != wanted.size:
        text = f"the data has {have.size} landmarks ({have.name}), the preset {wanted.size} ({wanted.name})."
        yield Finding("wrong number of points", ERROR, "", "", text)


def _summary(source: Source, problems: list[CUNetError], findings: list[Finding]) -> dict[str, Any]:
    """Counts over all, per kind and per subset; ``ok`` when there is no error."""
    subset_of = {problem.sample: problem.subset for problem in problems if isinstance(problem, FaultyFile)}
    subset_of |= {sample.name: sample.subset for sample in source}
    samples = Counter(sample.subset for sample in source)
    counts = Counter((subset_of.get(finding.sample), finding.severity) for finding in findings)
    total = Counter(finding.severity for finding in findings)
    return {
        "ok": not total[ERROR], "samples": len(source), "left_out": len(problems),
        "errors": total[ERROR], "warnings": total[WARNING],
        "subsets": {
            name: {"samples": samples[name], "errors": counts[name, ERROR], "warnings": counts[name, WARNING]}
            for name in sorted({*samples, *subset_of.values()})
        },
        "kinds": dict(sorted(Counter(f"{finding.severity}: {finding.kind}" for finding in findings).items())),
        "findings": [dataclasses.asdict(finding) for finding in findings],
    }  # fmt: skip


def _write(folder: Path, result: dict[str, Any], source: Source, findings: list[Finding]) -> None:
    replace_text(folder / REPORT, json_text(result, indent=2))
    save_result(folder / SHEET, sheet(source, findings))


def describe(result: dict[str, Any]) -> str:
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
