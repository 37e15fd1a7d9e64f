import csv

from cunet_tf.trainers.study import measure_training_speed


def test_table_has_a_ratio_for_each_network_and_each_way_to_teach_it(tmp_path, monkeypatch):
    monkeypatch.setattr(measure_training_speed, "runner", lambda preset, quant, batch, teaching=None: lambda: None)
    file = tmp_path / "speed.csv"
    argv = ["", "--quants=float;BW-a-QIG(8,1,32)", "--rounds=2", "--steps=1", f"--csv={file}"]
    assert measure_training_speed.main(argv) == 0
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert [row["quant"] for row in rows] == ["float", "BW-a-QIG(8,1,32)"]
    assert float(rows[0]["ratio"]) == 1.0
    argv[1] = "--quants=float"
    assert measure_training_speed.main([*argv, "--teacher=large.keras"]) == 0
    names = [row["quant"] for row in csv.DictReader(file.read_text().splitlines())]
    assert names == ["float", *(f"float, teacher with {views} views" for views in (1, 2, 4))]


def test_ratios_are_taken_round_by_round():
    times, yardstick = [(2.0, 3.0), (4.0, 3.0), (9.0, 3.0)], [(1.0, 1.0), (2.0, 1.0), (3.0, 1.0)]
    row = measure_training_speed.row("x", times, yardstick)
    assert row == {"quant": "x", "step_ms": "4000.0", "ratio": "2.000", "processor_ms": "3000.0",
                   "processor_ratio": "3.000"}  # fmt: skip
