"""Runs of a table: trained and evaluated by the real commands, one folder each.

The state is what lies in the folders, so a table can be stopped at any moment.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from cunet_tf.errors import CUNetError
from cunet_tf.signals import signals_interrupt
from cunet_tf.trainers.history import read_history
from cunet_tf.trainers.study.job_process import run_verb

ABSENT = object()


@dataclass(frozen=True)
class Job:
    """One run in ``folder``, the output of its processes in ``log``.

    Attributes:
        name: in messages and tables.
        folder: of the run.
        train: flags of ``cunet train`` but ``--workdir`` and ``--resume``.
        evaluate: flags of ``cunet evaluate`` but ``--model`` and ``--out``.
        split: that is evaluated.
        box: boxes of the evaluation.
        expects: what :meth:`config` must hold, in its own shape: ``{"spec": {"quant": "BW"}}``.
    """

    name: str
    folder: Path
    train: tuple[str, ...] = ()
    evaluate: tuple[str, ...] = ()
    split: str = "test"
    box: str = "tight"
    expects: dict[str, Any] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        """The file beside the folder."""
        return self.folder.with_name(f"{self.folder.name}.log")

    @property
    def best(self) -> Path:
        """The checkpoint that is evaluated."""
        return self.folder / "best.keras"

    def config(self) -> dict[str, Any]:
        """``config.json`` of the run, with the ``images`` of both its parts; empty before it has started."""
        config = read_json(self.folder / "config.json")
        data = config.get("data", {})
        if {"train_images", "validation_images"} <= set(data):
            data["images"] = data["train_images"] + data["validation_images"]
        return config

    def history(self) -> list[dict[str, str]]:
        """Rows of ``history.csv``, as :func:`read_history` gives them."""
        return read_history(self.folder / "history.csv")

    def other(self) -> str | None:
        """The first setting in which the folder holds another run, as ``NAME is X, not Y``."""
        config = self.config()
        return difference(config, self.expects) if config else None

    def trained(self) -> bool:
        """Whether the history has every epoch and the last checkpoint was written after it."""
        config, last = self.config(), self.folder / "last.keras"
        if not (config and last.exists() and self.best.exists()) or self.other():
            return False
        complete = len(self.history()) >= config["epochs"]
        return complete and last.stat().st_mtime >= (self.folder / "history.csv").stat().st_mtime

    def mark_trained(self) -> None:
        """Call after a training that ended well: the last checkpoint counts as newer than the history.

        The times of a copied folder, or of one from an earlier version, may be in another order.
        """
        (self.folder / "last.keras").touch()

    def evaluation(self) -> dict[str, Any]:
        """What ``cunet evaluate`` found on ``split``; empty when the run is not finished, or newer."""
        file = self.folder / "evaluation.json"
        found = read_json(file) if self.trained() else {}
        current = found and (found["split"], found["box"]) == (self.split, self.box)
        return found if current and file.stat().st_mtime >= self.best.stat().st_mtime else {}


def run_jobs(
    jobs: list[Job],
    verb: str,
    after: Callable[[], object],
    run: Callable[[str, list[str], Path], None] | None = None,
) -> tuple[list[str], dict[str, str]]:
    """Train and evaluate what is not finished yet; a failing job is named and the others go on.

    Args:
        jobs: in this order.
        verb: whose name stands in messages.
        after: called after each job, to write tables anew.
        run: runs a verb with its arguments, its output at the end of a file; raises a CUNetError when it fails.
            A process for each by default.

    Returns:
        Names of the jobs that were trained, and name -> message of those that failed.
    """
    trained: list[str] = []
    failed: dict[str, str] = {}
    start = time.monotonic()
    with signals_interrupt():
        for index, job in enumerate(jobs):
            say = teller(f"[{index + 1}/{len(jobs)}] {job.name}", start)
            try:
                trained += _finish(job, say, run or run_verb)
            except CUNetError as error:
                failed[job.name] = str(error)
                print(f"cunet {verb}: error: {job.name}: {error}", file=sys.stderr)
            except KeyboardInterrupt:
                print("notice: finished epochs are kept, the same command goes on from here.", file=sys.stderr)
                raise
            after()
    return trained, failed


def _finish(job: Job, say: Callable[[str], None], run: Callable[[str, list[str], Path], None]) -> list[str]:
    """Train and evaluate where that is not done yet; returns the name if it was trained."""
    trained = []
    if not job.trained():
        say(f"training, see {job.log}")
        run("train", [*job.train, f"--workdir={job.folder}", "--resume"], job.log)
        job.mark_trained()
        trained.append(job.name)
    if not job.evaluation():
        say(f"evaluating on {job.split}")
        run("evaluate", [*job.evaluate, f"--model={job.best}", f"--out={job.folder}"], job.log)
    if not job.evaluation():
        raise CUNetError(f"{job.folder} holds another run ({job.other()}): remove it, or use another --workdir.")
    say("finished")
    return trained


def read_json(file: Path) -> dict[str, Any]:
    """Empty when the file is absent, or was cut short by a stop."""
    try:
        return json.loads(file.read_text()) if file.is_file() else {}
    except ValueError:
        return {}


def difference(found: object, wanted: object, name: str = "") -> str | None:
    """The first place where ``found`` lacks what ``wanted`` holds, both nested alike.

    Example:
        >>> difference({"spec": {"quant": "BW", "name": "a"}}, {"spec": {"quant": "float"}})
        "spec.quant is 'BW', not 'float'"
    """
    if not isinstance(wanted, dict):
        return None if found == wanted else f"{name} is {'absent' if found is ABSENT else repr(found)}, not {wanted!r}"
    inner = found if isinstance(found, dict) else {}
    gaps = (difference(inner.get(key, ABSENT), value, f"{name}.{key}".lstrip(".")) for key, value in wanted.items())
    return next((gap for gap in gaps if gap), None)


def teller(label: str, start: float) -> Callable[[str], None]:
    """A function that prints a line about a job, with the time since ``start`` of the monotonic clock."""

    def say(text: str) -> None:
        print(f"{label}: {text} (elapsed {timedelta(seconds=round(time.monotonic() - start))})", flush=True)

    return say
