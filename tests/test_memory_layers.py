"""The stem under a memory mode: kept is the picture, and where each maximum was."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from cunet_tf.memory.layers import BatchNorm, MaxPool, Rectifier, StemConv
from cunet_tf.memory.names import MemoryConfig
from cunet_tf.models.normalize import EPSILON, MOMENTUM


def stem(memory):
    keras.utils.set_random_seed(1)
    layers = [
        StemConv(6, 3, 2, use_bias=False), BatchNorm(momentum=MOMENTUM, epsilon=EPSILON), Rectifier(), MaxPool(2)
    ]  # fmt: skip
    for layer in layers:
        layer.memory = MemoryConfig.parse(memory)
    return layers


def run(layers, images, training=True):
    x = images
    for layer in layers:
        x = layer(x, training=training) if isinstance(layer, (StemConv, BatchNorm)) else layer(x)
    return x


@pytest.mark.parametrize("memory", ["recompute", "compressed", "both"])
def test_the_stem_is_never_rounded(memory, rng):
    images = tf.constant(rng.random((3, 17, 17, 3)), tf.float32)
    found = []
    for mode in ("none", memory):
        layers = stem(mode)
        with tf.GradientTape() as tape:
            y = run(layers, tf.identity(images))
            total = tf.reduce_sum(y**3)
        conv, norm = layers[:2]
        trained = [conv.kernel.value, norm.gamma.value, norm.beta.value]
        found.append([y, *tape.gradient(total, trained), norm.moving_mean, norm.moving_variance])
    for plain, ours in zip(*found, strict=True):
        assert np.linalg.norm(ours - plain) <= 1e-4 * np.linalg.norm(plain)


def test_prediction_is_plain(rng):
    images = tf.constant(rng.random((1, 17, 17, 3)), tf.float32)
    np.testing.assert_array_equal(run(stem("both"), images, False), run(stem("none"), images, False))


@pytest.mark.parametrize("kind", [StemConv, BatchNorm, Rectifier, MaxPool])
def test_configuration_has_no_memory(kind):
    layer = kind(4, 3) if kind is StemConv else kind()
    assert "memory" not in layer.get_config()
    assert type(kind.from_config(layer.get_config())) is kind
