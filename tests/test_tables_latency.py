import pytest

from cunet_tf.rows import write_csv
from cunet_tf.trainers.study.tables.context import Context
from cunet_tf.trainers.study.tables.latency import networks, ratios, table_5, table_11


def rows(milliseconds):
    plain = {"round": 0, "threads": 1, "input_size": 256, "machine": "x", "load": 1.0}
    return [{**plain, "network": name, "engine": engine, "milliseconds": value, "cpu_milliseconds": value + 100.0}
            for name, value in milliseconds.items() for engine in ("keras", "tflite")]  # fmt: skip


def test_ratios_of_hourglass_and_cunet(tmp_path):
    write_csv(tmp_path / "latency.csv", rows({"hourglass-8": 300.0, "pose-8": 100.0}))
    table = table_5(Context(tmp_path, tmp_path))
    found = {row["network"]: row for row in table.rows}
    eight = found["ratio hourglass-8 : pose-8"]
    assert eight["conv_parameters"] == pytest.approx(25248960 / 7907712)
    assert eight["gmac"] == pytest.approx(27.44 / 10.84, rel=1e-3)
    assert (
        eight["keras_ms"] == eight["tflite_ms"] == 3.0
        and eight["keras_cpu_ms"] == 2.0
        and eight["paper_ms"] == pytest.approx(48.9 / 36.1)
    )
    assert found["pose-8"]["keras_ms"] == 100.0 and found["hourglass-16"]["keras_ms"] is None
    assert found["pose-8"]["tflite_cpu_ms"] == 200.0 and found["hourglass-16"]["tflite_cpu_ms"] is None
    assert "untrained weights" in table.about[1]


def test_without_times_the_counts_stand_alone(tmp_path):
    table = table_5(Context(tmp_path, tmp_path))
    assert table.rows[0]["conv_parameters"] == 50218176 and "Not measured yet" in table.about[1]
    assert ratios({}, "hourglass-4", "pose-4")["tflite_ms"] is None


def test_other_systems_are_quoted(tmp_path):
    rows = {row["system"]: row for row in table_11(Context(tmp_path, tmp_path)).rows}
    assert rows["Chu"]["paper_parameters"] == 58.1 and "conv_parameters" not in rows["Chu"]
    assert rows["Newell"]["conv_parameters"] == 25248960


def test_small_networks_come_first():
    assert networks()[0] == "pose-4" and networks()[-1] == "hourglass-16"
