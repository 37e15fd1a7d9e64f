"""What is kept of a finished run, where its folder is lost."""

import shutil

from cunet_tf.rows import read_csv
from cunet_tf.trainers.study.tables.records import COLUMNS, HELD_OUT, TRAINING, Records, metric_column
from tests.fake_runs import finish, protocol


def test_a_row_outlives_its_folder(tmp_path):
    plan = protocol(tmp_path / "runs")
    job, other = plan.job("cunet", 0), plan.job("cunet", 1)
    records = Records(tmp_path / "out")
    records.keep([job, other])
    assert records.find(job) is None and not records.file.exists()
    finish(job, 5.25)
    records.keep([job, other])
    shutil.rmtree(job.folder)
    row = Records(tmp_path / "out").find(job)
    assert (row["error"], row["metric"], row["failure_rate"], row["normalizer"]) == (5.25, "NME", 10.0, "interocular")
    assert row[HELD_OUT] == [9.0, 8.0] and row[TRAINING] == [8.0, 7.0] and row["settings"] == job.expects
    assert records.find(other) is None and list(read_csv(records.file)[0]) == list(COLUMNS)


def test_a_row_counts_for_its_own_settings_only(tmp_path):
    plan = protocol(tmp_path / "runs")
    finish(plan.job("cunet", 0), 5.0)
    Records(tmp_path).keep([plan.job("cunet", 0)])
    records = Records(tmp_path)
    assert records.find(plan.job("cunet", 0))
    for changes in ({"images": 41}, {"epochs": 3}, {"batch_size": 9}, {"test_split": "8:8"}, {"box": "given"}):
        assert records.find(protocol(tmp_path / "runs", **changes).job("cunet", 0)) is None, changes
    assert records.find(protocol(tmp_path / "elsewhere").job("cunet", 0))  # wherever it was trained


def test_rows_of_other_settings_stay(tmp_path):
    for images in (40, 20):
        plan = protocol(tmp_path / str(images), images=images)
        finish(plan.job("cunet", 0), 5.0)
        Records(tmp_path).keep([plan.job("cunet", 0)])
    assert len(read_csv(tmp_path / "runs.csv")) == 2
    Records(tmp_path).keep([plan.job("cunet", 0)])
    assert len(read_csv(tmp_path / "runs.csv")) == 2


def test_column_of_the_metric():
    for name in ("nme", "pck"):
        row = {"val_loss": "1", f"val_{name}": "2", f"watched_{name}": "3"}
        assert metric_column(row, HELD_OUT) == f"val_{name}" and metric_column(row, TRAINING) == f"watched_{name}"
    assert metric_column({"val_loss": "1"}, HELD_OUT) is None
