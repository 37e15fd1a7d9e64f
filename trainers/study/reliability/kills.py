"""A training that is killed again and again, and two trainings in one folder."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cunet_tf.errors import CUNetError
from cunet_tf.rows import Row
from cunet_tf.trainers.study.reliability.processes import Ended, run, start
from cunet_tf.writing import TEMPORARY

LATEST = 12.0  # seconds after its first checkpoint, at which a training is killed at the latest
LONGEST_WRITE = 0.15  # seconds after a checkpoint was begun
PATIENCE = 300.0  # seconds that a training has to come to its first checkpoint


def killed_training(train: list[str], folder: Path, kills: int, inside: int, seed: int) -> list[Row]:
    """SIGKILL at random moments, ``inside`` of them while a checkpoint is being written; each time ``--resume``.

    Args:
        train: verb and flags, without ``--workdir``; deterministic.
        folder: for both runs.
        kills: in all.
        inside: of them.
        seed: of the moments.

    Raises:
        CUNetError: a run failed by itself, or more kills are to fall inside than there are.
    """
    if inside > kills:
        raise CUNetError(f"--inside={inside}: give at most as many as --kills={kills}.")
    whole, cut = folder / "whole", folder / "cut"
    for run_folder in (whole, cut):
        shutil.rmtree(run_folder, ignore_errors=True)
    _require(run([*train, f"--workdir={whole}"]))
    chance, counts = random.Random(seed), {"inside": 0, "elsewhere": 0, "ended before": 0}
    for index in range(kills):
        counts[_kill(train, cut, index % (kills // inside) == 0 and index // (kills // inside) < inside, chance)] += 1
    _require(run([*train, f"--workdir={cut}", "--resume"]))
    return [
        {"figure": "SIGKILLs", "value": counts["inside"] + counts["elsewhere"]},
        {"figure": "of them inside the writing of a checkpoint", "value": counts["inside"]},
        {"figure": "trainings that ended before their kill", "value": counts["ended before"]},
        {"figure": "values of last.keras that differ from the undisturbed run's", "value": _differences(whole, cut)},
        {"figure": "files left behind by the killed", "value": len(list(cut.glob(f"{TEMPORARY}*")))},
    ]


def _kill(train: list[str], folder: Path, inside: bool, chance: random.Random) -> str:
    """Start or go on, and kill: where the blow fell."""
    before = _written(folder)
    child = start([*train, f"--workdir={folder}", "--resume"])
    if inside:
        _wait(child, lambda: any(folder.glob(f"{TEMPORARY}*.keras")), PATIENCE)
        time.sleep(chance.uniform(0.0, LONGEST_WRITE))
    else:
        _wait(child, lambda: _written(folder) != before, PATIENCE)
        _wait(child, lambda: False, chance.uniform(0.0, LATEST))
    over = child.poll() is not None
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    _, err = child.communicate()
    if over:
        _require(Ended(child.returncode, "", err, 0.0, 0.0))
        return "ended before"
    return "inside" if list(folder.glob(f"{TEMPORARY}*.keras")) else "elsewhere"


def _written(folder: Path) -> int:
    """When the last checkpoint was written, in nanoseconds; 0 where there is none."""
    try:
        return (folder / "last.keras").stat().st_mtime_ns
    except OSError:
        return 0


def _wait(child: subprocess.Popen[str], done: Callable[[], bool], seconds: float) -> None:
    """Until something is done, the child has ended, or the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and child.poll() is None and not done():
        time.sleep(0.001)


def _until_epoch(child: subprocess.Popen[str]) -> None:
    """Read its output up to the line of the first epoch."""
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith("Epoch"):
            return


def _require(ended: Ended) -> None:
    if ended.code:
        raise CUNetError(f"a training that nobody disturbed ended with code {ended.code}: {ended.message}.")


def _differences(whole: Path, cut: Path) -> int:
    """Variables of network and optimizer that are not the same to the last bit, counted by value."""
    from cunet_tf.models.saved import load_keras

    ours, theirs = (load_keras(folder / "last.keras", compile=True) for folder in (whole, cut))
    pairs = [*zip(ours.variables, theirs.variables, strict=True),
             *zip(ours.optimizer.variables, theirs.optimizer.variables, strict=True)]  # fmt: skip
    return sum(int((np.asarray(mine) != np.asarray(other)).sum()) for mine, other in pairs)


def two_trainings(train: list[str], folder: Path) -> list[Row]:
    """A second training in the folder of a running one is refused, and the first one ends well."""
    shutil.rmtree(folder / "both", ignore_errors=True)
    call = [*train, f"--workdir={folder / 'both'}"]
    first = start(call)
    _until_epoch(first)
    second, third = run(call), run([*call, "--resume"])
    _, err = first.communicate()
    return [
        {"figure": "exit code of the first training", "value": first.returncode},
        {"figure": "exit codes of two more meanwhile", "value": f"{second.code}, {third.code}"},
        {"figure": "message of the second", "value": second.message.replace(str(folder / "both"), "RUN")},
    ]
