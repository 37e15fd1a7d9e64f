"""Devices beside one device; the trainings are replaced here."""

import csv
import json
import socket
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cunet_tf.errors import CUNetError
from cunet_tf.trainers.devices import Team
from cunet_tf.trainers.study import measure_devices
from tests.networks import spec_of


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


def test_a_statistic_is_no_weight_and_one_entry_is_not_typical():
    one, other = part(), part()
    other["end/moving_mean"] = one["end/moving_mean"] + [0.0, 1.0]
    other["end/kernel"] = one["end/kernel"] + [[0.0, 0.0], [0.0, 0.5]]
    found = measure_devices.differences(one, other)
    assert found == {"weights": 0.25, "statistics": 0.25, "typical": 0.0}


@given(st.floats(1e-3, 1e3))
def test_differences_have_no_unit(scale):
    one, other = ({name: scale * each for name, each in part(shift).items()} for shift in (0.0, 0.3))
    assert measure_devices.differences(one, other) == pytest.approx(measure_devices.differences(part(), part(0.3)))


def test_two_devices_under_jax_are_beside_one_under_jax(tmp_path, monkeypatch):
    found = {"JAX, one device": part(0.5), "JAX, two devices": part(0.5)}
    monkeypatch.setattr(measure_devices, "processes", lambda case, way, folder: found.get(way, part()))
    rows = {row["way"]: row for row in measure_devices.compare("float, SGD, 20 steps", tmp_path)}
    assert rows["JAX, one device"]["loss_difference"] == 0.5  # of 2 and 1 the second step's
    assert rows["JAX, two devices"]["loss_difference"] == rows["JAX, two devices"]["weights"] == 0.0


@pytest.fixture
def played(tmp_path, monkeypatch):
    """Processes that write what :func:`processes` reads; what each was given, and how it is to end."""
    state = SimpleNamespace(started=[], killed=0, code=0)

    class Process:
        def __init__(self, command, env, **_):
            self.returncode = None
            wanted = json.loads(command[-1].removeprefix("--part="))
            state.started.append((wanted, env))
            np.savez(wanted["out"], losses=np.array([len(state.started)]))

        def communicate(self):
            self.returncode = state.code
            return None, "a" * 2000 + "the last words"

        def kill(self):
            state.killed += 1

    monkeypatch.setattr(measure_devices.subprocess, "Popen", Process)
    return state


@pytest.mark.parametrize(
    "way, backend, rounded", [("one device", "tensorflow", False), (measure_devices.ROUNDED, "tensorflow", True),
                              ("JAX, two devices", "jax", False)],
)  # fmt: skip
def test_one_process_trains_in_a_way(played, tmp_path, monkeypatch, way, backend, rounded):
    monkeypatch.delenv(measure_devices.VARIABLE, raising=False)
    found = measure_devices.processes("float, SGD, 20 steps", way, tmp_path)
    ((wanted, environment),) = played.started
    assert found["losses"] == [1] and environment["KERAS_BACKEND"] == backend
    assert measure_devices.VARIABLE not in environment
    assert wanted["rounded"] is rounded and wanted["strategy"] == measure_devices.WAYS[way][1]


def test_all_ways_of_a_quantization_start_from_one_file(played, tmp_path):
    for case in ("float, SGD, 20 steps", "float, RMSprop, 1 step", "TW-QIG(828), SGD, 1 step"):
        measure_devices.processes(case, "two CPUs, mirrored", tmp_path)
    first, second, third = (wanted["start"] for wanted, _ in played.started)
    assert first == second != third and {wanted["devices"] for wanted, _ in played.started} == {2}


def test_two_workers_know_each_other(played, tmp_path):
    measure_devices.processes("float, SGD, 20 steps", "two workers", tmp_path)
    clusters = [json.loads(environment[measure_devices.VARIABLE]) for _, environment in played.started]
    assert [each["task"] for each in clusters] == [{"type": "worker", "index": index} for index in range(2)]
    assert clusters[0]["cluster"] == clusters[1]["cluster"] and len(set(clusters[0]["cluster"]["worker"])) == 2
    assert played.killed == 2


def test_a_way_that_fails_is_quoted_and_all_are_ended(played, tmp_path):
    played.code = 1
    with pytest.raises(CUNetError) as caught:
        measure_devices.processes("float, SGD, 20 steps", "two workers", tmp_path)
    words = str(caught.value)
    assert words.startswith("float, SGD, 20 steps, two workers: aaa") and words.endswith("the last words")
    assert len(words) < 1600 and played.killed == 2


def test_addresses_are_of_this_machine_and_free():
    names = measure_devices.free_addresses(3)
    assert len(set(names)) == 3 and all(name.startswith("127.0.0.1:") for name in names)
    for name in names:
        socket.create_server(("127.0.0.1", int(name.rpartition(":")[2]))).close()


class Fit:
    """A model that answers each step with one loss less."""

    def __init__(self, variables=()):
        self.variables, self.asked, self.loss = list(variables), [], 100.0

    def fit(self, data, steps_per_epoch, initial_epoch, epochs, callbacks, **_):
        self.asked.append((data, steps_per_epoch, initial_epoch, epochs))
        for _ in range(steps_per_epoch):
            self.loss -= 1.0
            callbacks[0].on_train_batch_end(0, {"loss": self.loss})
        for variable in self.variables:
            variable.assign(variable + 1.0)


@pytest.mark.parametrize("case, steps", [("float, SGD, 20 steps", [8, 8, 4]), ("float, RMSprop, 1 step", [1])])
def test_a_part_writes_its_losses_and_variables(tmp_path, monkeypatch, case, steps):
    model = Fit([keras.Variable([1.0, 2.0], name="kernel")])
    monkeypatch.setattr(measure_devices, "_compiled", lambda wanted, spec: model)
    monkeypatch.setattr(Team, "feed", lambda self, examples, batch, training, epoch: (len(examples.source), epoch))
    wanted = {"case": case, "strategy": "one", "devices": 0, "out": str(tmp_path / "part.npz")}
    assert measure_devices.main(["", f"--out={tmp_path}", f"--part={json.dumps(wanted)}"]) == 0
    pictures = measure_devices.PICTURES
    assert model.asked == [((pictures, epoch), count, epoch, epoch + 1) for epoch, count in enumerate(steps)]
    found = dict(np.load(tmp_path / "part.npz"))
    np.testing.assert_array_equal(found["losses"], 99.0 - np.arange(sum(steps)))
    np.testing.assert_array_equal(found["start/kernel"], [1.0, 2.0])
    np.testing.assert_array_equal(found["end/kernel"], np.array([1.0, 2.0]) + len(steps))


def test_only_the_chief_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(measure_devices, "_compiled", lambda wanted, spec: Fit())
    monkeypatch.setattr(Team, "feed", lambda self, *_, **__: None)
    monkeypatch.setattr(Team, "chief", False)
    wanted = {"case": "float, RMSprop, 1 step", "strategy": "one", "devices": 0, "out": str(tmp_path / "part.npz")}
    measure_devices.train_part(wanted)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("rounded", [False, True])
def test_the_control_starts_off_by_a_last_bit_of_its_kernels(tmp_path, monkeypatch, rounded):
    start = tmp_path / "start.keras"
    kernel, gamma = keras.Variable([0.5, -0.25, 0.0], name="kernel"), keras.Variable([1.0], name="gamma")
    model = SimpleNamespace(trainable_variables=[kernel, gamma], save=lambda file: file.touch())
    built, compiled = [], []
    monkeypatch.setattr("cunet_tf.models.build.build_network", lambda spec: built.append(spec) or model)
    monkeypatch.setattr("cunet_tf.models.saved.load_keras", lambda file: model)
    monkeypatch.setattr("cunet_tf.trainers.fit.compile_model", lambda model, spec, made, codecs: compiled.append(made))
    wanted = {"case": "float, SGD, 20 steps", "start": str(start), "rounded": rounded}
    assert measure_devices._compiled(wanted, spec_of()) is model
    before = np.float32([0.5, -0.25, 0.0])
    np.testing.assert_array_equal(kernel, np.nextafter(before, np.float32(2.0)) if rounded else before)
    np.testing.assert_array_equal(gamma, [1.0])
    measure_devices._compiled({**wanted, "case": "float, RMSprop, 1 step"}, spec_of())
    assert len(built) == 1  # the others start from the first one's file
    assert [(type(made).__name__, float(made.learning_rate)) for made in compiled] == [
        ("SGD", pytest.approx(1e-6)), ("RMSprop", pytest.approx(1e-3)),
    ]  # fmt: skip
