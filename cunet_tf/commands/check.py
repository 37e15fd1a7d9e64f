"""cunet check: is a data set sound? Points, boxes, files, pictures, duplicates; exits with 1 on errors.

Example:
  cunet check --data=300w --root=300w --split=train --out=found
  cunet check --data=300w --root=300w --split=train --against=full --allow_missing
  cunet check --data=synthetic --preset=face-mobile --split=7:500 --quick --json
"""

import dataclasses
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from absl import flags

from cunet_tf.commands.common import define_data, no_arguments, table
from cunet_tf.data.check import ERROR, SMALLEST_BOX, WARNING, Finding, finding_of, full_check, quick_check
from cunet_tf.data.geometry import apply, crop_matrix, warp
from cunet_tf.data.sample import Sample, Source
from cunet_tf.data.sources import SOURCES, Request, load_source
from cunet_tf.draw import contact_sheet, draw_landmarks, save_png
from cunet_tf.errors import CUNetError, did_you_mean
from cunet_tf.presets import PRESETS, preset
from cunet_tf.skeletons import FACE68, LSP14, MPII16, Skeleton

SKELETON_OF = {"300w": FACE68, "lsp": LSP14, "lspet": LSP14, "mpii": MPII16}
SPREAD, SUSPECTS = 24, 8  # tiles of the contact sheet's two blocks
COLUMNS, SIDE, STRIP = 8, 240, 24  # tiles in a row, pixels of a tile, pixels of a line of text


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
    skeleton = find_skeleton(values)
    problems: list[CUNetError] = []
    source = _load(values, skeleton, values.split, problems)
    findings = [*_size_findings(source, skeleton), *map(finding_of, problems)]
    if values.quick:
        findings += quick_check(source)
    else:
        others: list[CUNetError] = []
        against = _load(values, skeleton, values.against, others) if values.against else None
        findings += full_check(source, against, _progress)
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


def find_skeleton(values: flags.FlagValues) -> Skeleton:
    """The preset's landmarks, or those that the data set is known for.

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


def _load(values: flags.FlagValues, skeleton: Skeleton, split: str, problems: list[CUNetError]) -> Source:
    if values.box not in ("tight", "official"):
        raise CUNetError(f"--box={values.box}: use tight or official.")
    return load_source(
        values.data, Request(values.root, split, skeleton, values.allow_missing, values.box, problems=problems)
    )


def _size_findings(source: Source, wanted: Skeleton) -> Iterator[Finding]:
    have = source.skeleton
    if have.size != wanted.size:
        text = f"the data has {have.size} landmarks ({have.name}), the preset {wanted.size} ({wanted.name})."
        yield Finding("wrong number of points", ERROR, "", "", text)


def _summary(source: Source, problems: list[CUNetError], findings: list[Finding]) -> dict[str, Any]:
    """Counts over all, per kind and per subset; ``ok`` when there is no error."""
    subset_of = {problem.sample: problem.subset for problem in problems if hasattr(problem, "subset")}
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


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done}/{total} pictures", end="\n" if done == total else "", file=sys.stderr)


def _write(folder: Path, result: dict[str, Any], source: Source, findings: list[Finding]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(result, indent=2) + "\n")
    save_png(folder / "contact_sheet.png", sheet(source, findings))


def sheet(source: Source, findings: list[Finding]) -> np.ndarray:
    """RGB ``uint8``: samples spread evenly over the source, then some that have findings."""
    chosen = np.unique(np.linspace(0, len(source) - 1, min(SPREAD, len(source))).round().astype(int))
    blocks = [_block(f"{len(chosen)} of {len(source)} samples",
                     [_tile(source.samples[i], source.skeleton, "") for i in chosen])]  # fmt: skip
    samples = {sample.name: sample for sample in source}
    kind_of = _suspects([finding for finding in findings if finding.sample in samples])
    suspects = [_tile(samples[name], source.skeleton, kind) for name, kind in list(kind_of.items())[:SUSPECTS]]
    if suspects:
        blocks.append(_block(f"{len(suspects)} of {len(kind_of)} samples with findings", suspects))
    return np.vstack(blocks)


def _suspects(findings: list[Finding]) -> dict[str, str]:
    """Sample -> kind of finding: one sample of each kind first, then the second of each kind, and so on."""
    turns: Counter[str] = Counter()
    ranked = []
    for finding in findings:
        turns[finding.kind] += 1
        ranked.append((turns[finding.kind], finding.severity, finding.sample, finding.kind))
    kind_of: dict[str, str] = {}
    for _, _, sample, kind in sorted(ranked):
        kind_of.setdefault(sample, kind)
    return kind_of


def _block(title: str, tiles: list[np.ndarray]) -> np.ndarray:
    strip = np.full((STRIP, COLUMNS * SIDE, 3), 48, np.uint8)
    return np.vstack([_text(strip, title, STRIP - 8), contact_sheet(tiles, COLUMNS, SIDE)])


def _tile(sample: Sample, skeleton: Skeleton, kind: str) -> np.ndarray:
    """The sample's surroundings with points and box, its name and what is wrong with it."""
    try:
        image = sample.load()
    except CUNetError:
        image = np.zeros((SIDE, SIDE, 3), np.uint8)
    image, points, mask, box = _view(image, sample)
    if len(points) == skeleton.size == len(mask):
        image = draw_landmarks(image, points, skeleton, mask, box)
    tile = contact_sheet([image], 1, SIDE)
    return _text(_text(tile, sample.name[-34:], SIDE - 8), kind, 14)


def _view(image: np.ndarray, sample: Sample) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    """Picture, points, mask and box for drawing: cut out around the box where that is possible."""
    finite = np.isfinite(sample.points).all(axis=1)
    mask = np.where(finite, sample.mask, 0) if len(finite) == len(sample.mask) else sample.mask
    points, box = np.where(finite[:, None], sample.points, 0), sample.box
    if not np.isfinite(box).all():
        return image, points, mask, None
    if (box[2:] - box[:2]).max() >= SMALLEST_BOX:
        matrix = crop_matrix(box, 1.7, 2 * SIDE)
        image, points, box = warp(image, matrix, 2 * SIDE), apply(matrix, points), apply(matrix, box.reshape(2, 2))
    limit = 8 * max(image.shape)
    return image, points.clip(-limit, limit), mask, box.reshape(4).clip(-limit, limit)


def _text(image: np.ndarray, text: str, y: int) -> np.ndarray:
    """A copy with one line of text on a darker band, its base line at ``y``."""
    image = image.copy()
    if text:
        image[y - 12 : y + 6] //= 3
        cv2.putText(image, text, (4, y), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1, cv2.LINE_AA)
    return image


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
        parts.append(f"Look at {Path(result['out']) / 'contact_sheet.png'}; report.json beside it holds all findings.")
    return "\n\n".join(parts)
