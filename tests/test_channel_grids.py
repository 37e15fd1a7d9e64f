"""Channels on ranges of their own: what was read before is read after, and a narrow channel keeps its steps."""

import numpy as np
import pytest

from cunet_tf.export.channel_grids import COMMON, STEEPEST, settle_norms
from cunet_tf.export.deploy import deploy
from cunet_tf.export.deploy_layers import TwinConv, TwinNorm
from cunet_tf.export.fold import Kernel
from cunet_tf.export.grid_tensors import GridTensors
from tests.networks import crops, network, spec_of

WIDTHS = np.array([100.0, 1.0, 0.01, 1.0])


@pytest.fixture
def settled(rng):
    """A convolution whose channels differ in range, the normalisation that reads them, and what these gave in float."""
    tensors = GridTensors(shared=False)
    conv = TwinConv(Kernel(rng.normal(size=(1, 1, 3, 4)) * WIDTHS), None, tensors.get("conv output", None))
    scale = np.array([1.0, -1.0, 1.0, 0.5]) / WIDTHS
    norm = TwinNorm(scale, np.array([0.1, 0.2, 0.3, -0.1]), tensors.get("norm input", None), shared=False)
    tensors.norms.append(norm)
    x = np.float32(rng.normal(size=(4, 8, 8, 3)))
    tensors.trace(True)
    norm([conv(x[:1])])
    tensors.trace(False)
    expected = np.asarray(norm([conv(x)]))
    tensors.observe(True)
    for image in x:
        norm([conv(image[None])])
    tensors.observe(False)
    settle_norms(tensors)
    norm.grid_tensor.grid = None  # what is behind the normalisation is another matter
    return conv, norm, x, expected


def test_each_channel_fills_the_grid(settled):
    conv, _, x, _ = settled
    y = np.asarray(conv(x))
    assert conv.grid_tensor.grid is COMMON
    assert y.max((0, 1, 2)) == pytest.approx(COMMON.limits[1], abs=0.05)
    assert y.min((0, 1, 2))[1] == pytest.approx(-1.0, abs=0.05)  # its reader falls: nothing may be cut off


def test_what_is_read_stays_and_narrow_channels_keep_their_steps(settled):
    conv, norm, x, expected = settled
    np.testing.assert_allclose(np.asarray(norm([conv(x)])), expected, atol=0.05)  # of values to 3, in every channel


def test_what_no_reader_looks_at_takes_no_room(settled):
    conv, _, x, expected = settled
    off = expected[..., 0] == 0.0  # the ReLU behind the normalisation
    assert off.any() and np.all(np.asarray(conv(x))[..., 0][off] <= -1.0 + 0.02)


def test_a_channel_that_hardly_moves_is_stretched_so_far_and_no_further():
    tensors = GridTensors(shared=False)
    conv = TwinConv(Kernel(np.ones((1, 1, 1, 1))), None, tensors.get("conv output", None))
    norm = TwinNorm(np.ones(1), np.ones(1), tensors.get("norm input", None), shared=False)
    tensors.norms.append(norm)
    still = np.full((1, 2, 2, 1), 1e-6, np.float32)
    tensors.trace(True)
    norm([conv(still)])
    tensors.trace(False)
    tensors.observe(True)
    norm([conv(still)])
    tensors.observe(False)
    settle_norms(tensors)
    assert conv.peak[0] <= STEEPEST


def test_trained_grids_stay(rng):
    quantized = deploy(network("TW-QIG(828)"), spec_of("TW-QIG(828)"))
    assert quantized.grid_tensors.norms == []
    floats = deploy(network(), spec_of())
    before = floats(crops())
    floats.calibrate(crops())
    assert (
        len(floats.grid_tensors.norms) and np.abs(floats(crops()) - before).max() < 0.05 * np.abs(before).max() + 0.05
    )
