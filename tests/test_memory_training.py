import csv

import pytest
from absl import flags

from cunet_tf.data.sample import MEGAPIXELS, limit_megapixels
from cunet_tf.trainers.study.memory.training import define, main, make_jobs, write_tables
from tests.fake_runs import finish

FLAGS = ["", "--data=synthetic", "--split=5:40", "--test_split=9:8", "--images=40", "--epochs=2"]


@pytest.fixture
def values(tmp_path):
    values = flags.FlagValues()
    define(values)
    values([*FLAGS, f"--workdir={tmp_path / 'runs'}", f"--out={tmp_path}", "--modes=none,both"])
    return values


def test_each_mode_and_seed_is_a_run_of_its_own(values):
    jobs = make_jobs(values)
    assert list(jobs) == [("none", "0"), ("both", "0"), ("none", "1"), ("both", "1")]
    job = jobs["both", "1"]
    assert {"--memory=both", "--seed=1", "--preset=face-mobile", "--images=40", "--targets=disk"} <= set(job.train)
    assert job.folder.name == "both-s1" and job.evaluate == ("--data=synthetic", "--split=9:8")


def test_table_compares_equal_seeds(values, tmp_path):
    jobs = make_jobs(values)
    for (mode, seed), nme in {("none", "0"): 5.0, ("none", "1"): 7.0, ("both", "0"): 5.5}.items():
        finish(jobs[mode, seed], nme)
    write_tables(values, jobs)
    page = (tmp_path / "memory_training.md").read_text()
    assert "| none | 5 | 7 | 6 | +0.0 % |" in page
    assert "| both | 5.5 | - | 5.5 | +10.0 % |" in page
    assert "`python -m cunet_tf.trainers.study.memory.training --data=synthetic" in page
    with (tmp_path / "memory_training.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["memory"], row["seed"], float(row["error"])) for row in rows] == [
        ("none", "0", 5.0), ("both", "0", 5.5), ("none", "1", 7.0),
    ]  # fmt: skip


def test_a_run_of_another_budget_does_not_count(values):
    finish(make_jobs(values)["none", "0"], 5.0)
    values.epochs = 3
    assert not make_jobs(values)["none", "0"].evaluation()


@pytest.mark.parametrize("flag, words", [("--modes=al", "unknown memory mode"), ("--seeds=x", "--seeds=x")])
def test_bad_flags(flag, words, tmp_path, capsys):
    assert main([*FLAGS, f"--workdir={tmp_path}", flag]) == 2
    assert words in capsys.readouterr().err


def test_what_reads_pictures_goes_on_to_every_run(tmp_path):
    values = flags.FlagValues()
    define(values)
    try:
        values([*FLAGS, f"--workdir={tmp_path}", "--max_megapixels=150", "--allow_outside"])
        for job in make_jobs(values).values():
            assert {"--max_megapixels=150.0", "--allow_outside"} <= {*job.train} & {*job.evaluate}
    finally:
        limit_megapixels(MEGAPIXELS)
