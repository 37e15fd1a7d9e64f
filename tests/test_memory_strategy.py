"""Networks under each memory mode: the same gradients, in float rounding."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from cunet_tf.config import CUNetConfig
from cunet_tf.config_baselines import HourglassConfig
from cunet_tf.errors import CUNetError
from cunet_tf.losses import HeatmapLoss
from cunet_tf.memory.names import MemoryConfig
from cunet_tf.memory.strategy import PLAIN, Saving, fits, set_memory
from cunet_tf.models.build import build_network
from cunet_tf.models.convolution import ConvBNReLU
from cunet_tf.models.layers import MaxPool
from cunet_tf.models.saved import load_keras
from cunet_tf.quantize.quantizers import Linear

ONE = CUNetConfig(1, 0, 8, 4, 5, levels=1, input_size=32)
TWO = ONE.replace(stacks=2, order=1)
CONV_FIRST = TWO.replace(norm_order="conv_first")
BOTH = MemoryConfig("both")


@pytest.fixture(scope="module")
def images():
    """Data with which no ReLU is so near its kink that rounding decides: one that flips moves all that follows."""
    return np.random.default_rng(1).random((4, 32, 32, 3), dtype=np.float32)


def made(config, memory, quant="float"):
    keras.utils.set_random_seed(0)
    return build_network(config, quant, memory)


def traced(config, memory, images, quant="float", graph=False, jit_compile=False, frozen=None):
    """One training pass: gradient of a squared error as one vector, and the moving statistics after it."""
    model = made(config, memory, quant)
    if frozen:
        model.get_layer(frozen).trainable = False

    def step(images):
        with tf.GradientTape() as tape:
            loss = tf.add_n([tf.reduce_mean(tf.square(maps - 0.1)) for maps in model(images, training=True)])
        values = [variable.value for variable in model.trainable_variables]
        return tape.gradient(loss, values, unconnected_gradients="zero")

    if graph or jit_compile:
        step = tf.function(step, jit_compile=jit_compile)
    gradient = np.concatenate([np.ravel(tf.cast(part, tf.float32)) for part in step(tf.constant(images))])
    return gradient, np.concatenate([np.ravel(variable) for variable in model.non_trainable_variables])


@pytest.fixture(scope="module")
def plain(images):
    """What :func:`traced` finds without a mode, each network once."""
    found = {}

    def of(config, quant="float", frozen=None):
        key = config, quant, frozen
        if key not in found:
            found[key] = traced(config, "none", images, quant, frozen=frozen)
        return found[key]

    return of


def difference(found, expected):
    """Relative difference of the gradients; the moving statistics have to be equal."""
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-5, atol=1e-6)
    return np.linalg.norm(found[0] - expected[0]) / np.linalg.norm(expected[0])


@pytest.mark.parametrize("memory", ["recompute", "recompute+bottleneck"])
def test_recomputed_gradient_is_equal(memory, images, plain):
    assert difference(traced(TWO, memory, images), plain(TWO)) < 1e-5


def test_recomputed_gradient_is_equal_where_convolutions_come_first(images, plain):
    assert difference(traced(CONV_FIRST, "recompute+bottleneck", images), plain(CONV_FIRST)) < 1e-5


def test_recomputed_gradient_is_equal_in_a_graph(images, plain):
    assert difference(traced(ONE, "recompute+bottleneck", images, graph=True), plain(ONE)) < 1e-5


@pytest.mark.slow  # XLA compiles; the graph's gradient stays in `make test`
def test_recomputed_gradient_is_equal_under_xla(images, plain):
    assert difference(traced(ONE, "recompute+bottleneck", images, jit_compile=True), plain(ONE)) < 1e-4


def test_recomputed_gradient_of_both_passes_of_refinement_is_equal(images, plain):
    twice = ONE.replace(refinement=4)
    assert difference(traced(twice, "recompute", images), plain(twice)) < 1e-5


@pytest.mark.parametrize(
    "memory, bound", [("both", 0.03), ("both+bottleneck", 0.03), ("both+bits=4", 0.4), ("both+bottleneck+bits=4", 0.4)]
)
def test_few_bits_change_the_gradient_little(memory, bound, images, plain):
    assert 1e-5 < difference(traced(TWO, memory, images), plain(TWO)) < bound


@pytest.mark.parametrize("memory", ["recompute", "both", "both+bottleneck"])
def test_quantized_features_are_stored_without_loss(memory, images, plain):
    quant = "BW-a-QIG(8,1,32)"
    assert difference(traced(ONE, memory, images, quant), plain(ONE, quant)) < 1e-5


@pytest.mark.parametrize("memory", ["both", "both+bottleneck"])
def test_so_are_those_behind_convolutions_that_come_first(memory, images, plain):
    quant = "BW-a-QIG(8,1,32)"
    assert difference(traced(CONV_FIRST, memory, images, quant), plain(CONV_FIRST, quant)) < 1e-5


@pytest.mark.parametrize("frozen", ["stem", "unet0_down0", "unet0_neck"])
def test_frozen_layers_stay_as_they_are(frozen, images, plain):
    assert difference(traced(ONE, "recompute+bottleneck", images, frozen=frozen), plain(ONE, frozen=frozen)) < 1e-5


def test_bfloat16_is_recomputed_in_bfloat16(images, plain):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        found = [traced(ONE, memory, images)[0] for memory in ("none", "recompute")]
    finally:
        keras.config.set_dtype_policy(policy)
    gaps = [np.linalg.norm(each - plain(ONE)[0]) / np.linalg.norm(plain(ONE)[0]) for each in found]
    assert gaps[0] > 1e-4 and gaps[1] < 1.5 * gaps[0]


@pytest.mark.slow  # two trainings; the gradients of few bits stay in `make test`
def test_fit_with_few_bits_learns_as_without(images, rng, eagerly):
    points = np.concatenate([rng.random((4, 5, 2)) * 8, np.ones((4, 5, 1))], axis=-1).astype("float32")
    losses = []
    for memory in ("none", "both"):
        model = made(ONE, memory)
        optimizer = keras.optimizers.SGD(0.005, momentum=0.9, global_clipnorm=1.0)
        model.compile(optimizer, HeatmapLoss(1.0))
        losses.append(model.fit(images, [points], batch_size=4, epochs=5, verbose=0, shuffle=False).history["loss"])
    assert losses[1][-1] < losses[1][0]
    np.testing.assert_allclose(losses[1], losses[0], rtol=0.05)


def test_prediction_and_files_are_the_same_in_every_mode(images, tmp_path):
    model = made(ONE, "both")
    expected = np.array(made(ONE, "none")(images)[0])
    np.testing.assert_array_equal(model(images)[0], expected)
    model.save(tmp_path / "m.keras")
    loaded = load_keras(tmp_path / "m.keras")
    np.testing.assert_array_equal(loaded(images)[0], expected)
    assert not loaded.memory and set_memory(loaded, "recompute").memory
    assert set_memory(loaded, None).memory is PLAIN


def test_a_mode_reaches_every_layer_as_one_object():
    model = made(TWO, "both+bottleneck")
    strategies = {model.get_layer(name).memory for name in ("stem", "unet0_pool0", "unet1_resize0", "unet1_head")}
    strategies |= {part.memory for part in model.get_layer("unet1_neck").convolutions}
    assert strategies == {model.memory} and model.memory.config == MemoryConfig("both", bottleneck=True)


def test_other_networks_and_unknown_modes_are_refused():
    baseline = build_network(HourglassConfig(stacks=1, channels=8, depth=1, input_size=32))
    with pytest.raises(CUNetError, match="only a CU-Net saves memory"):
        set_memory(baseline, "both")
    with pytest.raises(CUNetError, match="unknown memory mode"):
        made(ONE, "all")
    with pytest.raises(CUNetError, match="compressed is gone: use both"):
        made(ONE, "compressed")


def test_fits():
    assert fits(Linear(8), BOTH) and fits(Linear(4), MemoryConfig("both", bits=4))
    assert not fits(Linear(8), MemoryConfig("both", bits=4))
    assert not fits(Linear(8), MemoryConfig("recompute")) and not fits(None, BOTH)


@pytest.fixture
def x(rng):
    return tf.constant(rng.normal(size=(2, 4, 4, 3)), tf.float32)


def test_derived_is_kept_in_the_form_of_its_source(x):
    memory = Saving(BOTH)
    enlarged = memory.derived(lambda value: tf.repeat(value, 2, axis=1), x)
    assert enlarged.shape[1] == 8
    restored = enlarged._cunet_kept.restore(tf.zeros([]))
    np.testing.assert_array_equal(restored[:, ::2], x._cunet_kept.restore(tf.zeros([])))


def test_a_tensor_is_rounded_once_however_many_read_it(x):
    memory = Saving(BOTH)
    memory.quantized(x, None)
    first = x._cunet_kept
    memory.recompute(lambda value, relu: value, x)
    assert x._cunet_kept is first and first.lossy
    assert not hasattr(memory.recompute(lambda value, relu: value, tf.identity(x), exact=True), "_cunet_kept")


@pytest.mark.parametrize("memory", ["recompute", "both"])
def test_the_stem_is_never_rounded(memory, rng):
    images = tf.constant(rng.random((3, 16, 16, 3)), tf.float32)
    found = []
    for strategy in (PLAIN, Saving(MemoryConfig.parse(memory))):
        keras.utils.set_random_seed(1)
        stem = ConvBNReLU(6, 3, 2, pool=True)
        stem.memory = strategy
        with tf.GradientTape() as tape:
            y = stem(tf.identity(images), training=True)
            total = tf.reduce_sum(y**3)
        assert y.shape == (3, 4, 4, 6)
        trained = [variable.value for variable in stem.trainable_variables]
        found.append([y, *tape.gradient(total, trained), *stem.non_trainable_variables])
    for plain, ours in zip(*found, strict=True):
        assert np.linalg.norm(ours - plain) <= 1e-4 * np.linalg.norm(plain)


@pytest.mark.parametrize("layer", [ConvBNReLU(4, 3), MaxPool(2)])
def test_configuration_has_no_memory(layer):
    assert "memory" not in layer.get_config()
    assert type(type(layer).from_config(layer.get_config())) is type(layer)
