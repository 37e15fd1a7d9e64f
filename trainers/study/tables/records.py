"""What finished runs have found, kept in one file beside the tables: folders of runs are lost, and take hours.

``runs.csv`` has a row for each run: its settings as JSON, the figures of its evaluation, its curves. A run with a row
is not trained again, and tables are made of rows alone.
"""

import json
from pathlib import Path
from typing import Any

from cunet_tf.processor import processor
from cunet_tf.rows import Row, read_csv, renew_rows
from cunet_tf.trainers.study.jobs import Job, difference
from cunet_tf.trainers.study.sweep_table import metric_of

FILE = "runs.csv"
TRAINING, HELD_OUT = "watched", "val"  # columns of history.csv begin with these
KEYS = ("run", "test_split", "box", "settings")
COLUMNS = ("run", "test_split", "box", "metric", "error", "failure_rate", "normalizer", HELD_OUT, TRAINING, "processor",
           "device", "settings")  # fmt: skip


class Records:
    """The rows of a folder's ``runs.csv``.

    Args:
        folder: of the tables.
    """

    def __init__(self, folder: Path):
        self.file = folder / FILE
        self._rows = [*map(_parsed, read_csv(self.file))]

    def find(self, job: Job) -> Row | None:
        """The row of a run: numbers, curves as lists; ``None`` where it has not been finished."""
        for row in self._rows:
            where = (row["run"], row["test_split"], row["box"])
            if where == (job.name, job.split, job.box) and not difference(row["settings"], job.expects):
                return row
        return None

    def keep(self, jobs: list[Job]) -> None:
        """Write rows of the runs that are finished in their folders and have none yet."""
        new = [record(job) for job in jobs if not self.find(job) and job.evaluation()]
        if new:
            renew_rows(self.file, new, COLUMNS, KEYS)
            self._rows = [*map(_parsed, read_csv(self.file))]


def record(job: Job) -> Row:
    """The row of a finished run, all of it text or numbers."""
    found, history = job.evaluation(), job.history()
    figures = metric_of(found)
    curves = {part: _curve(history, part) for part in (HELD_OUT, TRAINING)}
    return {
        "run": job.name, "test_split": job.split, "box": job.box, "metric": figures["metric"],
        "error": figures["error"], "failure_rate": found.get("failure_rate"), "normalizer": found["normalizer"],
        **curves, "processor": processor(), "device": job.config().get("device"),
        "settings": json.dumps(job.expects, sort_keys=True),
    }  # fmt: skip


def metric_column(row: dict[str, str], part: str) -> str | None:
    """The column of the last head's NME or PCK on a part; only that head has a metric."""
    return next((name for name in (f"{part}_nme", f"{part}_pck") if name in row), None)


def _curve(history: list[dict[str, str]], part: str) -> str:
    """The metric after each epoch, with blanks between."""
    column = metric_column(history[0], part) if history else None
    return " ".join(f"{float(row[column]):.4g}" for row in history) if column else ""


def _parsed(row: dict[str, str]) -> Row:
    numbers: dict[str, Any] = {key: float(row[key]) if row[key] else None for key in ("error", "failure_rate")}
    curves = {part: [float(value) for value in row[part].split()] for part in (HELD_OUT, TRAINING)}
    device = row.get("device") or "a device that is not known"  # rows of earlier versions
    return {**row, **numbers, **curves, "device": device, "settings": json.loads(row["settings"])}
