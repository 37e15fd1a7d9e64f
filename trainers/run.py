"""The folder of a run: checkpoints, history, curves (contract: best.keras, last.keras, ...)."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import Any

import keras
from filelock import FileLock, Timeout

from cunet_tf.data.augment import NO_AUGMENTATION
from cunet_tf.errors import CUNetError
from cunet_tf.figures import plot_curves
from cunet_tf.outputs import claim, is_ours, json_text
from cunet_tf.rows import write_csv
from cunet_tf.spec import ModelSpec
from cunet_tf.trainers.averages import Averages
from cunet_tf.trainers.history import read_history
from cunet_tf.writing import remove_unfinished, replace_file, replace_text

OF_THE_MACHINE = ("device", "devices", "memory", "versions", "flags", "command")  # a resumed run may have others
LOCK = ".lock"
THEN = ", then "
PAUSE = 9  # times the duration of a writing pass before the next one: it costs a tenth of the time at most


class RunFolder:
    """Files of one training run, written so that a kill at any moment loses little, see :class:`Recorder`."""

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.best, self.last = self.path / "best.keras", self.path / "last.keras"
        self.history_file = self.path / "history.csv"
        self._held = FileLock(self.path / LOCK)
        self.curves = self.path / "curves.png"
        self.files = (self.path / "config.json", self.best, self.last, self.history_file, self.curves)

    def create(self, config: dict[str, Any], resume: bool) -> None:
        """Make the folder, keep others out of it until :meth:`release`, and write ``config.json``.

        Raises:
            CUNetError: another process trains there, the folder holds a run that ``resume`` does not continue, a run
                with another configuration, or files of these names that no run has written.
        """
        file = self.path / "config.json"
        claim(self.files, "--workdir", ours=lambda _: is_run(file))
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock()
        try:
            remove_unfinished(self.path)
            if self.last.exists():
                config = {**config, **self._check_same_run(file, config, resume)}
            replace_text(file, json_text(config, indent=2))
        except BaseException:
            self.release()
            raise

    def require_shared(self, config: dict[str, Any]) -> None:
        """Refuse a folder that is not the one in which the chief of several workers has just written ``config.json``.

        Raises:
            CUNetError: it is another one.
        """
        file = self.path / "config.json"
        try:
            found = json.loads(file.read_text())
        except (OSError, ValueError):
            found = {}
        if same_for_all(found) != same_for_all(config):
            raise CUNetError(
                f"--workdir={self.path}: worker 0 writes into another folder: give all workers one that they share."
            )

    def _lock(self) -> None:
        """One training at a time: the lock ends with the process, however that ends."""
        if self._held.is_locked:
            return
        try:
            self._held.acquire(timeout=0)
        except Timeout:
            raise CUNetError(
                f"--workdir={self.path}: another training writes there: wait until it has ended, or choose another."
            ) from None

    def release(self) -> None:
        """Let others in."""
        if self._held.is_locked:
            Path(self._held.lock_file).unlink(missing_ok=True)
        self._held.release(force=True)

    def _check_same_run(self, file: Path, config: dict[str, Any], resume: bool) -> dict[str, str]:
        """Refuse what does not continue the run of this file; its ``device``, of all that trained it."""
        if not resume:
            raise CUNetError(f"--workdir={self.path} already holds a run: add --resume, or choose another.")
        old = json.loads(file.read_text())
        if "spec" in old:  # a run of an earlier version lacks fields that had one value only
            old["spec"] = ModelSpec.from_dict(old["spec"]).to_dict()
        if "augmentation" in old.get("recipe", {}):
            plain = json.loads(json.dumps(asdict(NO_AUGMENTATION)))  # with lists for tuples, as in the file
            old["recipe"]["augmentation"] = {**plain, **old["recipe"]["augmentation"]}
        for key, value in json.loads(json.dumps(config)).items():
            if isinstance(value, dict) and isinstance(old.get(key), dict):  # earlier versions did not know some of it
                value = {name: each for name, each in value.items() if name in old[key]}
            if key not in OF_THE_MACHINE and old.get(key) != value:
                raise CUNetError(
                    f"--resume: {key} was {old.get(key)!r} in {file} and is {value!r} now: "
                    "use the same, or another --workdir."
                )
        now, before = config.get("device"), old.get("device")
        if not now or not before:
            return {}
        return {"device": before if before.split(THEN)[-1] == now else before + THEN + now}

    def history(self, before: int | None = None) -> list[dict[str, str]]:
        """Rows as :func:`read_history` gives them, only the first ``before`` epochs."""
        rows = read_history(self.history_file)
        return rows if before is None else [row for row in rows if int(row["epoch"]) <= before]

    def write_history(self, rows: list[dict[str, Any]]) -> None:
        """Replace ``history.csv`` as a whole."""
        if rows:
            write_csv(self.history_file, rows, digits=None)


def is_run(config: Path) -> bool:
    """Whether a ``config.json`` was written by a run, also of an earlier version, which left no mark."""
    if is_ours(config):
        return True
    try:
        ModelSpec.from_dict(json.loads(config.read_text())["spec"])
    except (OSError, ValueError, LookupError, TypeError):
        return False
    return True


def same_for_all(config: dict[str, Any]) -> dict[str, Any]:
    """What all workers of a training must agree in, as JSON gives it back."""
    return {name: value for name, value in json.loads(json_text(config)).items() if name not in OF_THE_MACHINE}


class Recorder(keras.callbacks.Callback):
    """Writes history and ``best.keras`` at the end of each epoch, and curves and ``last.keras``.

    Where epochs are shorter than ten times the writing, as with fifty pictures, curves and ``last.keras`` wait for
    that long: a kill loses an epoch or ten times a writing, whichever is longer. The history comes first and
    ``last.keras`` last: a resumed run trusts the step counter of ``last.keras`` and drops history rows beyond it.

    Args:
        folder: of the run.
        monitor: column whose best value marks ``best.keras``; ``val_loss`` where it was never defined.
        higher: whether higher values of it are better.
        start: epochs already done.
        patience: stop after so many epochs without a better value; 0 never stops.
        save_every: minutes after which ``last.keras`` is written inside an epoch; 0 never.
        averages: of the weights, which are then validated and kept as the best in their place.
        writes: whether files are written; of several workers one does.
    """

    def __init__(
        self, folder: RunFolder, monitor: str, higher: bool = False, start: int = 0, patience: int = 0,
        save_every: float = 0.0, averages: Averages | None = None, writes: bool = True,
    ):  # fmt: skip
        super().__init__()
        self.writes = writes
        self.averages = averages
        self.seconds, self._saved_at = 60.0 * save_every, monotonic()
        self.folder, self.monitor, self.sign = folder, monitor, -1.0 if higher else 1.0
        self.patience = patience
        self.due = -float("inf")  # when curves and last.keras are written next
        self.rows: list[dict[str, Any]] = folder.history(before=start)
        if writes and len(self.rows) < len(folder.history()):  # untouched, it stays older than the last checkpoint
            folder.write_history(self.rows)

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Validate with the averaged weights, where there are any."""
        if self.averages:
            self.averages.put_in()

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Put the weights that train back in their place."""
        if self.averages:
            self.averages.take_out()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write history and best model, now and then curves and ``last.keras``; stop where it gets no better."""
        values = {name: float(value) for name, value in (logs or {}).items()}
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        self.rows.append({"epoch": epoch + 1, "learning_rate": rate, **values})
        if self.writes:
            self.folder.write_history(self.rows)
        if self._best_epoch() == epoch + 1 and self.writes:
            self.on_test_begin()
            replace_file(self.folder.best, self.model.save, durable=True)
            self.on_test_end()
        stop = bool(self.patience) and epoch + 1 - self._best_epoch() >= self.patience
        if stop:
            print(f"stopped: no better {self.monitor} for {self.patience} epochs")
            self.model.stop_training = True
        last = epoch + 1 == (self.params or {}).get("epochs")
        if self.writes and (monotonic() >= self.due or last or stop):
            self._keep()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Write ``last.keras`` inside of long epochs, too."""
        if self.writes and self.seconds and monotonic() - self._saved_at >= self.seconds:
            self._save_last()

    def _keep(self) -> None:
        start = monotonic()
        replace_file(self.folder.curves, lambda target: plot_curves(self.rows, target))
        self._save_last()
        end = monotonic()
        self.due = end + PAUSE * (end - start)

    def _save_last(self) -> None:
        replace_file(self.folder.last, self.model.save, durable=True)
        self._saved_at = monotonic()

    def _best_epoch(self) -> int:
        """The first epoch with the best value so far, from the history alone; the loss decides where no value is."""
        for column, sign in ((self.monitor, self.sign), ("val_loss", 1.0)):
            values = {int(row["epoch"]): sign * float(row.get(column, "nan")) for row in self.rows}
            known = {epoch: value for epoch, value in values.items() if math.isfinite(value)}
            if known:
                return min(known, key=lambda epoch: known[epoch])
        return int(self.rows[-1]["epoch"])
