"""Read damaged files of every format, see :mod:`tests.fuzz`: counts, refusals, the largest memory and longest time.

Run: ``make fuzz`` (100,000 files in all), or ``python -m tests.fuzz --total=5000 --seed=7 --formats=cunet``. What ends
a reader is kept in ``fuzz-crashes/FORMAT-SEED-INDEX/``, its traceback beside it: mend the reader, and move the folder
to ``tests/fuzz/cases``, which the tests read.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from cunet_tf.rows import Row, read_csv, table, write_csv
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS

CRASHES = Path("fuzz-crashes")
MOST_CRASHES = 20  # of a format; then something is wrong at large


@dataclass
class Result:
    """What the files of a format came to."""

    outcomes: Counter[str] = field(default_factory=Counter)
    crashes: list[Path] = field(default_factory=list)
    seconds: float = 0.0
    mib: float = 0.0

    def take(self, done: dict) -> None:
        """Add what one worker says."""
        self.outcomes.update(done["outcomes"])
        self.seconds, self.mib = max(self.seconds, done["seconds"]), max(self.mib, done["mib"])


def shares(total: int, targets: list[Target]) -> dict[str, int]:
    """Files of each format, ``total`` in all."""
    whole = sum(target.share for target in targets)
    counts = {target.name: total * target.share // whole for target in targets}
    counts[targets[0].name] += total - sum(counts.values())
    return counts


def fuzz(target: Target, count: int, seed: int, crashes: Path = CRASHES) -> Result:
    """Read ``count`` files in processes of their own; after one that ends its process the next one goes on."""
    result, first = Result(), 0
    with tempfile.TemporaryDirectory() as scratch:
        while first < count and len(result.crashes) < MOST_CRASHES:
            place = Path(scratch)
            arguments = [target.name, str(first), str(count - first), str(seed), scratch]
            done = subprocess.run(
                [sys.executable, "-m", "tests.fuzz.worker", *arguments], capture_output=True, text=True
            )
            if (place / "done.json").exists():
                result.take(json.loads((place / "done.json").read_text()))
                (place / "done.json").unlink()
            if done.returncode == 0:
                break
            if not (place / "at").exists():
                raise RuntimeError(f"{target.name}: the worker did not begin:\n{done.stderr[-3000:]}")
            index = int((place / "at").read_text())
            kept = crashes / f"{target.name}-{seed}-{index}"
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(place / "files", kept)
            kept.with_suffix(".txt").write_text(f"exit status {done.returncode}\n{done.stderr[-20_000:]}")
            result.crashes.append(kept)
            first = index + 1
    return result


def row(name: str, count: int, result: Result) -> dict:
    """A line of ``docs/results/fuzz.csv``."""
    read = result.outcomes["read"]
    refused = sum(result.outcomes.values()) - read
    kinds = len(set(result.outcomes) - {"read"})
    return {"format": name, "files": count, "refused": refused, "read": read, "kinds_of_refusals": kinds,
            "crashes": len(result.crashes), "longest_seconds": round(result.seconds, 3),
            "memory_mib": round(result.mib)}  # fmt: skip


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--total", type=int, default=100_000, help="files of all formats together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--formats", default=",".join(TARGETS), help="only these of them: " + ", ".join(TARGETS))
    parser.add_argument("--out", type=Path, help="folder for fuzz.csv")
    parser.add_argument("--refusals", action="store_true", help="print each refusal, and how often it came")
    values = parser.parse_args()
    counts, rows = shares(values.total, list(TARGETS.values())), []
    for name in values.formats.split(","):
        result = fuzz(TARGETS[name], counts[name], values.seed)
        rows.append(row(name, counts[name], result))
        print(json.dumps(rows[-1]), *map(str, result.crashes), flush=True)
        for text, times in result.outcomes.most_common() if values.refusals else ():
            print(f"{times:>9,}  {text}")
        if values.out:
            keep(values.out / "fuzz.csv", rows[-1])
    print(table([tuple(rows[0]), *(tuple(each.values()) for each in rows)]))
    return 1 if any(each["crashes"] for each in rows) else 0


def keep(file: Path, row: Row) -> None:
    """Put a row in the place of the earlier one of its format: a run can go on with the formats that are missing."""
    rows: list[Row] = [each for each in read_csv(file) if each["format"] != row["format"]]
    write_csv(file, sorted([*rows, row], key=lambda each: list(TARGETS).index(each["format"])))


if __name__ == "__main__":
    sys.exit(main())
