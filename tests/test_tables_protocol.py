import pytest

from cunet_tf.errors import CUNetError
from cunet_tf.flags import network_config
from cunet_tf.models.counts import count
from cunet_tf.trainers.study.tables.protocol import Scale, parse_budget, parse_seeds, variants, widths
from tests.fake_runs import finish, protocol


def test_three_architectures_have_about_equal_parameters():
    counts = {name: count(variant.config())["conv_parameters"] for name, variant in variants(Scale()).items()}
    assert (counts["cunet"], counts["hourglass"], counts["dense-unet"]) == (190944, 213240, 187616)


def test_widths_are_those_of_table_2_at_a_quarter():
    assert widths(Scale()) == [(16, 4), (32, 4), (32, 6), (32, 8), (48, 6), (48, 8)]
    names = [name for name in variants(Scale()) if name.startswith("width")]
    assert names == ["width-16-4", "width-32-4", "width-32-6", "width-48-6", "width-48-8"]


def test_flags_describe_the_same_network_as_the_configuration():
    from absl import flags

    from cunet_tf.commands import train

    for variant in variants(Scale()).values():
        values = flags.FlagValues()
        train.define(values)
        values(["cunet train", *variant.flags()])
        assert network_config(values).replace(landmarks=68) == variant.config()
        assert values.targets == variant.targets


def test_job_has_the_flags_of_its_protocol(tmp_path):
    job = protocol(tmp_path).job("iterative-detection-regression", 1)
    assert job.folder == tmp_path / "iterative-detection-regression-s1"
    assert {"--data=synthetic", "--split=5:40", "--images=40", "--epochs=2", "--batch_size=8", "--watch=4", "--seed=1",
            "--preset=face-mobile", "--refinement=4", "--targets=disk,gaussian"} <= set(job.train)  # fmt: skip
    assert "--skeleton=face68" in job.train and job.expects["spec"]["config"]["landmarks"] == 68
    assert not any("skeleton" in flag for flag in protocol(tmp_path, data="300w").job("cunet", 0).train)
    assert job.evaluate == ("--data=synthetic", "--split=9:8")


def test_finished_run_counts_for_its_own_job_only(tmp_path):
    done = protocol(tmp_path)
    finish(done.job("cunet", 0), 5.0)
    assert done.job("cunet", 0).evaluation()["nme_interocular"] == 5.0
    for changes in ({"images": 41}, {"epochs": 3}, {"batch_size": 9}, {"split": "6:40"}, {"test_split": "8:8"},
                    {"scale": Scale(3, 12, 4, 8, 4, 64)}):  # fmt: skip
        assert not protocol(tmp_path, **changes).job("cunet", 0).evaluation(), changes
    assert protocol(tmp_path, data=None).job("cunet", 0).evaluation()


def test_two_names_of_one_network_share_a_run(tmp_path):
    disks, gaussians = protocol(tmp_path), protocol(tmp_path, targets="gaussian")
    assert disks.job("detection", 1) == disks.job("cunet", 1) != disks.job("regression", 1)
    assert gaussians.job("regression", 1) == gaussians.job("cunet", 1) != gaussians.job("detection", 1)


def test_bodies_start_from_the_pose_preset():
    assert {name: variants(Scale(), name)["cunet"].landmarks for name in ("300w", "lspet", "mpii")} == {
        "300w": 68, "lspet": 14, "mpii": 16
    }  # fmt: skip
    assert variants(Scale(), "lspet")["cunet"].preset == "pose-mobile"


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


def test_two_stacks_are_too_few_for_the_orders():
    with pytest.raises(CUNetError, match="--stacks=2"):
        Scale(stacks=2)
