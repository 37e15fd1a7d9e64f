"""A run that is killed and resumed ends where an undisturbed one ends, to the last bit."""

import signal
import subprocess
import sys

import numpy as np
import pytest

from cunet_tf.models.saved import load_keras
from tests.conftest import TINY_FLAGS

EPOCHS, STEPS = 3, 4
# For so few steps, tracing in each of five runs would take most of the time.
EAGER = "import tensorflow; tensorflow.config.run_functions_eagerly(True)\n"
TRAIN = ["train", "--data=synthetic", f"--split=5:{8 * STEPS + 2}", *TINY_FLAGS, "--stacks=1", "--batch_size=8",
         f"--epochs={EPOCHS}", "--val_share=0.06", "--ema=0.9", "--deterministic"]  # fmt: skip
# SIGKILL in the middle of the second epoch: no handler runs and nothing is tidied up.
KILLED = """
import os, signal, sys
from cunet_tf.cli import main
from cunet_tf.trainers.run import Recorder

def kill(self, step, logs=None):
    if len(self.rows) == 1 and step == {step}:
        os.kill(os.getpid(), signal.SIGKILL)

Recorder.on_train_batch_end = kill
main(sys.argv[1:])
"""
# As above, but last.keras is written after every step.
KILLED_INSIDE = """
import os, signal, sys
from cunet_tf.cli import main
from cunet_tf.trainers.run import Recorder
after = Recorder.on_train_batch_end

def kill(self, step, logs=None):
    after(self, step, logs)
    if len(self.rows) == 1 and step == {step}:
        os.kill(os.getpid(), signal.SIGKILL)

Recorder.on_train_batch_end = kill
main([*sys.argv[1:], "--save_every=1e-9"])
"""
# The undisturbed run first: its process is as fresh as that of the resumed one, which follows.
OTHERS = """
import sys
from cunet_tf.cli import main
whole, cut, *train = sys.argv[1:]
assert main([*train, "--workdir=" + whole]) == 0
for folder in cut.split(","):
    extra = ["--save_every=1e-9"] if folder.endswith("inside") else []
    assert main([*train, *extra, "--workdir=" + folder, "--resume"]) == 0
"""


def start(code, *arguments):
    return subprocess.run([sys.executable, "-c", EAGER + code, *arguments], capture_output=True, text=True)


def same_to_the_last_bit(whole, cut):
    ours, theirs = (load_keras(folder / "last.keras", compile=True) for folder in (whole, cut))
    for mine, other in zip(ours.variables, theirs.variables, strict=True):
        np.testing.assert_array_equal(np.asarray(mine), np.asarray(other), err_msg=f"{cut.name} {mine.path}")
    for mine, other in zip(ours.optimizer.variables, theirs.optimizer.variables, strict=True):
        np.testing.assert_array_equal(np.asarray(mine), np.asarray(other), err_msg=f"{cut.name} {mine.path}")


@pytest.mark.slow  # three processes, five trainings
def test_killed_and_resumed_equals_undisturbed(tmp_path):
    whole, cut, inside = tmp_path / "whole", tmp_path / "cut", tmp_path / "inside"
    killed = start(KILLED.format(step=STEPS // 2), *TRAIN, f"--workdir={cut}")
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
    assert len((cut / "history.csv").read_text().splitlines()) == 1 + 1
    killed = start(KILLED_INSIDE.format(step=STEPS // 2), *TRAIN, f"--workdir={inside}")
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
    done = start(OTHERS, str(whole), f"{cut},{inside}", *TRAIN)
    assert done.returncode == 0, done.stderr[-2000:]

    for folder in (cut, inside):
        same_to_the_last_bit(whole, folder)
    best = [load_keras(folder / "best.keras").get_weights() for folder in (whole, cut)]
    assert all(np.array_equal(a, b) for a, b in zip(*best, strict=True))
    assert (whole / "history.csv").read_text() == (cut / "history.csv").read_text()
    epochs = [row.split(",")[0] for row in (cut / "history.csv").read_text().splitlines()[1:]]
    assert epochs == [str(epoch + 1) for epoch in range(EPOCHS)]
    rows = (inside / "history.csv").read_text().splitlines()
    assert len(rows) == 1 + EPOCHS and rows[1] == (whole / "history.csv").read_text().splitlines()[1]
