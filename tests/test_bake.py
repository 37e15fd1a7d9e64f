import numpy as np
import pytest

from cunet_tf.engines import LiteRTEngine
from cunet_tf.export.bake import bake
from cunet_tf.export.tflite import convert, operator_names
from tests.networks import crops, network


@pytest.mark.parametrize("quant", ["BW-a", "TW-a-QIG(626)", "W5"])
def test_twin_has_plain_kernels_and_computes_the_same(quant):
    model = network(quant)
    twin = bake(model)
    assert twin.spec.quant.startswith(("FW", "float"))
    np.testing.assert_array_equal(twin(crops())[-1], model(crops())[-1])


def test_float_model_is_its_own_twin():
    assert bake(network()) is network()


def test_binary_network_converts_with_constant_kernels():
    """The converter leaves a comparison of real kernels in the graph; the twin has none."""
    model = network("BW-a")
    data = convert(model, model.spec)
    assert not {"SELECT_V2", "GREATER_EQUAL", "SIGN"} & set(operator_names(data))
    np.testing.assert_allclose(LiteRTEngine(data)(crops()), model(crops())[-1], atol=1e-4)
