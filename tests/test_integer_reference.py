import numpy as np
import pytest
from cunet_tf.export.deploy import deploy
from cunet_tf.export.integer_reference import Reference, requantize
from cunet_tf.export.tflite import convert, convert_int8

from cunet_tf.engines import LiteRTEngine
from cunet_tf.errors import CUNetError
from cunet_tf.models.cunet import build_cunet
from tests.test_deploy import VARIANTS, network


@pytest.mark.parametrize("quant, variant", [("BW-a-QIG(818)", "plain"), ("float", "plain"), ("TW", "two passes")])
def test_litert_computes_the_reference_to_the_last_bit(quant, variant, tiny_spec, rng):
    spec = VARIANTS[variant](tiny_spec).replace(quant=quant)
    twin = deploy(network(spec, quant), spec)
    images = rng.random((3, 64, 64, 3), dtype=np.float32)
    twin.calibrate(images)
    for float_io in (False, True):
        data = convert_int8(twin, spec, float_io)
        engine, reference = LiteRTEngine(data), Reference(data)
        for image in images:
            np.testing.assert_array_equal(engine.run_raw(image), reference(engine.encode(image[None])))


def test_halves_go_to_even_and_ends_are_cut():
    total = np.int32([1, 3, 5, 1000, -1000])
    np.testing.assert_array_equal(requantize(total, np.float32([0.5]), 0, -128), [0, 2, 2, 127, -128])
    np.testing.assert_array_equal(requantize(total, np.float32([0.5]), -128, -128)[:2], [-128, -126])


def test_float_models_are_refused(tiny_spec):
    with pytest.raises(CUNetError, match="operation ADD|operation MUL|exact int8"):
        Reference(convert(build_cunet(tiny_spec), tiny_spec))
