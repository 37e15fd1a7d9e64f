import keras
import numpy as np
import pytest
from keras import ops

from cunet_tf.models.residual import Residual


def set_randomly(layer, rng):
    for variable in layer.variables:
        variable.assign(rng.uniform(0.5, 1.5, variable.shape) * (rng.choice([-1, 1], variable.shape)
                        if "kernel" in variable.path else 1.0))  # fmt: skip


@pytest.mark.parametrize("channels", [8, 6])
def test_sum_of_a_bottleneck_and_its_input(channels, rng):
    """The definition, written out with the layer's own variables."""
    layer = Residual(8)
    x = rng.normal(size=(2, 4, 4, channels)).astype("float32")
    layer.build(x.shape)
    set_randomly(layer, rng)

    y = x
    for part in (layer.reduce, layer.middle, layer.expand):
        gamma, beta, mean, variance = part.bn[0]
        y = ops.relu((y - mean) / ops.sqrt(variance + 1e-5) * gamma + beta)
        y = ops.conv(y, part.kernel, padding="same")
    assert (layer.skip is None) == (channels == 8)
    straight = x if layer.skip is None else ops.conv(x, layer.skip.kernel)
    np.testing.assert_allclose(layer(x), y + straight, rtol=1e-3, atol=1e-3)


def test_half_of_the_channels_inside_and_no_biases():
    layer = Residual(16, name="one")
    layer.build((None, 8, 8, 4))
    shapes = {v.path.removeprefix("one/"): tuple(v.shape) for v in layer.variables if "kernel" in v.path}
    assert shapes == {"reduce/kernel": (1, 1, 4, 8), "middle/kernel": (3, 3, 8, 8),
                      "expand/kernel": (1, 1, 8, 16), "skip/kernel": (1, 1, 4, 16)}  # fmt: skip
    assert not any("bias" in variable.path for variable in layer.variables)


def test_saved_and_loaded(tmp_path, rng):
    image = keras.Input((4, 4, 6))
    model = keras.Model(image, Residual(8, "uniform", name="one")(image))
    set_randomly(model.get_layer("one"), rng)
    model.save(tmp_path / "r.keras")
    again = keras.models.load_model(tmp_path / "r.keras")
    x = rng.normal(size=(1, 4, 4, 6)).astype("float32")
    np.testing.assert_array_equal(model(x), again(x))
    assert again.get_layer("one").gamma_init == "uniform"


def test_training_moves_the_statistics_of_all_three(rng):
    layer = Residual(8)
    layer(rng.normal(size=(2, 4, 4, 8)).astype("float32") + 3.0, training=True)
    assert all(np.abs(np.asarray(part.bn[0][2])).max() > 1e-3 for part in (layer.reduce, layer.middle, layer.expand))
