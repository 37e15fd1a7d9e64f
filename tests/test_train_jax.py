"""A training for a given time under JAX: its learning rate, its feed, and one real run on drawn faces."""

import csv
import math
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cunet_tf.data import worker_pool
from cunet_tf.data.pipeline import Examples
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.errors import CUNetError
from cunet_tf.models.saved import load_keras
from cunet_tf.schedules import WarmUp
from cunet_tf.trainers.recipes import FACE_MOBILE
from cunet_tf.trainers.study.train_jax import feed
from cunet_tf.trainers.study.train_jax.__main__ import main
from cunet_tf.trainers.study.train_jax.pace import LEAST, Pace, TimedCosine
from tests.conftest import TINY_FLAGS
from tests.networks import crops, spec_of, uneven

DATA = ["--data=synthetic", "--split=3:20", "--val_split=4:8", *TINY_FLAGS, "--stacks=1", "--batch_size=8"]

# The learning rate ---------------------------------------------------------------------------


def test_a_cosine_over_the_time_after_a_rise_over_steps():
    schedule = TimedCosine(2e-3, seconds=100.0, warmup=4)
    np.testing.assert_allclose(schedule.rates(0, 6, 0.0), 2e-3 * np.array([0.25, 0.5, 0.75, 1, 1, 1]), rtol=1e-6)
    np.testing.assert_allclose(schedule.rates(500, 2, 50.0), [1e-3, 1e-3], rtol=1e-6)
    np.testing.assert_allclose(schedule.rates(900, 1, 75.0), [2e-3 * (1 - math.sqrt(0.5)) / 2], rtol=1e-6)
    assert schedule.rates(990, 3, 100.0).max() == schedule.rates(990, 3, 101.0).max() == 0.0
    assert schedule.rates(0, 3, 0.0).dtype == np.float32 and schedule.progress(101.0) == 1.0


@given(steps=st.integers(20, 200), warmup=st.integers(2, 10), share=st.floats(0, 1))
def test_steps_of_equal_length_get_the_rates_of_cunet_train(steps, warmup, share):
    step = min(int(share * steps), steps - 1)
    theirs = WarmUp(replace(FACE_MOBILE, learning_rate=1e-3).schedule(steps, 1), warmup)(step)
    ours = TimedCosine(1e-3, seconds=float(steps), warmup=warmup).rates(step, 1, float(step))
    np.testing.assert_allclose(ours, [float(theirs)], rtol=1e-4, atol=1e-9)


def test_the_time_that_is_left():
    pace = Pace(minutes=2.0)
    assert pace.seconds_left(passed=30.0, reserve=10.0) == 80.0
    assert pace.seconds_left(passed=300.0, reserve=10.0) == LEAST
    for wrong in ({"minutes": 0.0}, {"minutes": 1.0, "cache": -1.0}, {"minutes": 1.0, "workers": 0}):
        with pytest.raises(CUNetError, match="--(minutes|workers)="):
            Pace(**wrong)


# The feed ------------------------------------------------------------------------------------


@pytest.fixture
def examples(monkeypatch) -> Examples:
    """Twenty drawn faces; the feed's workers are threads here."""
    made = Examples(load_synthetic(spec_of().skeleton, "3:20"), spec_of(), FACE_MOBILE.augmentation, seed=1)
    monkeypatch.setattr(worker_pool, "_examples", [made], raising=False)
    monkeypatch.setattr(worker_pool, "ProcessPoolExecutor", lambda count, *_: ThreadPoolExecutor(count))
    return made


def test_chunks_are_the_batches_of_cunet_train_epoch_after_epoch(examples):
    with feed.Feed(examples, 8, Pace(1.0, chunk=3, workers=2)) as batches:
        assert batches.steps == 2
        chunks = [batches.chunk() for _ in range(2)]
    images, targets = (np.concatenate(each) for each in zip(*chunks, strict=True))
    assert images.shape == (6, 8, 64, 64, 3) and images.dtype == np.uint8 and targets.shape == (6, 8, 68, 3)
    for epoch in range(3):
        own = examples.batches(8, training=True, heads=1, epoch=epoch)
        for step in range(2):
            expected, (target,) = own[step]
            np.testing.assert_allclose(images[2 * epoch + step] / 255.0, expected, atol=0.51 / 255.0)
            np.testing.assert_array_equal(targets[2 * epoch + step], target)


def test_a_picture_that_cannot_be_read_is_named(examples, monkeypatch, tmp_path):
    broken = replace(examples.source.samples[0], picture=tmp_path / "lost.jpg")
    source = replace(examples.source, samples=[broken] * 8)
    monkeypatch.setattr(worker_pool, "_examples", [replace(examples, source=source)])
    with feed.Feed(examples, 8, Pace(1.0)) as batches, pytest.raises(CUNetError, match=r"lost\.jpg") as caught:
        batches.chunk()
    assert type(caught.value) is CUNetError  # other kinds do not travel between processes


# The command ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "flags, words",
    [
        (["--preset=face-mobile"], "give --minutes"),
        ([*DATA, "--minutes=1"], "Keras runs on tensorflow"),
        (["--minutes=1", "--preset=face-mobile"], "name a data set with --data"),
        ([*DATA, "--minutes=1", "--name=taken"], "taken.csv exists and was not written by cunet"),
    ],
)
def test_bad_input(flags, words, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")  # the command would set it, for the tests that follow as well
    (tmp_path / "taken.csv").write_text("mine\n")
    assert main(["train_jax", f"--out={tmp_path}", *flags]) == 2
    assert words in capsys.readouterr().err


# In one process, as each costs seconds: a run, then a chunk of it as one loop on the device against Keras' own steps.
SCRIPT = """
import sys, numpy as np
sys.modules["tensorflow"] = None  # it is not needed, and Keras would import it for its seed
from cunet_tf.trainers.study.train_jax.__main__ import main
code = main(["train_jax", *sys.argv[2:]])
if code:
    sys.exit(code)
import cunet_tf as cu
from cunet_tf.trainers.fit import compile_model
from cunet_tf.trainers.recipes import FACE_MOBILE, rmsprop
from cunet_tf.trainers.study.train_jax.device import Steps
model = cu.load_keras(sys.argv[1])
compile_model(model, model.spec, rmsprop(1e-3), FACE_MOBILE.codecs)
rng = np.random.default_rng(0)
images = rng.integers(0, 256, (2, 4, 64, 64, 3), dtype=np.uint8)
targets = np.concatenate([15 * rng.random((2, 4, 68, 2)), np.ones((2, 4, 68, 1))], -1).astype("float32")
model.test_on_batch(images[0] / 255.0, [targets[0]])
steps = Steps(model, scan=True)
def trained():
    return [np.array(each.value) for each in model.trainable_variables]
def apart(ones, others):
    return sum(float(np.abs(one - other).sum()) for one, other in zip(ones, others, strict=True))
before, steps, theirs = trained(), Steps(model, scan=True), []
for image, target, rate in zip(images, targets, (1e-3, 2e-3)):
    model.optimizer.learning_rate = rate
    theirs.append(float(model.train_on_batch((image / 255.0).astype("float32"), [target])[0]))
expected = trained()
logs = steps(images, targets, np.array([1e-3, 2e-3], "float32"))
steps.install()
np.testing.assert_allclose(float(logs["loss"]), np.mean(theirs), rtol=1e-2)
ours = trained()
assert apart(ours, expected) < 0.05 * apart(before, expected), (apart(ours, expected), apart(before, expected))
steps(images, targets, np.zeros(2, "float32"))
steps.install()
assert apart(ours, trained()) == 0.0
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run of some seconds with a teacher and an average, and what was printed."""
    folder = tmp_path_factory.mktemp("timed")
    uneven(spec_of(shape="small")).save(folder / "teacher.keras")
    flags = [*DATA, "--minutes=0.01", "--chunk=2", "--checks=2", "--workers=1", "--warmup=4", "--foreground=20",
             "--ema=0.9", f"--teacher={folder}/teacher.keras", f"--out={folder}", "--name=mine"]  # fmt: skip
    environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
    environment.pop("KERAS_BACKEND", None)
    command = [sys.executable, "-c", SCRIPT, str(folder / "mine.keras"), *flags]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-1500:]
    return folder, done.stdout


@pytest.mark.slow  # as of test_jax.py
def test_the_file_is_described_and_loads_under_tensorflow(run):
    folder, printed = run
    model = load_keras(folder / "mine.keras")
    assert (model.spec.name, model.spec.preset, model.spec.data) == ("mine", "face-mobile", "synthetic 3:20")
    assert np.isfinite(np.asarray(model(crops())[-1])).all()
    assert "5 s to train" in printed and f"{folder}/mine.keras and {folder}/mine.csv" in printed


@pytest.mark.slow
def test_a_row_for_each_check_and_the_rate_ends_at_zero(run):
    folder, _ = run
    rows = list(csv.DictReader((folder / "mine.csv").read_text().splitlines()))
    assert {"epoch", "step", "seconds", "waited", "loss", "nme", "val_loss", "val_nme"} <= set(rows[0])
    assert float(rows[-1]["learning_rate"]) == 0.0 and float(rows[-1]["val_nme"]) > 0
    for row in rows:
        assert float(row["epoch"]) == int(row["step"]) / 2 and int(row["step"]) % 2 == 0
    assert not list(folder.glob(".tmp-*"))
