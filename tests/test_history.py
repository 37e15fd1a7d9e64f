import pytest

from cunet_tf.trainers.history import read_history

NAMES = {
    "unet1_head_nme": "nme",
    "val_unet1_head_nme": "val_nme",
    "watched_stack3_head_pck": "watched_pck",
    "val_pass2_unet15_head_nme": "val_nme",
    "val_nme": "val_nme",
    "pck": "pck",
    "val_unet1_head_loss": "val_unet1_head_loss",
    "learning_rate": "learning_rate",
}


@pytest.mark.parametrize("old, new", NAMES.items())
def test_metrics_of_earlier_runs_have_the_names_of_today(tmp_path, old, new):
    (tmp_path / "history.csv").write_text(f"epoch,{old}\n0,7.5\n1,6.5\n")
    assert read_history(tmp_path / "history.csv") == [{"epoch": "1", new: "7.5"}, {"epoch": "2", new: "6.5"}]


def test_no_file_is_no_rows(tmp_path):
    assert read_history(tmp_path / "history.csv") == []
