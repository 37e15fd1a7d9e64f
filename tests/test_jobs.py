"""The state of a job from its folder alone; the real processes are in test_sweep.py and test_tables.py."""

import os
import subprocess

import pytest

from cunet_tf.errors import CUNetError
from cunet_tf.flags import shown_path
from cunet_tf.trainers.study.job_process import run_verb
from cunet_tf.trainers.study.jobs import Job, run_jobs
from tests.fake_runs import fake_run


@pytest.fixture
def job(tmp_path):
    return Job("float", tmp_path / "float", ("--seed=0",), ("--data=x",), "9:8", expects={"spec": {"quant": "float"}})


def test_state_comes_from_the_folder(job):
    assert not job.config() and not job.trained() and not job.evaluation() and job.other() is None
    fake_run(job.folder)
    assert job.trained() and job.evaluation() and len(job.history()) == 2
    fake_run(job.folder, split="other")
    assert job.trained() and not job.evaluation()


def test_run_that_was_cut_before_its_last_checkpoint_is_not_trained(job):
    fake_run(job.folder)
    os.utime(job.folder / "last.keras", (0, 0))
    assert not job.trained() and not job.evaluation()
    job.mark_trained()
    assert job.trained()


def test_missing_epochs_and_other_settings_are_not_trained(job):
    fake_run(job.folder)
    (job.folder / "history.csv").write_text("epoch\n0\n")
    os.utime(job.folder / "history.csv", (0, 0))
    assert not job.trained()
    fake_run(job.folder, spec={"quant": "BW"})
    assert not job.trained() and job.other() == "spec.quant is 'BW', not 'float'"
    fake_run(job.folder, spec={})
    assert job.other() == "spec.quant is absent, not 'float'"


def test_images_are_those_of_both_parts(tmp_path):
    fake_run(tmp_path, data={"train_images": 38, "validation_images": 2})
    assert Job("x", tmp_path, expects={"data": {"images": 40}}).other() is None
    assert Job("x", tmp_path, expects={"data": {"images": 41}}).other() == "data.images is 40, not 41"
    assert "absent" in Job("x", tmp_path, expects={"data": {"lost": {"deep": 1}}}).other()


def test_finished_jobs_start_no_process_and_failing_ones_are_named(job, capsys, tmp_path):
    calls, after = [], []

    def process(verb, arguments, log):
        calls.append((verb, arguments))
        if verb == "evaluate":
            raise CUNetError("no data")
        fake_run(tmp_path / "new", split="older")

    fake_run(job.folder)
    new = Job("new", tmp_path / "new", ("--seed=1",), ("--data=x",), "9:8")
    trained, failed = run_jobs([new, job], "sweep", lambda: after.append(1), process)
    assert trained == [] and failed == {"new": "no data"} and len(after) == 2
    assert calls == [("train", ["--seed=1", f"--workdir={new.folder}", "--resume"]),
                     ("evaluate", ["--data=x", f"--model={new.best}", f"--out={new.folder}"])]  # fmt: skip
    captured = capsys.readouterr()
    assert "[2/2] float: finished" in captured.out and "cunet sweep: error: new: no data" in captured.err


def test_shown_paths_name_no_place():
    assert shown_path("/somewhere/300w") == shown_path("../data/300w") == "300w"
    assert shown_path("runs/sweep") == "runs/sweep"


def test_stop_ends_the_child_too(tmp_path, monkeypatch):
    children = []

    class Interrupted(subprocess.Popen):
        def wait(self, timeout=None):
            if self not in children:
                children.append(self)
                raise KeyboardInterrupt
            return super().wait(timeout)

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_verb("info", [], tmp_path / "x.log")
    assert children[0].poll() not in (None, 0)


def test_a_process_leaves_its_call_and_output_in_the_log(tmp_path):
    (tmp_path / "x.log").write_text("before\n")
    run_verb("info", ["--preset=pose-2"], tmp_path / "x.log")
    text = (tmp_path / "x.log").read_text()
    assert text.startswith("before\n$ cunet info --preset=pose-2\n") and "1,898,880" in text


def test_error_of_a_process_quotes_its_last_line(tmp_path):
    with pytest.raises(CUNetError, match=r"cunet info ended with code 2 \(cunet info: error: x: neither"):
        run_verb("info", ["x"], tmp_path / "new/runs/x.log")
    assert (tmp_path / "new/runs/x.log").read_text().startswith("$ cunet info x\n")


def test_a_log_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(CUNetError, match="x.log: cannot be written"):
        run_verb("info", ["x"], tmp_path / "runs/x.log")
