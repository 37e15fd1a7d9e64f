import numpy as np
import pytest

from cunet_tf.engines import LiteRTEngine
from cunet_tf.errors import CUNetError
from cunet_tf.export.integer_reference import Reference, requantize
from tests.networks import BINARY, crops, float_file, integer_file


@pytest.mark.parametrize(
    "quant, shape, float_io",
    [(BINARY, "plain", False), (BINARY, "plain", True), ("float", "plain", False), ("TW", "two passes", False)],
)
def test_litert_computes_the_reference_to_the_last_bit(quant, shape, float_io):
    data = integer_file(quant, shape, float_io)
    engine, reference = LiteRTEngine(data), Reference(data)
    for image in crops():
        np.testing.assert_array_equal(engine.run_raw(image), reference(engine.encode(image[None])))


def test_halves_go_to_even_and_ends_are_cut():
    total = np.int32([1, 3, 5, 1000, -1000])
    np.testing.assert_array_equal(requantize(total, np.float32([0.5]), 0, -128), [0, 2, 2, 127, -128])
    np.testing.assert_array_equal(requantize(total, np.float32([0.5]), -128, -128)[:2], [-128, -126])


def test_float_models_are_refused():
    with pytest.raises(CUNetError, match="operation ADD|operation MUL|exact int8"):
        Reference(float_file())
