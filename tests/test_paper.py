"""The paper's figures agree with each other, so they were copied without a slip."""

import pytest

from cunet_tf.config import CUNetConfig
from cunet_tf.models.counts import count
from cunet_tf.models.size_report import balance_index
from cunet_tf.presets import preset
from cunet_tf.quantize.names import QuantConfig
from cunet_tf.trainers.study.paper import (
    JOINTS,
    TABLE_1,
    TABLE_2,
    TABLE_3,
    TABLE_4,
    TABLE_4_EPOCHS,
    TABLE_5,
    TABLE_6,
    TABLE_7_CUNET_8,
    TABLE_8,
    TABLE_9,
    TABLE_10,
    TABLE_11,
    TABLE_12,
    paper_figures,
    paper_name,
)

NOT_BY_EQUATION_8 = {"BW": 7.02, "BW-a": 6.31, "TW": 13.7}  # printed: 6.84, 7.97, 14.0


def as_printed(value, printed):
    """To three digits, or to the second decimal where the paper prints no more."""
    return value == pytest.approx(printed, rel=0.005, abs=0.005)


@pytest.mark.parametrize("name", TABLE_8)
def test_balance_indices_of_table_8_follow_from_its_columns(name):
    row = TABLE_8[name]
    assert as_printed(balance_index(row.full, row.training_memory, row.model_size), row.balance_index)


@pytest.mark.parametrize("name", TABLE_9)
def test_balance_indices_of_table_9_follow_but_for_three(name):
    row, costs = TABLE_9[name], TABLE_8[name]
    index = balance_index(100.0 - row.pckh, costs.training_memory, costs.model_size)
    assert as_printed(index, NOT_BY_EQUATION_8.get(name, row.balance_index))


def test_keys_are_canonical_names():
    for name in {*TABLE_8, *TABLE_9, *TABLE_10}:
        assert str(QuantConfig.parse(name)) == name
        assert name in TABLE_8


def test_full_set_lies_between_its_parts():
    """554 easy and 135 hard pictures."""
    for row in TABLE_8.values():
        assert row.full == pytest.approx((554 * row.easy + 135 * row.hard) / 689, abs=0.02)


def test_means_of_table_10_are_those_of_table_9():
    for name, row in TABLE_10.items():
        assert len(row) == len(JOINTS) + 1
        assert row[-1] == TABLE_9[name].pckh
        assert min(row) < row[-1] < max(row)


def test_figures_of_faces_and_bodies():
    assert paper_figures("BW", bodies=False) == (3.75, 3.75, 0.42)
    assert paper_figures("BW", bodies=True) == (84.7, pytest.approx(15.3), 6.84)
    assert paper_figures("TW-a", bodies=False) is None and paper_figures("TW-a", bodies=True) is None


def test_parameters_agree_with_the_exact_counts():
    """Within the last printed digit, but for Table 2's 1.0 and the hourglasses (docs/paper.md)."""
    for (m, n), row in TABLE_2.items():
        exact = count(CUNetConfig(2, 1, m, n, 16))["conv_parameters"] / 1e6
        assert row.parameters == pytest.approx(exact, abs=0.09 if (m, n) == (128, 16) else 0.055)
    for name, row in {**TABLE_3, **TABLE_5}.items():
        exact = count(preset(name).config)["conv_parameters"] / 1e6
        assert row.parameters == pytest.approx(exact, rel=0.015)
    exact = {name: count(preset(name).config)["conv_parameters"] / 1e6 for name in ("face-4", "iterative-4")}
    for name, (_, parameters) in TABLE_6.items():
        assert parameters == pytest.approx(exact["iterative-4" if "-" in name else "face-4"], abs=0.05)


def test_faces_are_ordered_and_pooled():
    """554 easy and 135 hard pictures, the full set."""
    rows = [row for row, _ in TABLE_6.values()] + list(TABLE_12.values()) + [TABLE_7_CUNET_8[0]]
    for row in rows:
        assert row.full == pytest.approx((554 * row.easy + 135 * row.hard) / 689, abs=0.02)


def test_tables_repeat_each_other():
    assert TABLE_12["CU-Net-8"] == TABLE_7_CUNET_8[0]
    assert TABLE_11["Newell"][1:] == TABLE_5["hourglass-8"][1:]
    assert TABLE_11["CU-Net-8"][1:] == TABLE_5["pose-8"][1:]
    assert max(TABLE_1[8].values()) == TABLE_3["pose-8"].pckh == TABLE_5["pose-8"].pckh
    assert TABLE_1[2][1] == TABLE_2[128, 32].pckh
    assert all(len(part) == len(TABLE_4_EPOCHS) for parts in TABLE_4.values() for part in parts)


def test_ranges_are_no_part_of_the_papers_name():
    assert paper_name("TW-QIG(626)+signed=4+unsigned=4") == "TW-QIG(626)" and paper_name("W4+narrow") == "W4+narrow"
    assert paper_figures("TW-QIG(626)+signed=4", bodies=True) == paper_figures("TW-QIG(626)", bodies=True)
