from cunet_tf.trainers.study.tables.context import Context
from cunet_tf.trainers.study.tables.curves import fig_7, fig_8
from cunet_tf.trainers.study.tables.results import Results
from tests.fake_runs import finish, protocol


def test_rows_are_epochs_and_the_page_shows_the_last(tmp_path):
    plan = protocol(tmp_path / "runs")
    for seed in plan.seeds:
        finish(plan.job("cunet", seed), 5.0)
    table = fig_7(Context(tmp_path, tmp_path, Results(plan)))
    assert len(table.rows) == 4 and table.rows[0] == {"network": "cunet", "seed": 0, "epoch": 1, "held_out": 9.0,
                                                      "training": 8.0}  # fmt: skip
    assert [row["epoch"] for row in table.shown] == [2, 2] and table.picture
    assert (tmp_path / "fig_07.png").read_bytes().startswith(b"\x89PNG")


def test_nothing_finished_is_no_picture(tmp_path):
    table = fig_8(Context(tmp_path, tmp_path, Results(protocol(tmp_path))))
    assert not table.picture and table.rows[0] == {"network": "detection"} and table.shown is None
