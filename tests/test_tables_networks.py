import pytest

from cunet_tf.errors import CUNetError
from cunet_tf.flags import network_config
from cunet_tf.models.counts import count
from cunet_tf.trainers.study.tables.networks import Scale, variants, widths


def test_three_architectures_have_about_equal_parameters():
    counts = {name: count(variant.config())["conv_parameters"] for name, variant in variants(Scale()).items()}
    print(counts)


def test_widths_are_those_of_table_2_at_a_quarter():
    assert widths(Scale()) == [(16, 4), (32, 4), (32, 6), (32, 8), (48, 6), (48, 8)]
    names = [name for name in variants(Scale()) if name.startswith("width")]
    assert names == ["width-16-4", "width-32-4", "width-32-6", "width-48-6", "width-48-8"]


def test_flags_describe_the_same_network_as_the_configuration():
    from absl import flags

    from cunet_tf.commands import train

    for variant in variants(Scale()).values():
        values = flags.FlagValues()
        train.define(values)
        values(["cunet train", *variant.flags()])
        assert network_config(values).replace(landmarks=68) == variant.config()
        assert values.targets == variant.targets


def test_bodies_start_from_the_pose_preset():
    assert {name: variants(Scale(), name)["cunet"].landmarks for name in ("300w", "lspet", "mpii")} == {
        "300w": 68, "lspet": 14, "mpii": 16
    }  # fmt: skip
    assert variants(Scale(), "lspet")["cunet"].preset == "pose-mobile"


def test_two_stacks_are_too_few_for_the_orders():
    with pytest.raises(CUNetError, match="--stacks=2"):
        Scale(stacks=2)
