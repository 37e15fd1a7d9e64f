import csv
from types import SimpleNamespace

import numpy as np
import pytest

from cunet_tf.trainers.study import measure_training_speed
from cunet_tf.trainers.teacher import Teaching


def test_table_has_a_ratio_for_each_network_and_each_way_to_teach_it(tmp_path, monkeypatch):
    monkeypatch.setattr(
        measure_training_speed, "runner", lambda preset, quant, batch, teaching=None: (lambda: None, 1.25)
    )
    file = tmp_path / "speed.csv"
    argv = ["", "--quants=float;BW-a-QIG(8,1,32)", "--rounds=2", "--steps=1", f"--csv={file}"]
    assert measure_training_speed.main(argv) == 0
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert [row["quant"] for row in rows] == ["float", "BW-a-QIG(8,1,32)"]
    assert float(rows[0]["ratio"]) == 1.0 and rows[0]["first_step_s"] == "1.2"
    argv[1] = "--quants=float"
    assert measure_training_speed.main([*argv, "--teacher=large.keras"]) == 0
    names = [row["quant"] for row in csv.DictReader(file.read_text().splitlines())]
    assert names == ["float", *(f"float, teacher with {views} views" for views in (1, 2, 4))]


def test_ratios_are_taken_round_by_round():
    times, yardstick = [(2.0, 3.0), (4.0, 3.0), (9.0, 3.0)], [(1.0, 1.0), (2.0, 1.0), (3.0, 1.0)]
    row = measure_training_speed.row("x", times, yardstick)
    assert row == {"quant": "x", "step_ms": "4000.0", "ratio": "2.000", "processor_ms": "3000.0",
                   "processor_ratio": "3.000"}  # fmt: skip


def test_a_step_is_timed_by_both_clocks(monkeypatch):
    now = {"wall": 5.0, "processor": 50.0}
    clocks = SimpleNamespace(perf_counter=lambda: now["wall"], process_time=lambda: now["processor"])
    monkeypatch.setattr(measure_training_speed, "time", clocks)

    def step():
        now["wall"] += 0.5
        now["processor"] += 2.0

    assert measure_training_speed.timed(step, 3) == (0.5, 2.0)


@pytest.fixture
def compiled(monkeypatch):
    """A network of two heads that counts its steps; what it was compiled with."""
    state = SimpleNamespace(batches=[], codecs=None, quant=None)

    def step(images, targets):
        state.batches.append((images, targets))
        return [np.float32(1.0)]

    def build(spec, quant):
        state.quant = quant
        state.model = SimpleNamespace(outputs=[1, 2], train_on_batch=step)
        return state.model

    monkeypatch.setattr(measure_training_speed, "build_network", build)
    monkeypatch.setattr(measure_training_speed, "compile_model",
                        lambda model, spec, optimizer, codecs: setattr(state, "codecs", codecs))  # fmt: skip
    monkeypatch.setattr(measure_training_speed, "Teacher", lambda teaching, spec: (teaching, spec.name))
    return state


def test_a_network_is_warm_before_it_is_timed(compiled):
    step, first = measure_training_speed.runner("face-mobile", "BW-a", 4)
    assert 0.0 <= first < 1.0
    assert compiled.quant == "BW-a" and len(compiled.batches) == measure_training_speed.WARM_UP
    step()
    assert len(compiled.batches) == measure_training_speed.WARM_UP + 1
    images, targets = compiled.batches[-1]
    assert images.shape == (4, 128, 128, 3) and len(targets) == 2 and compiled.model.teacher is None
    places, shown = targets[0][..., :2], targets[0][..., 2]
    assert (shown == 1.0).all() and places.min() >= 0.0 and 30.0 < places.max() < 32.0


def test_a_teacher_is_a_part_of_the_loss(compiled):
    teaching = Teaching("face-large", weight=0.25, views=2)
    measure_training_speed.runner("face-mobile", "float", 4, teaching)
    assert compiled.model.teacher == (teaching, "face-mobile")
    assert {codec.teacher for codec in compiled.codecs} == {0.25}


def test_bad_input_is_one_sentence(tmp_path, capsys):
    (tmp_path / "mine.csv").write_text("precious")
    assert measure_training_speed.main(["", f"--csv={tmp_path / 'mine.csv'}"]) == 2
    assert measure_training_speed.main(["", "--quants=BWX", f"--csv={tmp_path / 'new.csv'}"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and all(line.startswith("measure_training_speed: error: ") for line in lines)
    assert "mine.csv exists" in lines[0] and "BWX" in lines[1] and not (tmp_path / "new.csv").exists()
