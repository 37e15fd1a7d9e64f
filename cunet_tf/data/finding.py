"""What a check of a data set finds."""

from dataclasses import dataclass
from pathlib import Path

from cunet_tf.data.records import Crop
from cunet_tf.data.sample import Sample
from cunet_tf.errors import CUNetError, FaultyFile

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True)
class Finding:
    """One thing wrong with a data set.

    Attributes:
        kind: what is wrong in a few words, the same for all findings of a kind.
        severity: ``"error"``, training would fail or learn nonsense, or ``"warning"``.
        sample: its name; empty when the finding is about the whole data set.
        file: the file to look at; empty for drawn samples.
        message: one sentence, without the file.
    """

    kind: str
    severity: str
    sample: str
    file: str
    message: str

    def __str__(self) -> str:
        place = self.file or self.sample
        return f"{place}: {self.message}" if place else self.message


def finding_of(problem: CUNetError, sample: str = "") -> Finding:
    """The finding for an error that a loader has collected."""
    if not isinstance(problem, FaultyFile):
        return Finding("malformed annotation", ERROR, sample, "", str(problem))
    return Finding(problem.kind, ERROR, problem.sample or sample, problem.file, problem.text)


def file_of(sample: Sample) -> str:
    """The picture file of a sample, or its record; empty where it is drawn."""
    return str(sample.picture) if isinstance(sample.picture, Path | Crop) else ""


def finding_at(sample: Sample, kind: str, message: str, severity: str = ERROR) -> Finding:
    """A finding about one sample."""
    return Finding(kind, severity, sample.name, file_of(sample), message)
