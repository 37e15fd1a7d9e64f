"""Batch normalisations estimated anew, and corrected."""

import keras
import numpy as np
import pytest

from cunet_tf.errors import CUNetError
from cunet_tf.models.renorm import correct_norms, estimate_norms, moments, norm_layers
from tests import networks


@pytest.fixture(scope="module")
def network() -> keras.Model:
    return networks.uneven(networks.spec_of())  # of its own: its statistics change


def batches_of(rng: np.random.Generator, count: int) -> list[np.ndarray]:
    return [rng.random((4, 64, 64, 3), np.float32) for _ in range(count)]


def test_stem_has_the_moments_of_all_pictures(network, rng):
    pictures = batches_of(rng, 3)
    assert estimate_norms(network, pictures) == 3
    stem = norm_layers(network)[0]
    features = np.concatenate([np.asarray(stem._convolve(batch, stem.kernel)) for batch in pictures]).astype(np.float64)
    _, _, mean, variance = stem.bn[0]
    np.testing.assert_allclose(mean, features.mean((0, 1, 2)), atol=1e-5)
    np.testing.assert_allclose(variance, features.var((0, 1, 2)), rtol=1e-3)


def test_nothing_else_changes_and_equal_pictures_give_equal_statistics(network, rng):
    pictures = batches_of(rng, 2)
    trained = [np.array(variable) for variable in network.trainable_variables]
    estimate_norms(network, pictures)
    first = [np.array(variable) for variable in network.non_trainable_variables]
    estimate_norms(network, pictures)
    for before, variable in zip(trained, network.trainable_variables, strict=True):
        np.testing.assert_array_equal(before, variable)
    for before, variable in zip(first, network.non_trainable_variables, strict=True):
        np.testing.assert_allclose(before, variable, rtol=1e-6, atol=1e-7)


def test_inference_then_agrees_with_training_on_the_only_batch(network, rng):
    [batch] = batches_of(rng, 1)
    estimate_norms(network, [batch])
    np.testing.assert_allclose(network(batch)[-1], network(batch, training=True)[-1], atol=1e-3)


def test_both_passes_of_a_refined_network_are_estimated(rng):
    refined = networks.uneven(networks.spec_of(shape="two passes"))
    twice = [layer for layer in norm_layers(refined) if layer.bn_sets == 2]
    before = [np.array(one[2]) for layer in twice for one in layer.bn]
    estimate_norms(refined, batches_of(rng, 1))
    after = [np.array(one[2]) for layer in twice for one in layer.bn]
    assert before and all((old != new).any() for old, new in zip(before, after, strict=True))


def test_without_pictures_the_statistics_stay(network):
    before = [np.array(variable) for variable in network.non_trainable_variables]
    with pytest.raises(CUNetError, match="no pictures"):
        estimate_norms(network, [])
    for old, variable in zip(before, network.non_trainable_variables, strict=True):
        np.testing.assert_array_equal(old, variable)


def test_equal_networks_need_no_correction(network, rng):
    before = [np.array(variable) for variable in network.non_trainable_variables]
    correct_norms(network, network, batches_of(rng, 1))
    for old, variable in zip(before, network.non_trainable_variables, strict=True):
        np.testing.assert_allclose(old, variable, rtol=1e-6)


def test_a_correction_is_the_difference_that_pictures_show(network, rng):
    """Of a stem whose filters are doubled: twice the mean, four times the variance, of any statistics."""
    changed = networks.uneven(networks.spec_of())
    changed.set_weights(network.get_weights())
    stem = norm_layers(changed)[0]
    stem.kernel.assign(2.0 * stem.kernel)
    pictures = batches_of(rng, 2)
    [mean, variance], [old_mean, old_variance] = stem.bn[0][2:], norm_layers(network)[0].bn[0][2:]
    correct_norms(changed, network, pictures)
    seen = moments(network, pictures)[0][0][0]
    np.testing.assert_allclose(mean, np.asarray(old_mean) + seen, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(variance, 4.0 * np.asarray(old_variance), rtol=1e-3)
