import keras
import numpy as np
import pytest

from cunet_tf.memory.strategy import Memory
from cunet_tf.models.concat_conv import ConcatBNReLUConv
from cunet_tf.models.convolution import FanInUniform
from cunet_tf.models.layers import SemanticBlock, Upsample2x, _doubled
from cunet_tf.models.normalize import EPSILON, MOMENTUM


@keras.saving.register_keras_serializable("cunet_tf_tests")
class Halve(keras.layers.Layer):
    def call(self, x):
        return 0.5 * x


@pytest.fixture
def parts(rng):
    return [rng.normal(0.2, 1.0, (3, 8, 8, c)).astype("float32") for c in (5, 2, 4)]


def reference(parts, layer, training):
    """concat-BN-ReLU-conv1x1 in NumPy."""
    z = np.concatenate(parts, axis=-1)
    gamma, beta, mean, variance = (np.asarray(v) for v in layer.bn[0])
    if training:
        mean, variance = z.mean(axis=(0, 1, 2)), z.var(axis=(0, 1, 2))
    normed = (z - mean) / np.sqrt(variance + EPSILON) * gamma + beta
    return np.maximum(normed, 0) @ np.asarray(layer.kernel)[0, 0]


@pytest.mark.parametrize("training", [False, True])
def test_layer_is_concat_bn_relu_conv(parts, training):
    layer = ConcatBNReLUConv(7, gamma_init="uniform")
    layer.build([p.shape for p in parts])
    expected = reference(parts, layer, training)
    np.testing.assert_allclose(layer(parts, training=training), expected, atol=1e-4)


def test_moving_statistics_move_once_per_training_call(parts):
    layer = ConcatBNReLUConv(4)
    layer(parts, training=True)
    z = np.concatenate(parts, axis=-1)
    _, _, mean, variance = layer.bn[0]
    np.testing.assert_allclose(mean, (1 - MOMENTUM) * z.mean(axis=(0, 1, 2)), atol=1e-5)
    np.testing.assert_allclose(variance, MOMENTUM + (1 - MOMENTUM) * z.var(axis=(0, 1, 2)), rtol=1e-4)
    before = np.asarray(mean)
    layer(parts, training=False)
    np.testing.assert_array_equal(before, mean)


def test_frozen_layer_keeps_its_statistics(parts):
    layer = ConcatBNReLUConv(4)
    layer.build([p.shape for p in parts])
    layer.trainable = False
    layer(parts, training=True)
    np.testing.assert_array_equal(layer.bn[0][2], np.zeros(11))


def test_bn_sets_are_independent_and_keep_variable_paths(parts):
    layer = ConcatBNReLUConv(4, bn_sets=2, name="one")
    layer(parts, training=True, bn_set=1)
    assert not np.asarray(layer.bn[0][2]).any() and np.asarray(layer.bn[1][2]).any()
    plain = ConcatBNReLUConv(4, name="one")
    plain.build([p.shape for p in parts])
    assert {v.path for v in plain.variables} < {v.path for v in layer.variables}


def test_a_checkpoint_of_one_bn_set_loads_into_two(parts, tmp_path):
    one, two = (ConcatBNReLUConv(4, bn_sets=count, gamma_init="uniform", name="one") for count in (1, 2))
    expected = np.asarray(one(parts))
    two.build([p.shape for p in parts])
    store = {}
    one.save_own_variables(store)
    two.load_own_variables(store)
    for bn_set in (0, 1):
        np.testing.assert_allclose(two(parts, bn_set=bn_set), expected, atol=1e-6)


def test_each_hook_is_applied_once(parts):
    plain = ConcatBNReLUConv(4, kernel_size=3)
    base = np.asarray(plain(parts))
    for hook in ("input_quantizer", "kernel_quantizer", "output_quantizer"):
        layer = ConcatBNReLUConv(4, kernel_size=3, **{hook: Halve()})
        layer.build([p.shape for p in parts])
        layer.kernel.assign(plain.kernel)
        np.testing.assert_allclose(layer(parts), 0.5 * base, atol=1e-5)
        again = ConcatBNReLUConv.from_config(layer.get_config())
        assert isinstance(getattr(again, hook), Halve)


def test_the_training_pass_goes_through_the_memory(parts):
    calls = []

    class Recording(Memory):
        def recompute(self, function, *args, exact=False):
            calls.append(len(args))
            return function(*args)

    layer = ConcatBNReLUConv(4)
    layer.memory = Recording()
    layer(parts, training=False)
    layer(parts, training=True)
    assert calls == [len(parts) + 3]  # gamma, beta, kernel


def test_semantic_block_outputs(parts):
    block = SemanticBlock(6, 2, with_skip=True)
    outputs = block(parts)
    assert [tuple(o.shape) for o in outputs] == [(3, 8, 8, 2), (3, 8, 8, 6), (3, 8, 8, 6)]
    features = np.asarray(block.features(block.bottleneck(parts)))
    np.testing.assert_allclose(outputs[0], features, atol=1e-6)
    np.testing.assert_allclose(outputs[1], block.ahead([*parts, features]), atol=1e-5)
    assert block.bottleneck.filters == 8  # 4n, not the text's 4m
    assert block.compute_output_shape([p.shape for p in parts]) == [tuple(o.shape) for o in outputs]


def test_upsampling_repeats_pixels(rng):
    x = rng.normal(size=(2, 3, 3, 2)).astype("float32")
    np.testing.assert_array_equal(Upsample2x()(x), x.repeat(2, axis=1).repeat(2, axis=2))
    np.testing.assert_array_equal(_doubled(x), x.repeat(2, axis=1).repeat(2, axis=2))


def test_initialiser_stays_within_the_fan_in_bound():
    values = np.asarray(FanInUniform(seed=1)((3, 3, 50, 40)))
    limit = 450**-0.5
    assert np.abs(values).max() <= limit
    assert values.std() == pytest.approx(limit / 3**0.5, rel=0.02)
    assert values.mean() == pytest.approx(0.0, abs=limit / 50)
