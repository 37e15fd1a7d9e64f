import keras
import numpy as np
import pytest

from cunet_tf.config import CUNetConfig
from cunet_tf.errors import CUNetError
from cunet_tf.models.build import build_network
from cunet_tf.trainers.study.memory.kept import kept_bytes, kept_for_backward

ONE = CUNetConfig(1, 0, 16, 4, 5, levels=1, input_size=64)


def test_a_dense_network_keeps_its_inputs_of_matrix_products():
    image = keras.Input((4, 4, 3))
    x = keras.layers.Flatten()(image)
    x = keras.layers.Dense(10, activation="relu")(x)
    model = keras.Model(image, [keras.layers.Dense(2)(x)])
    kept = kept_for_backward(model, 5)
    assert [(entry.shape, entry.dtype, entry.bytes) for entry in kept] == [((5, 10), "float32", 200)]
    assert kept_bytes(model, 10) == 400


@pytest.fixture(scope="module")
def counts():
    modes = ("none", "recompute", "recompute+bottleneck", "both", "both+bottleneck", "both+bits=4")
    return {mode: kept_bytes(build_network(ONE, memory=mode), 2) for mode in modes}


def test_each_mode_keeps_less(counts):
    order = ["none", "recompute", "recompute+bottleneck", "both", "both+bottleneck"]
    assert sorted(counts.values(), reverse=True)[:1] == [counts["none"]]
    assert counts["recompute"] < 0.35 * counts["none"] and counts["both"] < 0.15 * counts["none"]
    assert counts["recompute"] > counts["recompute+bottleneck"] and counts["both"] > counts["both+bottleneck"]
    assert counts["both"] > counts["both+bits=4"]
    assert all(isinstance(counts[mode], int) for mode in order)


def test_the_count_is_deterministic_and_linear_in_the_batch(counts):
    assert kept_bytes(build_network(ONE, memory="recompute"), 2) == counts["recompute"]
    ratio = kept_bytes(build_network(ONE, memory="recompute"), 4) / counts["recompute"]
    assert np.isclose(ratio, 2, rtol=0.05)


def test_maps_of_unknown_size_are_refused():
    image = keras.Input((None, None, 3))
    model = keras.Model(image, [keras.layers.Conv2D(2, 1)(keras.layers.Conv2D(2, 1)(image))])
    with pytest.raises(CUNetError, match="not known before the step runs"):
        kept_bytes(model, 1)
