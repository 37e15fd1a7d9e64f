import csv

from cunet_tf.trainers.study import measure_training_speed


def test_table_has_a_ratio_for_each_network(tmp_path, monkeypatch):
    monkeypatch.setattr(measure_training_speed, "runner", lambda preset, quant, batch: lambda: None)
    file = tmp_path / "speed.csv"
    argv = ["", "--quants=float;BW-a-QIG(8,1,32)", "--rounds=2", "--steps=1", f"--csv={file}"]
    assert measure_training_speed.main(argv) == 0
    rows = list(csv.DictReader(file.open()))
    assert [row["quant"] for row in rows] == ["float", "BW-a-QIG(8,1,32)"]
    assert float(rows[0]["ratio"]) == 1.0


def test_ratio_is_taken_round_by_round():
    row = measure_training_speed.row("x", [2.0, 4.0, 9.0], [1.0, 2.0, 3.0])
    assert row == {"quant": "x", "step_ms": "4000.0", "ratio": "2.000"}
