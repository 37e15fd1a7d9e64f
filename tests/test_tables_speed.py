"""A tiny network through both engines; the ratios by hand."""

import pytest

from cunet_tf.rows import write_csv
from cunet_tf.trainers.study.tables.speed import (
    CPU,
    KERAS,
    TFLITE,
    WALL,
    default_machine,
    measure,
    median,
    ratio,
    read_times,
    specs,
)


@pytest.fixture(scope="module")
def measured(tiny_spec, tmp_path_factory):
    file = tmp_path_factory.mktemp("speed") / "latency.csv"
    small = tiny_spec.replace(config=tiny_spec.config.replace(stacks=1, levels=1), name="small")
    write_csv(file, measure([small], 3, "one machine"))
    return file


def test_every_engine_is_timed_in_every_round(measured):
    times, words = read_times(measured)
    assert set(times) == {("small", engine, clock) for engine in (KERAS, TFLITE) for clock in (WALL, CPU)}
    assert all(len(values) == 3 and min(values) > 0 for values in times.values())
    assert "3 rounds" in words and "64 px" in words and "one machine" in words and "(1 thread)" in words


def test_ratio_is_taken_round_by_round():
    times = {("a", KERAS, WALL): [2.0, 4.0, 30.0], ("b", KERAS, WALL): [1.0, 1.0, 10.0], ("b", KERAS, CPU): [7.0]}
    assert median(times, "a", KERAS) == 4.0 and ratio(times, "a", "b", KERAS) == 3.0
    assert median(times, "b", KERAS, CPU) == 7.0 and ratio(times, "a", "b", KERAS, CPU) is None
    assert median(times, "a", TFLITE) is None and ratio(times, "a", "c", KERAS) is None


def test_nothing_measured_says_what_to_do(tmp_path):
    assert read_times(tmp_path / "none.csv") == ({}, "Not measured yet: cunet tables --table=5,11 --time.")


def test_presets_and_machine():
    assert [spec.name for spec in specs(["pose-4"])] == ["pose-4"] and "cores" in default_machine()


def test_file_without_cpu_time_is_read(tmp_path):
    row = {"round": 0, "network": "a", "engine": KERAS, "milliseconds": 2.0, "threads": 2, "input_size": 64}
    write_csv(tmp_path / "old.csv", [{**row, "machine": "x", "load": 1.0}, {**row, "engine": TFLITE, "load": 1.0}])
    times, _ = read_times(tmp_path / "old.csv")
    assert median(times, "a", KERAS) == 2.0 and median(times, "a", KERAS, CPU) is None
