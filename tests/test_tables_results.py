import json

import pytest

from cunet_tf.trainers.study.tables.context import Context
from cunet_tf.trainers.study.tables.records import HELD_OUT, TRAINING
from cunet_tf.trainers.study.tables.results import curve_label, mean
from tests.fake_runs import finish, protocol, results_of


@pytest.fixture
def results(tmp_path):
    plan = protocol(tmp_path)
    finish(plan.job("cunet", 0), 5.0)
    finish(plan.job("cunet", 1), 7.0, failure_rate=20.0)
    finish(plan.job("order-0", 0), 9.0)
    return results_of(plan, tmp_path)


def test_columns_have_mean_and_every_seed(results):
    assert results.columns("cunet") == {"metric": "NME", "mean": 6.0, "seed_0": 5.0, "seed_1": 7.0,
                                        "failure_rate": 15.0}  # fmt: skip
    assert results.columns("order-0")["seed_1"] is None and results.columns("order-0")["mean"] == 9.0
    assert set(results.columns("order-2").values()) == {None}


def test_joints_are_shown_as_pck_and_compared_by_their_error(tmp_path):
    plan = protocol(tmp_path)
    finish(plan.job("cunet", 0), 0.0, pck=60.0, pckh=None, pck_means={"limbs": 50.0}, per_group={}, failure_rate=None)
    found = results_of(plan, tmp_path)
    figures = found.figures("cunet")[0]
    assert (figures["metric"], figures["value"], figures["error"]) == ("PCK@0.2", 60.0, 40.0)
    assert found.columns("cunet")["failure_rate"] is None and found.higher("cunet")


def test_curves_come_from_the_history_of_finished_runs(results):
    assert results.curve("cunet", TRAINING) == {0: [8.0, 7.0], 1: [8.0, 7.0]}
    assert results.mean_curve("cunet", HELD_OUT) == [9.0, 8.0] and results.mean_curve("order-2", HELD_OUT) == []


def test_mean_of_undefined_values_is_undefined():
    assert mean([]) is None and mean([1.0, None]) is None and mean([1.0, 3.0]) == 2.0


def test_axes_name_metric_unit_yardstick_and_pictures(results, tmp_path):
    label = results.axis_label(["order-2", "cunet"], "held-out pictures")  # the first has no finished run
    assert label == "NME [% of interocular distance],\nheld-out pictures of synthetic 5:40, lower is better"
    assert results.axis_label(["order-2"], "pictures") == ""
    assert curve_label("PCK@0.2", "torso", "pictures") == "PCK@0.2 of the torso [%],\npictures, higher is better"


def test_runs_of_another_device_are_named(tmp_path):
    plan = protocol(tmp_path / "runs")
    for name, seed, device in (("cunet", 0, "some CPU"), ("cunet", 1, "some CPU"), ("order-0", 1, "some GPU")):
        job = plan.job(name, seed)
        finish(job, 5.0)
        config = json.loads((job.folder / "config.json").read_text())
        (job.folder / "config.json").write_text(json.dumps({**config, "device": device}))
    results = results_of(plan, tmp_path)
    assert results.devices() == {"some CPU": ["cunet-s0", "cunet-s1"], "some GPU": ["order-0-s1"]}
    told = Context(tmp_path, tmp_path, results).conditions()
    assert told[1:] == ["Trained on some GPU, the others on some CPU: order-0-s1."]
    assert Context(tmp_path, tmp_path, results, runs=["cunet", "order-3"]).conditions() == told[:1]
