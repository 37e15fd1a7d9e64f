import csv

from cunet_tf.trainers.study.measure_boxes import COLUMNS, main

FLAGS = ["measure_boxes", "--data=synthetic", "--split=5:12", "--looks=2"]


def test_recall_error_and_time_of_every_kind_of_box(tmp_path):
    assert main([*FLAGS, f"--csv={tmp_path / 'boxes.csv'}"]) == 0
    rows = list(csv.DictReader((tmp_path / "boxes.csv").read_text().splitlines()))
    assert list(rows[0]) == list(COLUMNS)
    assert [(row["boxes"], row["looks"]) for row in rows] == [
        (boxes, looks) for boxes in ("tight", "blazeface", "whole picture") for looks in ("1", "2")
    ]
    assert all(float(row["recall_percent"]) == 100 for row in rows if row["boxes"] == "tight")
    assert all(float(row["recall_percent"]) > 80 for row in rows if row["boxes"] == "blazeface")
    assert float(rows[2]["detector_ms"]) > float(rows[0]["detector_ms"])


def test_bad_input(tmp_path, capsys):
    (tmp_path / "mine.csv").write_text("precious")
    assert main([*FLAGS, f"--csv={tmp_path / 'mine.csv'}"]) == 2
    assert main([*FLAGS, "--detector=nowhere.tflite"]) == 2
    errors = capsys.readouterr().err
    assert "mine.csv exists" in errors and "nowhere.tflite" in errors
