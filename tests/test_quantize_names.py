import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cunet_tf.errors import CUNetError
from cunet_tf.quantize.names import QuantConfig

NAMES = ("float", "BW", "BW-a", "TW", "TW-a", "BW-a-QIG(818)", "TW-QIG(626)", "BW-QIG(616)", "W2", "W5",
         "W4-QIG(848)", "W8-QIG(8,8,32)+bound=2", "FW-QIG(8,32,8)",
         "BW-QIG(8,1,32)", "BW-a-QIG(818)+signed=1+narrow+float_layers=unet0_neck/*,unet1_input")  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_are_printed_back(name):
    assert str(QuantConfig.parse(name)) == name


@given(
    st.sampled_from(["BW", "TW"]), st.booleans(), st.integers(2, 9), st.integers(2, 9), st.booleans(),
    st.sampled_from([0.5, 1.0, 4.0]),
)  # fmt: skip
def test_any_digits_round_trip(weights, alpha, features, gradients, narrow, r):
    config = QuantConfig(weights, alpha, features, gradients, signed=r, narrow=narrow)
    assert QuantConfig.parse(str(config)) == config


def test_fields():
    config = QuantConfig.parse("BW-a-QIG(817)")
    assert (config.weight_bits, config.alpha, config.features, config.gradients) == (1, True, 8, 7)
    assert QuantConfig.parse("TW-QFG(626)") == QuantConfig.parse("TW-QIG(626)")
    assert QuantConfig.parse(None).is_float and not config.is_float
    assert QuantConfig.parse(config) is config


def test_convolutions_are_chosen_by_name():
    config = QuantConfig.parse("BW+float_layers=unet0_neck/*")
    assert config.covers("unet1_input") and config.covers("unet0_up2/ahead")
    assert not any(config.covers(path) for path in ("stem", "unet3_head", "unet0_neck/skip"))


@pytest.mark.parametrize(
    "name, part",
    [
        ("BWa", "is unknown"),
        ("BW-QIG(828)", "weights of BW have 1 bits"),
        ("BW-QIG(81)", "three widths"),
        ("BW-QIG(1,1,8)", "features"),
        ("BW-QIG(8,1,99)", "gradients"),
        ("FW-a", "no alpha"),
        ("W4-a", "no alpha"),
        ("W9", "use one of"),
        ("W9-QIG(898)", "use one of"),
        ("W4-QIG(838)", "weights of W4 have 4 bits"),
        ("BW+narow", "Did you mean 'narrow'"),
        ("BW+signed=x", "not a value"),
        ("BW-QIG(818)+signed=3", "power of two"),
    ],
)
def test_bad_names_say_what_is_wrong(name, part):
    with pytest.raises(CUNetError, match=part):
        QuantConfig.parse(name)


def test_names_need_no_keras():
    code = "import sys, cunet_tf.quantize.names; sys.exit('keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
