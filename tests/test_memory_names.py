import pytest

from cunet_tf.config import CUNetConfig
from cunet_tf.config_baselines import HourglassConfig
from cunet_tf.errors import CUNetError
from cunet_tf.memory.names import MODES, MemoryConfig


@pytest.mark.parametrize("text", [*MODES, "recompute+bottleneck", "both+bottleneck+bits=4", "both+bits=4"])
def test_name_and_configuration_are_inverse(text):
    assert str(MemoryConfig.parse(text)) == text
    assert MemoryConfig.parse(MemoryConfig.parse(text)) == MemoryConfig.parse(text)


def test_only_none_is_false():
    assert not MemoryConfig() and MemoryConfig.parse(None) == MemoryConfig()
    assert all(MemoryConfig.parse(mode) for mode in MODES if mode != "none")


@pytest.mark.parametrize(
    "text, words",
    [
        ("recompued", "Did you mean 'recompute'?"),
        ("both+bit", r"unknown switch \+bit of memory both: use"),
        ("both+bits=3", "memory of 3 bits"),
        ("compressed", "compressed is gone: use both"),
        ("none+bottleneck", "only recompute and both recompute the bottleneck"),
        ("recompute+bits=4", "only both stores few bits"),
    ],
)
def test_bad_names(text, words):
    with pytest.raises(CUNetError, match=words):
        MemoryConfig.parse(text)


def test_only_a_cunet_saves_memory():
    MemoryConfig.parse("both").require(CUNetConfig())
    MemoryConfig().require(HourglassConfig())
    with pytest.raises(CUNetError, match="only a CU-Net saves memory"):
        MemoryConfig.parse("both").require(HourglassConfig())
