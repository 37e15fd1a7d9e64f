"""Networks under each memory mode: the same training, in float rounding."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from cunet_tf.codec import GaussianCodec
from cunet_tf.config import CUNetConfig
from cunet_tf.config_baselines import HourglassConfig
from cunet_tf.errors import CUNetError
from cunet_tf.memory.apply import set_memory
from cunet_tf.models.build import build_network
from cunet_tf.models.saved import load_keras

ONE = CUNetConfig(1, 0, 8, 4, 5, levels=1, input_size=32)
TWO = ONE.replace(stacks=2, order=1)


@pytest.fixture
def rng():
    """Data with which no ReLU is so near its kink that rounding decides: one that flips moves all that follows."""
    return np.random.default_rng(1)


@pytest.fixture
def images(rng):
    return rng.random((4, 32, 32, 3), dtype=np.float32)


@pytest.fixture
def points(rng):
    return np.concatenate([rng.random((4, 5, 2)) * 8, np.ones((4, 5, 1))], axis=-1).astype("float32")


def made(config, memory, quant="float"):
    keras.utils.set_random_seed(0)
    return build_network(config, quant, memory)


def gradient(config, memory, images, quant="float"):
    """The whole gradient of a squared error, as one vector."""
    model = made(config, memory, quant)

    @tf.function
    def step(images):
        with tf.GradientTape() as tape:
            loss = tf.add_n([tf.reduce_mean(tf.square(maps - 0.1)) for maps in model(images, training=True)])
        return tape.gradient(loss, [variable.value for variable in model.trainable_variables])

    return np.concatenate([np.ravel(part) for part in step(images)])


def difference(config, memory, images, quant="float"):
    """Relative difference of the gradient from the one without a memory mode."""
    plain = gradient(config, "none", images, quant)
    return np.linalg.norm(gradient(config, memory, images, quant) - plain) / np.linalg.norm(plain)


STEPS = 6  # rounding grows: a picture moved by its last bit moves the loss by 3e-7 at step 6, by 7e-5 at step 19


def trained(config, memory, images, points, steps=STEPS, jit_compile=False):
    """Losses of ``steps`` steps of ``fit``, and the variables after them."""
    model = made(config, memory)
    optimizer = keras.optimizers.SGD(0.005, momentum=0.9, global_clipnorm=1.0)
    model.compile(optimizer, GaussianCodec(1.0).loss(), jit_compile=jit_compile)
    model.optimizer.build(model.trainable_variables)
    history = model.fit(images, [points] * len(model.outputs), batch_size=4, epochs=steps, verbose=0, shuffle=False)
    return history.history["loss"], {variable.path: np.array(variable) for variable in model.variables}


def assert_equal_training(config, memory, images, points, **options):
    losses, variables = trained(config, "none", images, points, **options)
    found, ours = trained(config, memory, images, points, **options)
    assert losses[-1] < losses[0]
    np.testing.assert_allclose(found, losses, rtol=1e-5)
    for path, value in variables.items():
        if "seed" not in path:  # moving statistics among them, updated once a step
            np.testing.assert_allclose(ours[path], value, rtol=1e-4, atol=1e-5, err_msg=path)


@pytest.mark.parametrize("memory", ["recompute", "recompute+bottleneck"])
def test_recomputation_trains_as_without_under_fit(memory, images, points):
    assert_equal_training(TWO, memory, images, points)


def test_recomputation_trains_as_without_under_xla(images, points):
    assert_equal_training(ONE, "recompute", images, points, jit_compile=True)


def test_recomputation_trains_both_passes_of_refinement_as_without(images, points):
    assert_equal_training(TWO.replace(refinement=4), "recompute", images, points, steps=4)


@pytest.mark.parametrize("memory", ["recompute", "recompute+bottleneck"])
def test_recomputed_gradient_is_equal(memory, images):
    assert difference(TWO, memory, images) < 1e-5


@pytest.mark.parametrize(
    "memory, bound",
    [("compressed", 0.03), ("both", 0.03), ("both+bottleneck", 0.03), ("compressed+bits=4", 0.4), ("both+bits=4", 0.4)],
)
def test_few_bits_change_the_gradient_little(memory, bound, images):
    assert 1e-5 < difference(TWO, memory, images) < bound


@pytest.mark.parametrize("memory", ["recompute", "compressed", "both", "both+bottleneck"])
def test_quantized_features_are_stored_without_loss(memory, images):
    assert difference(TWO, memory, images, "BW-a-QIG(8,1,32)") < 1e-5


def test_compressed_training_learns(images, points):
    losses, _ = trained(TWO, "both", images, points, steps=20)
    plain, _ = trained(TWO, "none", images, points, steps=20)
    assert losses[-1] < losses[0]
    np.testing.assert_allclose(losses, plain, rtol=0.05)


@pytest.mark.parametrize("frozen", ["stem_conv", "stem_bn", "unet0_down0", "unet0_neck"])
def test_frozen_layers_stay_as_they_are(frozen, images):
    def run(memory):
        model = made(ONE, memory)
        model.get_layer(frozen).trainable = False
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(images, training=True)[0]))
        return tape.gradient(loss, [variable.value for variable in model.trainable_variables])

    for a, b in zip(run("recompute"), run("none"), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-6)


def test_prediction_and_files_are_the_same_in_every_mode(images, tmp_path):
    model = made(ONE, "both")
    expected = np.array(made(ONE, "none")(images)[0])
    np.testing.assert_array_equal(model(images)[0], expected)
    model.save(tmp_path / "m.keras")
    loaded = load_keras(tmp_path / "m.keras")
    np.testing.assert_array_equal(loaded(images)[0], expected)
    assert not loaded.memory and set_memory(loaded, "recompute").memory


def test_other_networks_and_unknown_modes_are_refused():
    baseline = build_network(HourglassConfig(stacks=1, channels=8, depth=1, input_size=32))
    with pytest.raises(CUNetError, match="only a CU-Net saves memory"):
        set_memory(baseline, "both")
    with pytest.raises(CUNetError, match="unknown memory mode"):
        made(ONE, "all")
