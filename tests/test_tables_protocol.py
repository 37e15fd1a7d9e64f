import pytest

from cunet_tf.errors import CUNetError
from cunet_tf.trainers.study.tables.networks import Scale
from cunet_tf.trainers.study.tables.protocol import parse_budget, parse_seeds
from tests.fake_runs import finish, protocol


def test_job_has_the_flags_of_its_protocol(tmp_path):
    job = protocol(tmp_path).job("iterative-detection-regression", 1)
    assert job.folder == tmp_path / "iterative-detection-regression-s1"
    assert {"--data=synthetic", "--split=5:40", "--images=40", "--epochs=2", "--batch_size=16", "--watch=4",
            "--foreground=20", "--learning_rate=0.002", "--seed=1", "--preset=face-mobile", "--refinement=4",
            "--targets=disk,gaussian"} <= set(job.train)  # fmt: skip
    assert "--skeleton=face68" in job.train and job.expects["spec"]["config"]["landmarks"] == 68
    assert not any("skeleton" in flag for flag in protocol(tmp_path, data="300w").job("cunet", 0).train)
    assert job.evaluate == ("--data=synthetic", "--split=9:8")


def test_finished_run_counts_for_its_own_job_only(tmp_path):
    done = protocol(tmp_path)
    finish(done.job("cunet", 0), 5.0)
    assert done.job("cunet", 0).evaluation()["nme_interocular"] == 5.0
    for changes in ({"images": 41}, {"epochs": 3}, {"batch_size": 9}, {"split": "6:40"}, {"test_split": "8:8"},
                    {"scale": Scale(4, 12, 4, 4, 64)}):  # fmt: skip
        assert not protocol(tmp_path, **changes).job("cunet", 0).evaluation(), changes
    assert protocol(tmp_path, data=None).job("cunet", 0).evaluation()


def test_two_names_of_one_network_share_a_run(tmp_path):
    disks, gaussians = protocol(tmp_path, targets="disk"), protocol(tmp_path)
    assert disks.job("detection", 1) == disks.job("cunet", 1) != disks.job("regression", 1)
    assert gaussians.job("regression", 1) == gaussians.job("cunet", 1) != gaussians.job("detection", 1)


def test_two_passes_get_as_many_updates_of_as_many_pictures(tmp_path):
    plan = protocol(tmp_path)
    assert "--batch_size=8" in plan.job("regression", 0).train and plan.job("regression", 0).expects["batch_size"] == 8
    assert plan.job("iterative-regression-regression", 0).expects["batch_size"] == 16
    assert "about 8 updates" in plan.conditions()  # 38 pictures, 8 an update, 2 epochs


@pytest.mark.parametrize("text", ["", "8", "8x", "0x800", "8x1", "8X800", "-8x800", "8.5x10"])
def test_budget_is_two_numbers(text):
    assert parse_budget("16x800") == (16, 800)
    with pytest.raises(CUNetError, match="EPOCHSxIMAGES"):
        parse_budget(text)


def test_seeds_are_different_numbers():
    assert parse_seeds(["0", "7"]) == (0, 7)
    for wrong in ([], ["0", "0"], ["x"], ["-1"]):
        with pytest.raises(CUNetError, match="--seeds"):
            parse_seeds(wrong)
