import pytest

from cunet_tf.trainers.study.paper import TABLE_2
from cunet_tf.trainers.study.tables.architecture import fig_9, milestones, table_1, table_2, table_3, table_4
from cunet_tf.trainers.study.tables.context import Context
from cunet_tf.trainers.study.tables.networks import WIDTHS
from tests.fake_runs import finish, protocol, results_of


@pytest.fixture
def context(tmp_path):
    plan = protocol(tmp_path / "runs")
    for name, nme in (
        ("cunet", 5.0),
        ("order-0", 6.0),
        ("supervisions-1", 7.0),
        ("dense-unet", 8.0),
        ("width-8-4", 5.5),
    ):
        finish(plan.job(name, 0), nme)
    return Context(tmp_path / "out", tmp_path, results_of(plan, tmp_path / "out"))


def plain(tmp_path):
    return Context(tmp_path, tmp_path)


def by(rows, column, value):
    return next(row for row in rows if row.get(column) == value)


def test_table_1_has_the_exact_counts_and_the_paper(context, tmp_path):
    rows = table_1(context).rows
    first = rows[0]
    assert (first["network"], first["supervised_unets"], first["paper_pckh"]) == ("CU-Net-2", "2", 86.0)
    assert by(rows, "supervised_unets", "1 3 4")["paper_pckh"] == 88.0
    assert by(rows, "network", "CU-Net-8")["conv_parameters"] == 7907712 - 7 * 128 * 16
    assert by(rows, "network", "ours: supervisions-1")["mean"] == 7.0
    assert len(table_1(plain(tmp_path)).rows) == 10 and "mean" not in table_1(plain(tmp_path)).rows[0]
    assert table_1(plain(tmp_path)).below == []


def test_table_2_stands_beside_our_widths(context, tmp_path):
    assert len(WIDTHS) == len(TABLE_2)
    table = table_2(context)
    row = by(table.rows, "ours", "width-8-4")
    assert (row["m"], row["n"], row["conv_parameters"]) == (128, 32, 1898880)
    assert row["mean"] == 5.5 and table.rows[0]["mean"] is None
    assert "width-8-2, width-4-2" in table.below[0]
    assert "ours" not in table_2(plain(tmp_path)).rows[0]


def test_table_3_compares_at_equal_parameters(context):
    table = table_3(context)
    assert by(table.rows, "network", "hourglass-8")["conv_parameters"] == 25248960
    assert by(table.rows, "network", "ours: dense-unet")["mean"] == 8.0
    assert "| cunet, dense-unet |" in table.below[0] and "holds, one seed only" in table.below[0]
    assert "| cunet, dense-unet-wide |" in table.below[0] and "L = N dense layers" in table.about[1]


def test_table_4_shows_the_papers_epochs(context, tmp_path):
    table = table_4(context)
    assert len(table.rows) == 4 * 2 and all(row["paper_epoch"] for row in table.shown)
    assert table.below[-1].endswith("fully dense before order 1: not finished.")
    last = next(row for row in table.shown if (row["order"], row["epoch"]) == (1, 2))
    assert (last["training"], last["held_out"], last["held_out_seed_0"]) == (7.0, 8.0, 8.0)
    assert (last["paper_order"], last["paper_training"], last["paper_validation"]) == (1, 91.7, 87.1)
    assert len(table_4(plain(tmp_path)).rows) == 8


def test_milestones_are_the_papers_shares():
    assert milestones(150) == [1, 50, 100, 150] and milestones(16) == [1, 5, 11, 16] and milestones(1) == [1] * 4


def test_fig_9_draws_what_is_finished(context, tmp_path):
    table = fig_9(context)
    assert [row["conv_parameters"] for row in table.rows[:2]] == [7162240, 7907712]
    assert table.picture and (tmp_path / "out" / "fig_09.png").exists()
    assert not fig_9(plain(tmp_path / "nowhere")).picture
