"""Devices beside one device; the trainings are replaced here."""

import csv

import numpy as np
import pytest

from cunet_tf.trainers.study import measure_devices


def part(shift=0.0):
    start = {"start/kernel": np.zeros((2, 2)), "start/moving_mean": np.zeros(2), "start/fixed": np.ones(1)}
    kernel, mean = np.array([[1.0, -2.0], [0.5, 0.0]]) + shift, np.array([4.0, 0.0]) + 2 * shift
    end = {"end/kernel": kernel, "end/moving_mean": mean, "end/fixed": np.ones(1)}
    return {"losses": np.array([2.0, 1.0]) + shift, **start, **end}


def test_differences_are_shares_of_what_training_has_changed():
    assert measure_devices.differences(part(), part(0.2)) == pytest.approx(
        {"weights": 0.1, "statistics": 0.1, "typical": 0.1}
    )


def test_the_page_of_devices_has_a_row_for_each_way_beside_another(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(measure_devices, "processes", lambda case, way, folder: part(1e-3 * len(way)))
    case = "float, SGD, 20 steps"
    assert measure_devices.main(["", f"--out={tmp_path}", f'--cases="{case}"']) == 0
    rows = list(csv.DictReader((tmp_path / "devices.csv").read_text().splitlines()))
    assert [row["way"] for row in rows] == list(measure_devices.WAYS)[1:]
    page = (tmp_path / "devices.md").read_text()
    assert page.count(f"| {case} |") == 5 and "python -m cunet_tf.trainers.study.measure_devices" in page
    assert measure_devices.main(["", f"--out={tmp_path}", "--cases=nothing"]) == 2
    assert "--cases: nothing: known are" in capsys.readouterr().err


def test_gradients_of_few_bits_are_not_compared_under_jax(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(measure_devices, "processes", lambda case, way, folder: asked.append(way) or part())
    list(measure_devices.compare("TW-QIG(828), SGD, 1 step", tmp_path))
    assert asked and not any("JAX" in way for way in asked)
