"""Configurations of a sweep and their folders.

The state of a sweep is what lies in its folder, so it can be stopped at any moment.
"""

import csv
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cunet_tf.errors import CUNetError
from cunet_tf.quantize.names import EXAMPLES, QuantConfig


@dataclass(frozen=True)
class Job:
    """One configuration: its run in ``folder``, the output of its processes in ``log``."""

    quant: QuantConfig
    folder: Path

    @property
    def name(self) -> str:
        """The canonical name of the quantization."""
        return str(self.quant)

    @property
    def log(self) -> Path:
        """The file beside the folder."""
        return self.folder.with_name(f"{self.folder.name}.log")

    @property
    def best(self) -> Path:
        """The checkpoint that is evaluated."""
        return self.folder / "best.keras"

    def config(self) -> dict[str, Any]:
        """``config.json`` of the run; empty before it has started."""
        return _read_json(self.folder / "config.json")

    def trained(self) -> bool:
        """Whether the history has every epoch and the last checkpoint was written after it."""
        config, history = self.config(), self.folder / "history.csv"
        last = self.folder / "last.keras"
        if not (config and history.exists() and last.exists() and self.best.exists()):
            return False
        with history.open(newline="") as file:
            epochs = len(list(csv.DictReader(file)))
        same = config["spec"]["quant"] == self.name
        return same and epochs >= config["epochs"] and last.stat().st_mtime >= history.stat().st_mtime

    def mark_trained(self) -> None:
        """Call after a training that ended well: the last checkpoint counts as newer than the history.

        A resumed run that finds nothing to do writes the history only.
        """
        (self.folder / "last.keras").touch()

    def evaluation(self, split: str, box: str) -> dict[str, Any]:
        """What ``cunet evaluate`` found on this split; empty when the run is not finished, or newer."""
        file = self.folder / "evaluation.json"
        found = _read_json(file) if self.trained() else {}
        current = found and (found["split"], found["box"]) == (split, box)
        return found if current and file.stat().st_mtime >= self.best.stat().st_mtime else {}


def parse_quants(text: str) -> list[QuantConfig]:
    """Names between commas; a comma inside parentheses, as in ``BW-QIG(8,1,32)``, belongs to the name.

    Raises:
        CUNetError: an empty name, or one that is not known.
    """
    names = [name.strip() for name in re.split(r",(?![^()]*\))", text)]
    if not all(names):
        raise CUNetError(f"--quants={text}: a name is empty: give names such as {EXAMPLES}.")
    return [QuantConfig.parse(name) for name in names]


def make_jobs(quants: list[QuantConfig], workdir: str | Path) -> list[Job]:
    """One job for each configuration.

    Raises:
        CUNetError: a configuration is given twice, or two would share a folder.
    """
    jobs: dict[str, Job] = {}
    for quant in quants:
        folder = folder_name(str(quant))
        if folder in jobs:
            raise CUNetError(f"--quants: {quant} and {jobs[folder].name} are the same or share a folder: drop one.")
        jobs[folder] = Job(quant, Path(workdir) / folder)
    return list(jobs.values())


def folder_name(quant: str) -> str:
    """A quantization's name without characters that mean something to a shell."""
    return re.sub(r"[^A-Za-z0-9.=-]+", "_", quant).strip("_")


def shown_path(path: str) -> str:
    """A path as it may stand in a published table: of a place on one machine only the last part."""
    return Path(path).name if Path(path).is_absolute() or ".." in Path(path).parts else path


def same_settings(workdir: Path, settings: dict[str, Any]) -> None:
    """Keep what all runs of a folder share in ``sweep.json``.

    Raises:
        CUNetError: the folder holds runs with other settings.
    """
    file = workdir / "sweep.json"
    settings = json.loads(json.dumps(settings))
    old = _read_json(file) if any(workdir.glob("*/history.csv")) else {}
    for name, value in old.items():
        if settings.get(name) != value:
            raise CUNetError(
                f"--{name} was {value!r} in {file} and is {settings.get(name)!r} now: "
                "use the same, or another --workdir."
            )
    workdir.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(settings, indent=2) + "\n")


def _read_json(file: Path) -> dict[str, Any]:
    """Empty when the file is absent, or was cut short by a stop."""
    try:
        return json.loads(file.read_text()) if file.is_file() else {}
    except ValueError:
        return {}
