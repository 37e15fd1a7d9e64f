from cunet_tf.trainers.study.tables.context import Context
from cunet_tf.trainers.study.tables.refinement import table_6, table_7
from tests.fake_runs import finish, protocol, results_of


def test_rows_have_the_papers_counts_and_ours(tmp_path):
    plan = protocol(tmp_path)
    finish(plan.job("regression", 0), 5.0)
    finish(plan.job("detection", 0), 4.0)
    table = table_6(Context(tmp_path, tmp_path, results_of(plan, tmp_path)))
    rows = {row["passes"]: row for row in table.rows}
    assert rows["regression"]["conv_parameters"] == 3928448
    assert round(rows["detection-regression"]["conv_parameters"] / 1e6, 3) == 4.131
    assert rows["regression"]["mean"] == 5.0 and rows["regression"]["paper_full"] == 3.34
    assert "| regression, detection | full set: 3.34, 4.01 (regression, detection) | 5, 4 | -1.00 |" in table.below[0]


def test_table_7_adds_the_deep_network(tmp_path):
    plan = protocol(tmp_path)
    finish(plan.job("deep", 1), 4.5)
    ours = table_7(Context(tmp_path, tmp_path, results_of(plan, tmp_path))).rows[-1]
    assert (ours["ours"], ours["seed_1"], ours["paper_full"]) == ("deep", 4.5, 3.26)
    rows = table_7(Context(tmp_path, tmp_path)).rows
    assert [row["passes"] for row in rows] == ["regression", "regression-regression", "regression"]
    assert rows[-1]["conv_parameters"] == 7960960 and "mean" not in rows[-1]
