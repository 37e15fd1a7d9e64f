"""The study of own landmarks: equal updates for every run, calls that train takes, tables of what is finished."""

import csv
import json

import pytest
from absl import flags

from cunet_tf.commands import train
from cunet_tf.data.folder import load_folder
from cunet_tf.trainers.study import fine_tuning, jobs
from tests.fake_runs import fake_run

FLAGS = ["fine_tuning", "--data=synthetic", "--split=0:24", "--test_split=1:4", "--pictures=4,20", "--updates=40"]


def values_of(*options):
    values = flags.FlagValues()
    fine_tuning.define(values)
    values([*FLAGS, *options])
    return values


def finished(verb, arguments, log):
    """In place of a process: what a run leaves, from its flags; from scratch is twice as bad as from weights."""
    given = dict(each.removeprefix("--").partition("=")[::2] for each in arguments)
    if verb == "train":
        count, held = int(given["images"]), round(float(given["val_share"]) * int(given["images"]))
        data = {"train_images": count - held, "validation_images": held}
        fake_run(log.with_suffix(""), int(given["epochs"]), "test", data=data, seed=int(given["seed"]),
                 batch_size=int(given["batch_size"]), init=given.get("init"))  # fmt: skip
        (log.with_suffix("") / "evaluation.json").unlink()
    else:
        name = log.stem
        found = {"split": given["split"], "box": "tight", "images": 4, "normalizer": "box",
                 "nme_box": 8.0 if "scratch" in name else 4.0}  # fmt: skip
        (log.with_suffix("") / "evaluation.json").write_text(json.dumps(found))


@pytest.fixture(scope="module")
def studied(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "run_verb", finished)
        assert fine_tuning.main([*FLAGS, f"--workdir={folder / 'runs'}", f"--out={folder / 'out'}"]) == 0
    return folder


def test_every_run_has_as_many_updates_and_a_call_that_train_takes(tmp_path):
    made = fine_tuning.make_jobs(values_of(f"--workdir={tmp_path}"))
    assert [job.name for job in made[:4]] == ["4-face-mobile-0", "4-scratch-0", "4-face-mobile-1", "4-scratch-1"]
    for job in made:
        values = flags.FlagValues()
        train.define(values)
        values(["train", *job.train])
        pictures = int(job.name.split("-")[0])
        assert values.images - round(values.val_share * values.images) == pictures
        assert values.epochs * (pictures // values.batch_size) == 40
        assert (values.init == "face-mobile") is ("scratch" not in job.name)


def test_tables_and_page(studied):
    rows = list(csv.DictReader((studied / "out/fine_tuning_synthetic.csv").read_text().splitlines()))
    assert tuple(rows[0]) == fine_tuning.COLUMNS and len(rows) == 8
    assert {(row["start"], row["nme"], row["updates"]) for row in rows} == {
        ("face-mobile", "4", "40"),
        ("scratch", "8", "40"),
    }
    page = (studied / "out/fine_tuning_synthetic.md").read_text()
    assert "| 20 | 1 | scratch | 8, 8 | 8 |" in page and "--pictures=4,20" in page and "5 landmarks" not in page
    assert (studied / "out/fine_tuning_synthetic.png").read_bytes()[1:4] == b"PNG"


def test_the_pictures_are_a_folder_of_ones_own(studied):
    source = load_folder(studied / "runs/train-pictures", "train")
    assert len(source) == 24 and source.skeleton.size == 5
    assert {frozenset(pair) for pair in source.skeleton.flip_pairs} == {frozenset((1, 2)), frozenset((3, 4))}
    assert set(source.skeleton.names) == set(fine_tuning.TASKS["synthetic"].landmarks)


def test_a_second_call_trains_nothing(studied, monkeypatch):
    monkeypatch.setattr(jobs, "run_verb", None)
    assert fine_tuning.main([*FLAGS, f"--workdir={studied / 'runs'}", f"--out={studied / 'out'}"]) == 0


def test_somebody_elses_table_stays(tmp_path, capsys):
    (tmp_path / "fine_tuning_synthetic.md").write_text("mine")
    assert fine_tuning.main([*FLAGS, f"--workdir={tmp_path / 'runs'}", f"--out={tmp_path}"]) == 2
    assert "fine_tuning_synthetic.md exists and was not written by cunet" in capsys.readouterr().err
