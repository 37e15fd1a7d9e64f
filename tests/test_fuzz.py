"""The attack on every format finds nothing, and would find what is there."""

from pathlib import Path

import pytest

from cunet_tf.errors import CUNetError
from tests.fuzz import __main__ as attack
from tests.fuzz import worker
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS

CASES = Path(attack.__file__).parent / "cases"
TOTAL = 3000
COUNTS = attack.shares(TOTAL, list(TARGETS.values()))


def test_the_shares_are_the_whole():
    assert sum(COUNTS.values()) == TOTAL and min(COUNTS.values()) > 0


SLOW = ("keras", "mat", "tflite", "onnx")  # half a minute


@pytest.mark.parametrize("name", [pytest.param(each, marks=[pytest.mark.slow] * (each in SLOW)) for each in TARGETS])
def test_nothing_crashes(name, tmp_path):
    result = attack.fuzz(TARGETS[name], COUNTS[name], seed=1, crashes=tmp_path)
    assert not result.crashes, result.crashes[0].with_suffix(".txt").read_text()
    assert sum(result.outcomes.values()) == COUNTS[name]
    assert result.outcomes["read"] and len(set(result.outcomes) - {"read"}) >= 3  # the damage is of several kinds


@pytest.mark.parametrize("case", sorted(CASES.glob("*/*")), ids=lambda case: f"{case.parent.name}/{case.name}")
def test_what_once_crashed(case):
    """``cases/FORMAT/NAME/`` holds the files."""
    target = TARGETS[case.parent.name]
    worker.outcome(target, case / target.entry)


def _write(rng, folder: Path) -> None:
    (folder / "file").write_bytes(rng.randbytes(8))


@pytest.mark.parametrize(
    "text", ["file: two\nlines.", "file: no sentence", "file: " + "long " * 300 + ".", "nameless.", ""]
)
def test_a_refusal_that_is_none(text, tmp_path):
    def read(path: Path) -> None:
        error = CUNetError(text)
        error.args = (text,)  # as if it did not keep to one line by itself
        raise error

    with pytest.raises(AssertionError):
        worker.one(Target("mine", 1, "file", _write, read), 0, 0, tmp_path / "files")


def test_a_file_is_the_same_again(tmp_path):
    target = Target("mine", 1, "file", _write, lambda path: None)
    assert worker.one(target, 0, 5, tmp_path / "a")[0] == "read"
    worker.one(target, 0, 5, tmp_path / "b")
    assert (tmp_path / "a" / "file").read_bytes() == (tmp_path / "b" / "file").read_bytes()
