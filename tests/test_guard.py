"""Losses that are not numbers, and memory that is used up."""

import pytest

import cunet_tf as cu
from cunet_tf.errors import CUNetError
from cunet_tf.trainers.guard import SUSPECTS, StopAtNaN, memory_is_named


def test_the_first_nan_names_the_pictures_of_its_step(tiny_spec, tmp_path):
    examples = cu.Examples(cu.load_synthetic(tiny_spec.skeleton, "3:10"), tiny_spec, seed=5)
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
