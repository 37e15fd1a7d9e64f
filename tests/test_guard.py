"""Losses that are not numbers, and memory that is used up."""

import re

import numpy as np
import pytest

import cunet_tf as cu
from cunet_tf.errors import CUNetError
from cunet_tf.trainers.guard import (
    SUSPECTS,
    StopAtNaN,
    StopWhenTold,
    lost_workers_are_named,
    memory_is_named,
    pictures_are_named,
)


@pytest.fixture
def examples(tiny_spec):
    return cu.Examples(cu.load_synthetic(tiny_spec.skeleton, "3:10"), tiny_spec, seed=5)


def test_the_first_nan_names_the_pictures_of_its_step(examples, tmp_path):
    guard = StopAtNaN(examples, 4, tmp_path)
    guard.on_epoch_begin(2)
    guard.on_train_batch_end(0, {"loss": 3.0})
    assert not (tmp_path / SUSPECTS).exists()
    with pytest.raises(CUNetError, match="not a number in epoch 3, step 2: .*nan_pictures.txt"):
        guard.on_train_batch_end(1, {"loss": float("nan")})
    names = (tmp_path / SUSPECTS).read_text().split()
    assert names == [examples.source.samples[int(index)].name for index in examples.order(2, True)[4:8]]


class ResourceExhaustedError(Exception):
    """As TensorFlow's is called."""


@pytest.mark.parametrize(
    "error", [MemoryError(), ResourceExhaustedError("OOM"), RuntimeError("RESOURCE_EXHAUSTED: 3 GB")]
)
def test_used_up_memory_says_what_to_lower(error):
    words = "out of memory with --batch_size=16: lower it, .*--memory=recompute"
    with pytest.raises(CUNetError, match=words), memory_is_named(16):
        raise error


def test_other_errors_stay_what_they_are():
    with pytest.raises(ValueError, match="odd"), memory_is_named(16):
        raise ValueError("odd")


@pytest.mark.parametrize("loss", [float("inf"), -float("inf"), np.float32("nan")])
def test_infinite_losses_end_a_training_too(examples, tmp_path, loss):
    with pytest.raises(CUNetError, match="epoch 1, step 1"):
        StopAtNaN(examples, 4, tmp_path).on_train_batch_end(0, {"loss": loss})
    assert len((tmp_path / SUSPECTS).read_text().splitlines()) == 4


def test_a_step_that_says_no_loss_goes_on(examples, tmp_path):
    guard = StopAtNaN(examples, 4, tmp_path)
    for logs in (None, {}, {"nme": float("nan")}, {"loss": 0.0}):
        guard.on_train_batch_end(0, logs)
    assert not list(tmp_path.iterdir())


def test_a_signal_that_was_swallowed_ends_a_validation_as_well(monkeypatch):
    callback = StopWhenTold()
    callback.on_test_batch_end(0)
    callback.on_train_batch_end(0)
    monkeypatch.setattr("cunet_tf.signals._told", [15])
    for each in (callback.on_test_batch_end, callback.on_train_batch_end):
        with pytest.raises(KeyboardInterrupt):
            each(0)


def test_the_first_picture_that_failed_is_named_and_not_what_the_threads_made_of_it(examples):
    for failures in ([], [CUNetError("a.jpg: gone."), CUNetError("b.jpg: cut.")]):
        examples.failures[:] = failures
        words = "^a.jpg: gone. Finished epochs are kept: mend it and add --resume" if failures else "a wrapped trace"
        with pytest.raises(CUNetError if failures else RuntimeError, match=words), pictures_are_named([examples]):
            raise RuntimeError("a wrapped trace")
    with pytest.raises(KeyboardInterrupt), pictures_are_named([examples]):  # Ctrl-C is no fault of a picture
        raise KeyboardInterrupt


class UnavailableError(Exception):
    """As TensorFlow's is called."""


@pytest.mark.parametrize(
    "error, lost",
    [
        (UnavailableError("Collective ops is aborted by: worker 1"), True),
        (UnavailableError("Socket closed"), True),
        (UnavailableError("the moon"), False),
        (RuntimeError("Connection reset by peer"), False),
        (CUNetError("the task is not there"), False),
    ],
)
def test_only_what_tells_of_a_lost_worker_is_taken_for_one(error, lost):
    words = "another worker is gone or has stopped .UnavailableError.: .*--resume" if lost else re.escape(str(error))
    with pytest.raises(CUNetError if lost else type(error), match=words), lost_workers_are_named():
        raise error
