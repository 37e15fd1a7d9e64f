import keras
import numpy as np
import pytest

from cunet_tf.config import CUNetConfig
from cunet_tf.losses import HeatmapLoss
from cunet_tf.models import health
from cunet_tf.models.cunet import build_cunet
from cunet_tf.models.quant_layers import QuantActivation
from cunet_tf.quantize.quantizers import Linear

SMALL = CUNetConfig(2, 1, 8, 4, 3, levels=1, input_size=32)


@pytest.fixture
def batch(rng):
    images = rng.random((4, 32, 32, 3), dtype=np.float32)
    points = np.concatenate([rng.random((4, 3, 2)) * 8, np.ones((4, 3, 1))], axis=-1)
    return images, points.astype("float32")


def network(quant):
    keras.utils.set_random_seed(1)
    return build_cunet(SMALL, quant=quant)


def test_clipping_rates_are_counted_by_tensor():
    inputs = keras.Input((4, 1, 1))
    model = keras.Model(inputs, QuantActivation(Linear(3, r=1.0), name="grid")(inputs))
    x = np.float32([-1.5, -1.0, 0.8, 2.0]).reshape(1, 4, 1, 1)
    (row,) = health.clipping_rates(model, [x])
    rms = float(np.sqrt((x**2).mean()))
    assert row == {"tensor": "grid output", "r": 1.0, "signed": True, "clipped_low": 0.25, "clipped_high": 0.25,
                   "rms": pytest.approx(rms)}  # fmt: skip
    assert model.get_layer("grid").quantizer == Linear(3, r=1.0)  # nothing is left behind


def test_every_grid_of_a_network_is_reported_once(batch):
    model = network("BW-a-QIG(818)")
    rows = health.clipping_rates(model, [batch[0]])
    names = [row["tensor"] for row in rows]
    convs = health.convolutions(model)
    # A grid before each inner convolution; behind each but the bottlenecks; and the stem's.
    inner = [c for c in convs if c.kernel_quantizer]
    outputs = [c for c in inner if not c.path.endswith("bottleneck")]
    assert len(names) == len(set(names)) == len(inner) + len(outputs) + 1
    assert not any("_head" in name for name in names)


def test_gradients_stay_close_at_eight_bits_and_zeros_are_counted(batch):
    full, eight, three = (
        health.kernel_gradients(network(f"BW-a-QIG(8,1,{bits})"), HeatmapLoss(), *batch) for bits in (32, 8, 3)
    )
    rows = health.compare_gradients(full, eight)
    assert min(row["cosine"] for row in rows) > 0.95
    assert min(row["nonzero"] for row in rows) > 0.9
    coarse = health.compare_gradients(full, three)
    assert np.mean([r["cosine"] for r in coarse]) < np.mean([r["cosine"] for r in rows])


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_masters_move(batch, policy):
    """The published code froze its 8-bit masters; here every one of them moves, in fit."""
    images, points = batch
    keras.config.set_dtype_policy(policy)
    try:
        model = network("TW-QIG(828)")
    finally:
        keras.config.set_dtype_policy("float32")
    kernels = health.quantized_kernels(model)
    before = {path: np.array(kernel) for path, kernel in kernels.items()}
    model.compile(keras.optimizers.RMSprop(1e-3, rho=0.99, epsilon=1e-16), HeatmapLoss(), run_eagerly=True)
    model.fit(images, [points, points], batch_size=4, epochs=3, verbose=0)
    rows = health.master_changes(before, {path: np.array(kernel) for path, kernel in kernels.items()})
    assert min(row["relative_change"] for row in rows) > 1e-3
    assert min(row["changed"] for row in rows) > 0.2


def test_changes_by_hand():
    before, after = {"a": np.float32([3.0, 4.0])}, {"a": np.float32([3.0, 4.5])}
    (row,) = health.master_changes(before, after)
    assert row == {"layer": "a", "relative_change": pytest.approx(0.1), "changed": 0.5}
