import csv
from pathlib import Path
from types import SimpleNamespace

import pytest
from absl import flags

from cunet_tf.data.sample import MEGAPIXELS, limit_megapixels
from cunet_tf.errors import CUNetError
from cunet_tf.trainers.study.memory.training import define, main, make_jobs, to_markdown, write_tables
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


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """Runs are played: a training leaves a finished run; names of those that were trained, and of one that fails."""
    state = SimpleNamespace(names=[], fails=None)

    def run(verb, arguments, log):
        folder = next(Path(word.partition("=")[2]) for word in arguments if word.startswith(("--workdir", "--out")))
        if verb == "train":
            if folder.name == state.fails:
                raise CUNetError(f"cunet train ended with code 2: see {log}.")
            state.names.append(folder.name)
            finish(next(job for job in state.jobs() if job.folder == folder), 4.0)

    def jobs():
        values = flags.FlagValues()
        define(values)
        values(state.words)
        return make_jobs(values).values()

    state.words = [*FLAGS, f"--workdir={tmp_path / 'runs'}", f"--out={tmp_path}", "--modes=none,both", "--seeds=0"]
    state.jobs = jobs
    monkeypatch.setattr("cunet_tf.trainers.study.jobs.run_verb", run)
    return state


def test_the_command_trains_what_is_missing_and_no_more(trained, tmp_path):
    assert main(trained.words) == 0 and trained.names == ["none-s0", "both-s0"]
    page = (tmp_path / "memory_training.md").read_text()
    assert "| both | 4 | 4 | +0.0 % |" in page
    trained.words = [word.replace("--seeds=0", "--seeds=0,1") for word in trained.words]
    assert main(trained.words) == 0
    assert trained.names == ["none-s0", "both-s0", "none-s1", "both-s1"]


def test_a_run_that_fails_leaves_the_others_in_the_table(trained, tmp_path, capsys):
    trained.fails = "none-s0"
    assert main(trained.words) == 1 and trained.names == ["both-s0"]
    assert "none-s0: cunet train ended with code 2" in capsys.readouterr().err
    page = (tmp_path / "memory_training.md").read_text()
    assert "against both, the same seeds" in page and "| both | 4 | 4 | +0.0 % |" in page and "| none |" not in page


def test_a_page_of_somebody_else_is_kept(trained, tmp_path, capsys):
    (tmp_path / "memory_training.md").write_text("mine")
    assert main(trained.words) == 2 and not trained.names
    assert "was not written by cunet" in capsys.readouterr().err


def test_a_mode_without_a_seed_of_the_yardsticks_is_not_compared():
    head = {"preset": "p", "data": "d", "split": "s", "train_images": 1, "epochs": 1, "batch_size": 1, "images": 1,
            "test_split": "t", "box": "tight", "metric": "NME", "normalizer": "n"}  # fmt: skip
    found = [("none", 0, 4.0), ("none", 1, 8.0), ("both", 1, 6.0), ("other", 2, 5.0)]
    text = to_markdown([{**head, "memory": mode, "seed": seed, "error": error} for mode, seed, error in found], "c")
    assert "| both | - | 6 | - | 6 | -25.0 % |" in text  # against seed 1 alone
    assert "| other | - | - | 5 | 5 | - |" in text


def test_an_unknown_flag_is_one_sentence(capsys):
    assert main([*FLAGS, "--epoch=x"]) == 2
    assert capsys.readouterr().err.startswith("measure_memory_training: error: ")
