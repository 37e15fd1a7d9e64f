"""``cu.check``: is a data set sound? What ``cunet check`` does, with objects in the place of names."""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cunet_tf.check_sheet import sheet
from cunet_tf.data.check import ERROR, WARNING, Finding, finding_of, full_check, quick_check
from cunet_tf.data.check_pictures import Progress
from cunet_tf.data.sample import Source
from cunet_tf.draw import save_result
from cunet_tf.errors import CUNetError, FaultyFile
from cunet_tf.outputs import claim, json_text
from cunet_tf.skeletons import Skeleton
from cunet_tf.writing import replace_text

REPORT, SHEET = "report.json", "contact_sheet.png"


def check(
    data: Source,
    *,
    against: Source | None = None,
    quick: bool = False,
    out: str | Path | None = None,
    skeleton: Skeleton | None = None,
    problems: Sequence[CUNetError] = (),
    problems_against: Sequence[CUNetError] = (),
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Points, boxes, files, pictures and duplicates of a data set.

    Args:
        data: what to check.
        against: another split, which must share no picture with it.
        quick: decode no pictures, which is what training does before it starts.
        out: folder for ``report.json`` and ``contact_sheet.png``.
        skeleton: landmarks that are wanted; the data's own by default.
        problems, problems_against: samples that the loaders left out, as their ``problems=[]`` collected them.
        progress: called with the number of pictures done and in all.

    Returns:
        The keys of ``cunet check --json``: ``ok`` is whether there are no errors, ``findings`` has each with its kind,
        severity, sample and file, ``kinds`` and ``subsets`` count them.

    Raises:
        CUNetError: ``against`` with ``quick``, or files in ``out`` that are not ours.
    """
    require_possible(against, quick, out)
    findings = [*_size_findings(data, skeleton), *map(finding_of, problems)]
    findings += quick_check(data) if quick else full_check(data, against, progress)
    split = against.split if against is not None else None
    text = f"split {split} is compared without this faulty sample."
    findings += [Finding("not compared", WARNING, "", finding_of(other).file, text) for other in problems_against]
    result = {
        "data": data.name, "split": data.split, "against": split, "box": data.box,
        "check": "quick" if quick else "full", **_summary(data, problems, findings), "out": str(out) if out else None,
    }  # fmt: skip
    if out:
        replace_text(Path(out) / REPORT, json_text(result, indent=2))
        save_result(Path(out) / SHEET, sheet(data, findings))
    return result


def require_possible(against: object, quick: bool, out: str | Path | None) -> None:
    """What :func:`check` refuses before data is read; ``against`` may be the split's name.

    Raises:
        CUNetError: see there.
    """
    if against is not None and quick:
        raise CUNetError("--against compares pictures: leave out --quick.")
    if out:
        claim([Path(out, name) for name in (REPORT, SHEET)], "--out")


def _size_findings(source: Source, wanted: Skeleton | None) -> Iterator[Finding]:
    have = source.skeleton
    if wanted is not None and have.size != wanted.size:
        text = f"the data has {have.size} landmarks ({have.name}), the preset {wanted.size} ({wanted.name})."
        yield Finding("wrong number of points", ERROR, "", "", text)


def _summary(source: Source, problems: Sequence[CUNetError], findings: list[Finding]) -> dict[str, Any]:
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
