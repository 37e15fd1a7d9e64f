import keras
import numpy as np
import pytest

from cunet_tf.errors import CUNetError
from cunet_tf.quantize import functional, quantizers
from cunet_tf.quantize.quantizers import Binary, ClipMaster, Linear, Ternary, Uniform, fixed_scale

EVERY = [
    Binary(),
    Binary(True, True),
    Ternary(shift=True),
    Ternary(True),
    Uniform(4),
    Uniform(3, centered=True, gradient_bits=8, bound=1.0),
    Linear(6, 2.0, False),
    Linear(8, narrow=True),
]


@pytest.mark.parametrize("quantizer", EVERY, ids=lambda q: type(q).__name__)
def test_saved_and_loaded_quantizers_are_equal(quantizer, rng):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(quantizer))
    assert again == quantizer and hash(again) == hash(quantizer)
    w = rng.normal(size=(3, 3, 4, 2)).astype("float32")
    np.testing.assert_array_equal(again(w), quantizer(w))


def test_shift_is_a_power_of_two_near_the_fresh_kernels_mean(rng):
    w = rng.uniform(-1, 1, (3, 3, 32, 8)).astype("float32") / np.sqrt(288)
    values = np.unique(Binary(shift=True)(w))
    np.testing.assert_array_equal(values, [-fixed_scale(288), fixed_scale(288)])
    assert 0.5**0.5 <= fixed_scale(288) / np.abs(w).mean() <= 2**0.5 * 1.05
    np.testing.assert_array_equal(Binary(alpha=True, shift=True)(w), Binary(alpha=True)(w))


def test_alpha_is_never_zero_at_few_bits(rng):
    """The published code rounds alpha to 0 at 6 bits; here alpha stays in float."""
    w = (1e-3 * rng.normal(size=(1, 1, 64, 16))).astype("float32")
    for kind in (Binary, Ternary):
        assert np.all(np.abs(kind(alpha=True, gradient_bits=6)(w)).max(axis=(0, 1, 2)) > 0)


def test_centered_kernels_are_centered_first(rng):
    w = rng.normal(3.0, 1.0, (1, 1, 16, 4)).astype("float32")
    assert np.all(np.asarray(Binary()(w)) == 1.0)
    np.testing.assert_array_equal(Binary(centered=True)(w), functional.binary(functional.center(w)))


def test_look_up_by_name():
    assert quantizers.get("binary-a") == Binary(alpha=True)
    assert quantizers.get("unsigned6") == Linear(6, signed=False)
    assert quantizers.get(None) is None
    with pytest.raises(CUNetError, match="binary"):
        quantizers.get("binari")


def test_step_and_limits_of_a_grid():
    assert (Linear(8, 2.0).step, Linear(8, 4.0, signed=False).step) == (2 / 128, 4 / 256)
    assert Linear(3).limits == (-1.0, 0.75) and Linear(3, signed=False).limits == (0.0, 0.875)


def test_masters_are_clipped():
    np.testing.assert_array_equal(ClipMaster()(np.float32([-3, 0.5, 2])), [-1, 0.5, 1])


def test_masters_of_uniform_kernels_are_bounded_only_where_a_bound_is_given():
    assert Uniform(4).constraint is None and Uniform(4, bound=1.0).constraint.bound == 1.0
    assert quantizers.get("w4") == Uniform(4)
    with pytest.raises(CUNetError, match="2 to 8"):
        Uniform(9)
