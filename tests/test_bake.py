import keras
import numpy as np
import pytest
from cunet_tf.export.bake import bake
from cunet_tf.export.tflite import convert, operator_names

from cunet_tf.engines import KerasEngine, LiteRTEngine
from cunet_tf.models.cunet import build_cunet


@pytest.mark.parametrize("quant", ["BW-a", "TW-a-QIG(626)"])
def test_twin_has_plain_kernels_and_computes_the_same(tiny_spec, quant, rng):
    keras.utils.set_random_seed(0)
    model = build_cunet(tiny_spec, quant=quant)
    twin = bake(model)
    assert twin.spec.quant.startswith(("FW", "float"))
    images = rng.random((2, 64, 64, 3), dtype=np.float32)
    np.testing.assert_array_equal(KerasEngine(twin)(images), KerasEngine(model)(images))


def test_float_model_is_its_own_twin(tiny_spec):
    model = build_cunet(tiny_spec)
    assert bake(model) is model


def test_binary_network_converts_with_constant_kernels(tiny_spec, rng):
    """The converter leaves a comparison of real kernels in the graph; the twin has none."""
    keras.utils.set_random_seed(0)
    model = build_cunet(tiny_spec, quant="BW-a")
    data = convert(model, model.spec)
    assert not {"SELECT_V2", "GREATER_EQUAL", "SIGN"} & set(operator_names(data))
    images = rng.random((2, 64, 64, 3), dtype=np.float32)
    np.testing.assert_allclose(LiteRTEngine(data)(images), KerasEngine(model)(images), atol=1e-4)
