"""Is a data set sound? Checks of points, boxes, files and pictures, before training."""

from cunet_tf.data.check_annotations import SMALLEST_BOX, flip_findings, repeated, sample_findings, side_findings
from cunet_tf.data.check_fit import fits
from cunet_tf.data.check_pictures import Progress, file_findings, picture_findings, twins
from cunet_tf.data.finding import ERROR, WARNING, Finding, finding_of
from cunet_tf.data.sample import Source
from cunet_tf.errors import CUNetError

__all__ = [
    "ERROR", "SMALLEST_BOX", "WARNING", "Finding", "finding_of", "full_check", "hidden_labels", "quick_check",
    "require_sound",
]  # fmt: skip


def require_sound(source: Source) -> None:
    """Refuse a source without labels, or one in which :func:`quick_check` finds errors.

    Raises:
        CUNetError: how many errors there are, the first three, and the command that shows all.
    """
    if hidden_labels(source):
        raise CUNetError(f"data {source.name}, split {source.split}: no sample is annotated: choose another split.")
    errors = [finding for finding in quick_check(source) if finding.severity == ERROR]
    if errors:
        shown = " ".join(str(finding) for finding in errors[:3])
        raise CUNetError(
            f"data {source.name}, split {source.split}: {len(errors)} error{'s' if len(errors) > 1 else ''}: {shown} "
            f"See all with cunet check --data={source.name} and the same --root and --split."
        )


def quick_check(source: Source) -> list[Finding]:
    """All that is found without decoding pictures; thousands of samples take about a second."""
    findings = flip_findings(source.skeleton)
    findings += [Finding("absent subset", WARNING, "", part, "this subset is not on disk.") for part in source.missing]
    per_sample = [finding for sample in source for finding in sample_findings(sample, source.skeleton)]
    if hidden_labels(source):  # MPII's test part: one finding says it for all
        text = "no sample is annotated: fit for prediction, not for training or evaluation."
        findings.append(Finding("hidden labels", WARNING, "", source.split, text))
        per_sample = [finding for finding in per_sample if finding.kind != "too few annotated points"]
    return [*findings, *per_sample, *fits(source), *repeated(source), *twins(source), *file_findings(source),
            *side_findings(source)]  # fmt: skip


def hidden_labels(source: Source) -> bool:
    """Whether not one landmark of the source is annotated."""
    return len(source) > 0 and not any(sample.mask.any() for sample in source)


def full_check(source: Source, against: Source | None = None, progress: Progress | None = None) -> list[Finding]:
    """:func:`quick_check`, and every picture decoded, measured and compared, with what is nearly the same too.

    Args:
        source: what to check.
        against: another split; pictures that are in both are errors, nearly the same ones warnings.
        progress: called with the number of pictures done and in all.
    """
    findings = quick_check(source)
    faulty = {finding.file for finding in findings if finding.kind.endswith(" picture")}
    return findings + picture_findings(source, faulty, against, progress)
