"""Parts of a batch for several devices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cunet_tf.data.pipeline import Examples
from cunet_tf.data.sharing import Share
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.errors import CUNetError
from tests.networks import spec_of


@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 2), st.integers(1, 3), st.integers(1, 4))
def test_the_parts_of_all_processes_are_the_batches_of_one_device(workers, local, passes, each, steps):
    replicas = workers * local
    size = replicas * passes * each
    order = np.random.default_rng(size).permutation(steps * size)
    parts = [Share(replicas, worker * local, local, passes).training(order, size) for worker in range(workers)]
    # [worker, step, local replica, pass, picture] -> the order of one device
    joined = np.reshape(parts, (workers, steps, local, passes, each)).transpose(1, 3, 0, 2, 4)
    np.testing.assert_array_equal(joined.ravel(), order)


@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 40), st.integers(1, 60))
def test_what_is_validated_on_is_seen_once_by_somebody(workers, local, batch_size, count):
    replicas = workers * local
    shares = [Share(replicas, worker * local, local) for worker in range(workers)]
    if count < replicas:
        with pytest.raises(CUNetError, match=f"{count} pictures to validate on cannot be shared among {replicas} dev"):
            shares[0].validation(count, batch_size)
        return
    parts = [share.validation(count, batch_size) for share in shares]
    assert sorted(np.concatenate([each for part in parts for each in part])) == list(range(count))
    sizes = [len(each) for part in parts for each in part]
    assert min(sizes) >= 1 and max(sizes) <= -(-batch_size // replicas) + 1
    assert len({len(part) for part in parts}) == 1  # every process runs as many steps


def test_a_batch_that_cannot_be_shared_names_one_that_can():
    with pytest.raises(
        CUNetError, match=r"--batch_size=10 cannot be shared among 4 devices: use a multiple of 4, .* 12"
    ):
        Share(4, 0, 4).size(10)
    with pytest.raises(CUNetError, match="2 devices, of 2 passes each: use a multiple of 4, such as 8"):
        Share(2, 0, 1, passes=2).size(6)


@pytest.fixture(scope="module")
def examples():
    spec = spec_of()
    return Examples(load_synthetic(spec.skeleton, "0:21"), spec)


def arrays(data, steps):
    return [(images.numpy(), targets[0].numpy()) for images, targets in data.take(steps)]


def test_the_batches_of_two_replicas_join_to_those_of_one_device(examples):
    whole = arrays(examples.dataset(8, training=True, epoch=1), 3)  # the third is of the next epoch
    shared = arrays(examples.dataset(8, training=True, epoch=1, share=Share(2, 0, 2)), 6)
    for step, (images, targets) in enumerate(whole):
        halves = shared[2 * step : 2 * step + 2]
        np.testing.assert_array_equal(np.concatenate([each[0] for each in halves]), images)
        np.testing.assert_array_equal(np.concatenate([each[1] for each in halves]), targets)
    skipped = arrays(examples.dataset(8, training=True, epoch=1, skip=1, share=Share(2, 1, 1)), 1)
    np.testing.assert_array_equal(skipped[0][0], whole[1][0][4:])


def test_validation_of_two_replicas_sees_every_picture(examples):
    data = examples.dataset(8, share=Share(2, 0, 2))
    assert int(data.cardinality()) == 6
    batches = arrays(data, 6)
    assert [len(images) for images, _ in batches] == [4, 4, 4, 3, 3, 3]
    seen = np.concatenate([batches[index][1] for index in (0, 2, 4, 1, 3, 5)])
    np.testing.assert_array_equal(seen, np.concatenate([t for _, t in arrays(examples.dataset(21), 1)]))


def test_numpy_batches_are_filled_up_with_pictures_that_do_not_count(examples):
    images, (targets, _) = examples.batches(8, multiple=4)[2]
    assert images.shape[0] == 8 and (targets[5:] == 0).all() and (targets[:5, :, 2] == 1).any()
    np.testing.assert_array_equal(images[5:], np.repeat(images[:1], 3, axis=0))
