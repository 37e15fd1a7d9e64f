"""Batches for Keras' other backends come in their order, whatever Keras looks at before."""

import numpy as np
import pytest
from keras.src.trainers.epoch_iterator import EpochIterator  # how fit takes them under every backend but TensorFlow

from cunet_tf.data.augment import Augmentation
from cunet_tf.data.pipeline import Examples
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.errors import CUNetError
from tests.networks import spec_of


@pytest.fixture(scope="module")
def examples():
    spec = spec_of()
    return Examples(load_synthetic(spec.skeleton, "0:22"), spec, Augmentation(rotation=10), seed=3)


def expected(examples, epoch, batch_size=4):
    order = examples.order(epoch, True)
    chosen = [order[start : start + batch_size] for start in range(0, 22 - batch_size + 1, batch_size)]
    return [examples.make_batch(epoch, each)[0] for each in chosen]


def test_fit_sees_each_epoch_in_its_order_although_it_looks_ahead(examples):
    iterator = EpochIterator(x=examples.batches(4, training=True, epoch=1), steps_per_epoch=5, shuffle=False)
    for _, _, _data in iterator:  # fit builds metrics by a first batch
        break
    iterator.reset()
    for epoch in (1, 2):
        found = [data[0][0] for _, _, data in iterator]
        for ours, theirs in zip(found, expected(examples, epoch), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_an_epoch_that_was_cut_begins_anew(examples):
    data = examples.batches(4, training=True)
    first = [data[0][0], data[1][0]]
    data.on_epoch_end()
    np.testing.assert_array_equal(data[1][0], first[1])
    assert [data[item] for item in range(data.num_batches)]
    data.on_epoch_end()
    assert data.epoch == 1 and not np.array_equal(data[0][0], first[0])


def test_validation_stays_as_it_is(examples):
    data = examples.batches(8)
    first = [data[item][0] for item in range(data.num_batches)]
    data.on_epoch_end()
    assert data.epoch == 0 and [len(each) for each in first] == [8, 8, 6]
    np.testing.assert_array_equal(data[2][0], first[2])


def test_a_picture_that_fails_is_told_where_it_is_asked_for(examples, monkeypatch):
    def fail(self, epoch, indices):
        raise CUNetError("lost.jpg: gone")

    monkeypatch.setattr(Examples, "make_batch", fail)
    with pytest.raises(CUNetError, match="lost.jpg: gone"):
        examples.batches(4)[0]
