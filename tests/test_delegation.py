import numpy as np
import pytest
from cunet_tf.export.delegation import delegation
from cunet_tf.export.deploy import deploy
from cunet_tf.export.tflite import convert_int8

from tests.test_deploy import network


@pytest.mark.parametrize("float_io", [False, True])
def test_every_convolution_is_delegated_and_nothing_is_converted_amid(tiny_spec, float_io, rng):
    twin = deploy(network(tiny_spec, "BW-QIG(818)"), tiny_spec.replace(quant="BW-QIG(818)"))
    twin.calibrate(rng.random((1, 64, 64, 3), dtype=np.float32))
    found = delegation(convert_int8(twin, tiny_spec, float_io))
    assert found["convolutions"] == found["delegated"] > 100
    assert found["islands"] == 0
    assert found["convolutions"] < found["operations_delegated"] <= found["operations"]
