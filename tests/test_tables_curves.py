from cunet_tf.trainers.study.tables.context import Context
from cunet_tf.trainers.study.tables.curves import fig_7, fig_8
from tests.fake_runs import finish, protocol, results_of


def test_rows_are_epochs_and_the_page_shows_the_last(tmp_path):
    plan = protocol(tmp_path / "runs")
    for seed in plan.seeds:
        finish(plan.job("width-8-4", seed), 5.0)
    table = fig_7(Context(tmp_path, tmp_path, results_of(plan, tmp_path)))
    assert len(table.rows) == 4 and table.rows[0] == {"network": "width-8-4", "seed": 0, "epoch": 1, "held_out": 9.0,
                                                      "training": 8.0}  # fmt: skip
    assert [row["epoch"] for row in table.shown] == [2, 2] and table.picture
    assert (tmp_path / "fig_07.png").read_bytes().startswith(b"\x89PNG")


def test_nothing_finished_is_no_picture(tmp_path):
    table = fig_8(Context(tmp_path, tmp_path, results_of(protocol(tmp_path), tmp_path)))
    assert not table.picture and table.rows[0] == {"network": "dense-unet"} and table.shown is None


def test_fluctuation_is_the_mean_change_of_the_second_half(tmp_path):
    plan = protocol(tmp_path, epochs=6)
    for name in ("dense-unet", "supervisions-1"):
        for seed in plan.seeds:
            finish(plan.job(name, seed), 5.0)
    history = plan.job("dense-unet", 0).folder / "history.csv"
    values = (9, 8, 7, 5, 6, 4)
    history.write_text("epoch,watched_nme,val_nme\n" + "".join(f"{i},5,{value}\n" for i, value in enumerate(values)))
    plan.job("dense-unet", 0).mark_trained()
    (plan.job("dense-unet", 0).folder / "evaluation.json").touch()
    text = fig_8(Context(tmp_path, tmp_path, results_of(plan, tmp_path))).below[0]
    assert "dense-unet 1.500 and 1.000, supervisions-1 1.000 and 1.000, supervisions-2 -." in text
