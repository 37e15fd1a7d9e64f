import pytest

from cunet_tf.config import CUNetConfig
from cunet_tf.errors import CUNetError
from cunet_tf.flags import network_config
from cunet_tf.models.counts import count
from cunet_tf.trainers.study.tables.networks import Scale, closest, orders, supervised, variants, widths


def test_dense_unet_by_the_papers_rule_and_by_parameters_and_the_hourglass():
    made = variants(Scale())
    counts = {name: count(variant.config())["conv_parameters"] for name, variant in made.items()}
    assert made["dense-unet"].options == {"layers": 4, "main_channels": 32, "growth": 8, "input_size": 128}
    assert counts["cunet"] == 255584 and counts["dense-unet"] == 187616  # as 3.9M and 2.9M in Table 3
    for name in ("dense-unet-wide", "hourglass"):
        assert abs(counts[name] / counts["cunet"] - 1) < 0.1, (name, counts[name])


def test_closest_is_nearest_from_both_sides():
    sizes = [count(CUNetConfig(1, 0, 4 * n, n))["conv_parameters"] for n in range(1, 6)]
    for index, size in enumerate(sizes):
        for near in (size - 10, size, size + 10):
            assert closest(near, lambda n: CUNetConfig(1, 0, 4 * n, n)) == index + 1


def test_orders_and_supervisions_reach_from_end_to_end():
    assert list(orders(Scale()).values()) == ["order-0", "cunet", "order-2", "order-3"]
    assert list(supervised(Scale(5)).values())[-2:] == ["supervisions-4", "cunet"]
    for order, name in orders(Scale()).items():
        assert variants(Scale())[name].config().order == order
    for number, name in supervised(Scale()).items():
        assert len(variants(Scale())[name].config().supervised) == number


def test_widths_are_those_of_table_2_at_a_quarter():
    assert widths(Scale()) == [(16, 4), (32, 4), (32, 6), (32, 8), (48, 6), (48, 8)]
    made = {name: each for name, each in variants(Scale()).items() if name.startswith("width")}
    assert list(made)[3] == "width-32-8" and {each.config().stacks for each in made.values()} == {2}


def test_iterative_refinement_stands_beside_twice_the_depth():
    made = variants(Scale())
    assert made["deep"].config().stacks == 8 and made["iterative-regression-regression"].config().stacks == 4


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


def test_three_stacks_are_too_few():
    with pytest.raises(CUNetError, match="--stacks=3"):
        Scale(stacks=3)
