"""A run that is killed and resumed ends where an undisturbed one ends, to the last bit."""

import os
import signal
import subprocess
import sys
import time

import numpy as np

from cunet_tf.models.saved import load_keras
from tests.conftest import TINY_FLAGS

EPOCHS, STEPS = 3, 12
COMMAND = [sys.executable, "-m", "cunet_tf", "train", "--data=synthetic", f"--split=5:{8 * STEPS + 4}", *TINY_FLAGS,
           "--stacks=1", "--batch_size=8", f"--epochs={EPOCHS}", "--val_share=0.04", "--ema=0.9",
           "--deterministic"]  # fmt: skip


def start(workdir, *flags):
    return subprocess.Popen(
        [*COMMAND, f"--workdir={workdir}", *flags], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def finish(process):
    output = process.communicate(timeout=300)[0].decode()
    assert process.returncode == 0, output[-2000:]


def kill_in_second_epoch(process, workdir):
    """SIGKILL soon after the first checkpoint is complete, in the middle of an epoch."""
    deadline = time.time() + 120
    while not (workdir / "last.keras").exists():
        assert time.time() < deadline and process.poll() is None
        time.sleep(0.02)
    time.sleep(0.15)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def test_killed_and_resumed_equals_undisturbed(tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    undisturbed = start(whole)
    killed = start(cut)
    kill_in_second_epoch(killed, cut)
    finish(undisturbed)
    rows_before = len((cut / "history.csv").read_text().splitlines()) - 1
    assert 1 <= rows_before < EPOCHS, "the run was over before it was killed"
    finish(start(cut, "--resume"))

    ours, theirs = (load_keras(folder / "last.keras", compile=True) for folder in (whole, cut))
    for mine, other in zip(ours.variables, theirs.variables, strict=True):
        np.testing.assert_array_equal(np.asarray(mine), np.asarray(other), err_msg=mine.path)
    for mine, other in zip(ours.optimizer.variables, theirs.optimizer.variables, strict=True):
        np.testing.assert_array_equal(np.asarray(mine), np.asarray(other), err_msg=mine.path)
    best = [load_keras(folder / "best.keras").get_weights() for folder in (whole, cut)]
    assert all(np.array_equal(a, b) for a, b in zip(*best, strict=True))
    assert (whole / "history.csv").read_text() == (cut / "history.csv").read_text()
    epochs = [row.split(",")[0] for row in (cut / "history.csv").read_text().splitlines()[1:]]
    assert epochs == [str(epoch) for epoch in range(EPOCHS)]
