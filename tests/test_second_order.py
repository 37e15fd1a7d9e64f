"""Rounding by error feedback."""

import numpy as np
import pytest

from cunet_tf.export.second_order import TOLERATED, hessians, rounded_by_feedback
from cunet_tf.models.health import convolutions
from cunet_tf.quantize.functional import uniform
from tests.networks import crops, network


@pytest.fixture
def correlated(rng):
    """Inputs ``[4000, 24]`` of which neighbours go together, as channels behind a ReLU do."""
    mixed = rng.normal(size=(4000, 6)) @ rng.normal(size=(6, 24)) + 0.3 * rng.normal(size=(4000, 24))
    return np.maximum(mixed, 0.0)


@pytest.mark.parametrize("bits", [3, 4, 6])
def test_results_change_far_less_than_by_rounding_to_nearest(bits, correlated, rng):
    kernel = rng.normal(size=(1, 1, 24, 10)).astype("float32")
    found = rounded_by_feedback(kernel, correlated.T @ correlated, bits)
    np.testing.assert_allclose(uniform(found, bits), found, rtol=1e-6)  # whole numbers of steps, found again
    ours, nearest = (
        (np.square(correlated @ (each - kernel)[0, 0]).sum(0)) for each in (found, np.asarray(uniform(kernel, bits)))
    )
    assert ours.sum() < 0.5 * nearest.sum()


def test_independent_inputs_are_rounded_to_nearest(rng):
    kernel = rng.normal(size=(3, 3, 4, 5)).astype("float32")
    found = rounded_by_feedback(kernel, np.eye(36), 5)
    errors = [np.square(each - kernel).sum((0, 1, 2)) for each in (found, np.asarray(uniform(kernel, 5)))]
    assert (errors[0] <= TOLERATED * 1.001 * errors[1]).all()


def test_filters_and_inputs_of_zeros():
    kernel = np.zeros((1, 1, 3, 2), "float32")
    kernel[0, 0, :, 1] = (0.5, -0.25, 0.1)
    hessian = np.diag([1.0, 1.0, 0.0])
    for each in (hessian, np.zeros((3, 3))):
        found = rounded_by_feedback(kernel, each, 4)
        assert not found[..., 0].any() and abs(found[0, 0, 0, 1] - 0.5) < 0.06


def test_hessians_are_those_of_patches():
    """Of one picture by hand: a 1x1 convolution's, and the centre rows of a 3x3 one's, whose trace counts borders."""
    model = network()
    block = model.get_layer("unet0_neck")
    seen = {}
    keep = {layer: layer.input_quantizer for layer in (block.bottleneck, block.features)}
    for layer in keep:
        layer.input_quantizer = lambda x, layer=layer: seen.setdefault(layer.path, np.asarray(x, np.float64))
    model(crops())
    for layer, before in keep.items():
        layer.input_quantizer = before
    found = hessians(model, convolutions(model), [crops()[:1], crops()[1:]])
    rows = seen[block.bottleneck.path].reshape(-1, block.bottleneck.kernel.shape[2])
    np.testing.assert_allclose(found[block.bottleneck.path], rows.T @ rows, rtol=1e-4, atol=1e-4)
    x = seen[block.features.path]
    rows = x.reshape(-1, x.shape[-1])
    middle = slice(4 * x.shape[-1], 5 * x.shape[-1])
    np.testing.assert_allclose(found[block.features.path][middle, middle], rows.T @ rows, rtol=1e-4, atol=1e-4)
    assert all(layer.input_quantizer is None for layer in convolutions(model))
