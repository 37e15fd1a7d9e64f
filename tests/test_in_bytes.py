import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cunet_tf.quantize.in_bytes import InBytes
from cunet_tf.quantize.quantizers import Linear


@given(bits=st.integers(2, 8), exponent=st.integers(-4, 5), signed=st.booleans(), narrow=st.booleans())
def test_same_function_on_a_grid_of_256_values(bits, exponent, signed, narrow):
    plain = Linear(bits, 2.0**exponent, signed, narrow)
    x = np.linspace(-2.5, 2.5, 4001, dtype=np.float32) * np.float32(plain.r)
    np.testing.assert_array_equal(InBytes.of(plain)(x), plain(x))


@pytest.mark.parametrize("signed, operations", [(False, {"Relu"}), (True, {"Maximum"})])
def test_operations_that_integers_have(signed, operations):
    import tensorflow as tf

    traced = tf.function(InBytes(4, 1.0, signed)).get_concrete_function(tf.TensorSpec([4]))
    found = {each.type for each in traced.graph.get_operations()}
    assert found - {"Placeholder", "Identity", "Const", "NoOp"} == operations | {"FakeQuantWithMinMaxArgs"}


def test_configuration():
    made = InBytes(4, 2.0, False)
    assert InBytes.from_config(made.get_config()) == made
