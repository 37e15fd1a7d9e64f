"""Each kind of supervision: what it encodes it decodes, and its loss is least where the maps are right."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cunet_tf.codec import (
    DiskCodec,
    GaussianCodec,
    ReferenceCodec,
    codec_names,
    codec_of,
    codecs_of_heads,
    parse_codecs,
    with_foreground,
)
from cunet_tf.config import CUNetConfig
from cunet_tf.config_baselines import HourglassConfig
from cunet_tf.errors import CUNetError
from cunet_tf.heatmaps import REFERENCE_SIGMA, decode
from cunet_tf.losses import DetectionLoss, HeatmapLoss
from cunet_tf.presets import preset

few = settings(deadline=None, max_examples=25)
SIDE = 24
inner = arrays(np.float32, (2, 3, 2), elements=st.floats(5, SIDE - 6, width=32))
every_codec = pytest.mark.parametrize("codec", [GaussianCodec(1.2), ReferenceCodec(1.2), DiskCodec(2.0)], ids=str)
REFINED = CUNetConfig(2, 1, 8, 4, 3, levels=1, input_size=32, refinement=4)


def perfect(codec, points):
    """The maps ``[B, SIDE, SIDE, C]`` of a network that has learned its targets."""
    targets = np.asarray(codec.encode(points, SIDE))
    return 20.0 * targets - 10.0 if isinstance(codec, DiskCodec) else targets


def targets_of(points, mask=1.0):
    return np.concatenate([points, np.full((*points.shape[:2], 1), mask, "float32")], axis=-1)


# Round trips --------------------------------------------------------------------------------


@few
@given(inner, st.floats(0.9, 2.0))
def test_gaussians_come_back_to_two_hundredths_of_a_pixel(points, sigma):
    codec = GaussianCodec(sigma)
    found, scores = codec.decode(perfect(codec, points))
    np.testing.assert_allclose(found, points, atol=0.02)
    # The centre is half a pixel away from the nearest cell at most, in x and in y.
    assert scores.min() >= np.exp(-0.25 / sigma**2) - 1e-5


# So far inside that DARK's smoothing does not meet the border: these maps are no Gaussians there.
@few
@given(arrays(np.int32, (2, 3, 2), elements=st.integers(9, SIDE - 10)), st.floats(0.9, REFERENCE_SIGMA))
def test_the_references_maps_give_whole_pixels_back_exactly(cells, sigma):
    codec, points = ReferenceCodec(sigma), cells.astype(np.float32)
    found, scores = codec.decode(perfect(codec, points))
    np.testing.assert_allclose(found, points, atol=1e-4)
    np.testing.assert_array_equal(scores, 1.0)


@few
@given(inner)
def test_the_references_maps_give_other_points_back_within_half_a_pixel(points):
    codec = ReferenceCodec()
    found, _ = codec.decode(perfect(codec, points))
    assert np.abs(found - points).max() <= 0.5 + 1e-4


@few
@given(inner, st.floats(1.5, 3.0))
def test_disks_come_back_within_half_a_pixel(points, radius):
    codec = DiskCodec(radius)
    found, scores = codec.decode(perfect(codec, points))
    assert np.abs(found - points).max() <= 0.5
    np.testing.assert_allclose(scores, 1.0, atol=1e-4)


@few
@given(arrays(np.int32, (2, 3, 2), elements=st.integers(5, SIDE - 6)))
def test_disks_at_whole_pixels_come_back_exactly(cells):
    codec = DiskCodec()
    found, _ = codec.decode(perfect(codec, cells.astype(np.float32)))
    np.testing.assert_allclose(found, cells, atol=0.01)


@every_codec
def test_every_decoder_that_a_codec_names_reads_its_maps(codec, rng):
    points = rng.uniform(5, SIDE - 6, (2, 3, 2)).astype("float32")
    for decoder in codec.decoders:
        found, _ = decode(perfect(codec, points), decoder, codec.size)
        assert np.abs(found - points).max() <= 1.0


# Losses -------------------------------------------------------------------------------------


@every_codec
def test_the_right_maps_cost_least(codec, rng):
    points = rng.uniform(5, SIDE - 6, (2, 3, 2)).astype("float32")
    maps, loss = perfect(codec, points), codec.loss()
    least = float(loss(targets_of(points), maps))
    assert least == pytest.approx(0.0, abs=0.05)
    for other in (np.zeros_like(maps), -maps, perfect(codec, points + 1.0), maps + rng.normal(0, 9, maps.shape)):
        assert float(loss(targets_of(points), other.astype("float32"))) > least + 0.1


@every_codec
def test_the_gradient_raises_what_is_too_low_and_lowers_what_is_too_high(codec, rng):
    import tensorflow as tf

    points = rng.uniform(5, SIDE - 6, (2, 3, 2)).astype("float32")
    labels, maps = np.asarray(codec.encode(points, SIDE)), tf.Variable(tf.fill((2, SIDE, SIDE, 3), 0.5))
    with tf.GradientTape() as tape:
        value = codec.loss()(targets_of(points), maps)
    gradient = tape.gradient(value, maps).numpy()
    assert (gradient[labels > 0.51] < 0).all() and (gradient[labels < 0.49] > 0).all()


@every_codec
def test_masked_landmarks_cost_nothing(codec, rng):
    points = rng.uniform(5, SIDE - 6, (2, 3, 2)).astype("float32")
    maps = rng.normal(0, 1, (2, SIDE, SIDE, 3)).astype("float32")
    assert float(codec.loss()(targets_of(points, 0.0), maps)) == 0.0
    target = targets_of(points)
    target[:, 1, 2] = 0.0
    value = float(codec.loss()(target, maps))
    maps[..., 1] = 1e3
    assert float(codec.loss()(target, maps)) == value


@every_codec
def test_losses_can_be_saved(codec):
    again = keras.losses.deserialize(keras.losses.serialize(codec.loss()))
    assert again.get_config() == codec.loss().get_config()


# Names and sizes ----------------------------------------------------------------------------


@pytest.mark.parametrize("names", ["gaussian", "reference", "disk", "disk,gaussian", "reference,disk", "disk,disk"])
def test_names_there_and_back(names):
    assert codec_names(parse_codecs(names)) == names


@pytest.mark.parametrize("names", ["disc", "gaussian,disc", "", "disk,"])
def test_other_names(names):
    with pytest.raises(CUNetError, match=f"--targets={names}: (Did you mean 'disk'|Known: gaussian, reference, disk)"):
        parse_codecs(names)


def test_sizes():
    assert parse_codecs("gaussian") == (GaussianCodec(1.2),) and parse_codecs("disk") == (DiskCodec(2.0),)
    assert parse_codecs("disk", 3.0) == (DiskCodec(3.0),)
    # The last pass' size also goes to passes of the same measure, and to no other.
    assert parse_codecs("disk,gaussian", 1.5) == (DiskCodec(2.0), GaussianCodec(1.5))
    assert parse_codecs("gaussian,disk", 3.0) == (GaussianCodec(1.2), DiskCodec(3.0))
    assert parse_codecs("gaussian,reference", 1.5) == (GaussianCodec(1.5), ReferenceCodec(1.5))
    like = GaussianCodec(0.7)
    assert parse_codecs("reference", like=like) == (ReferenceCodec(0.7),)
    assert parse_codecs("disk", like=like) == (DiskCodec(2.0),)
    assert parse_codecs("reference", 1.5, like) == (ReferenceCodec(1.5),)


def test_losses_of_each_head():
    kinds = [type(codec.loss()) for codec in codecs_of_heads(parse_codecs("disk,gaussian"), REFINED)]
    assert kinds == [DetectionLoss, DetectionLoss, HeatmapLoss, HeatmapLoss]
    assert [codec.loss().radius for codec in codecs_of_heads([DiskCodec(3.0)], REFINED)] == [3.0] * 4
    assert codecs_of_heads([DiskCodec()], HourglassConfig(stacks=2)) == [DiskCodec()] * 2
    assert ReferenceCodec(2.0).loss().reference and not GaussianCodec(2.0).loss().reference
    for config in (REFINED.replace(refinement=0), HourglassConfig(stacks=2)):
        with pytest.raises(CUNetError, match="--targets=disk,gaussian: give one name"):
            codecs_of_heads(parse_codecs("disk,gaussian"), config)


def test_a_description_tells_its_supervision():
    spec = preset("face-mobile")
    assert codec_of(spec) == GaussianCodec(spec.sigma)
    assert codec_of(spec.replace(decoder="argmax", sigma=2.0)) == GaussianCodec(2.0)
    assert codec_of(spec.replace(decoder="plateau", sigma=2.5)) == DiskCodec(2.5)


def test_one_foreground_for_what_detects_and_what_regresses():
    disk, gaussian = with_foreground(parse_codecs("disk,gaussian"), 20.0)
    assert disk.loss().foreground == 21.0 and gaussian.loss().foreground == 20.0  # 1 + w of the former's own loss
    assert DiskCodec().loss().foreground == 5.0 and GaussianCodec().loss().foreground == 0.0
    points, maps = np.float32([[[7.0, 9.0, 1.0]]]), np.full((1, 16, 16, 1), -2.0, np.float32)
    losses = [float(DiskCodec(2.0, weight).loss()(points, maps)) for weight in (0.0, 4.0, 20.0)]
    inside = 13 * np.log1p(np.exp(2.0)) / 256 * 100  # the disk of radius 2 has 13 pixels
    np.testing.assert_allclose(np.diff(losses), [4 * inside, 16 * inside], rtol=1e-5)
