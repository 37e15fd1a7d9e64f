import keras
import numpy as np
import pytest

from cunet_tf.export.own_parity import compare_outputs, run_tflite
from cunet_tf.export.tflite import convert


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((8, 8, 2)), keras.layers.Conv2D(3, 3, name="maps")])


def test_differences_by_hand(model, rng):
    x = rng.random((3, 8, 8, 2), dtype=np.float32)
    tflite = convert(model, None)
    (maps,) = run_tflite(tflite, x)
    np.testing.assert_allclose(maps, model(x), atol=1e-5)
    model.layers[0].bias.assign_add([0.5, 0.5, 0.5])
    try:
        report = compare_outputs(model, tflite, x, "float32")
    finally:
        model.layers[0].bias.assign_sub([0.5, 0.5, 0.5])
    (row,) = report["outputs"]
    assert row["output"] == "maps" and row["max"] == pytest.approx(0.5, abs=1e-4) == row["mean"]
    assert row["share"] == pytest.approx(0.5 / row["range"], rel=1e-3) and not report["ok"]
    assert report["pictures"] == 3 and compare_outputs(model, tflite, x, "float32")["ok"]


def test_a_float_file_is_not_taken_for_integers(model, rng):
    report = compare_outputs(model, convert(model, None), rng.random((2, 8, 8, 2), dtype=np.float32), "int8")
    assert report["integers"]["convolutions"] == 1 and not report["integers"]["integer_convolutions"]
    assert not report["ok"]
