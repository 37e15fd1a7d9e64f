"""When a training is killed and what is counted of it; trainings are played."""

import io
import random
import signal
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cunet_tf.errors import CUNetError
from cunet_tf.trainers.study.reliability import kills
from cunet_tf.trainers.study.reliability.processes import Ended
from cunet_tf.writing import TEMPORARY

FINE = Ended(0, "", "", 0.0, 0.0)


@pytest.fixture
def played(tmp_path, monkeypatch):
    """Runs that end well; their commands."""
    calls = []
    monkeypatch.setattr(kills, "run", lambda call: calls.append(call) or FINE)
    monkeypatch.setattr(kills, "_differences", lambda whole, cut: 0)
    return calls


@given(st.data())
def test_as_many_kills_as_wished_fall_inside_a_checkpoint(data):
    count = data.draw(st.integers(3, 60))
    inside = data.draw(st.integers(1, count))
    with pytest.MonkeyPatch.context() as patch:
        aimed = []
        patch.setattr(kills, "run", lambda call: FINE)
        patch.setattr(kills, "_differences", lambda whole, cut: 0)
        patch.setattr(kills, "_kill", lambda train, cut, within, chance: aimed.append(within) or "elsewhere")
        patch.setattr(kills.shutil, "rmtree", lambda *_, **__: None)
        kills.killed_training([], kills.Path("nowhere"), count, inside, 0)
    assert len(aimed) == count and sum(aimed) == inside and aimed[0]


def test_more_kills_inside_than_kills_are_refused(tmp_path, played):
    with pytest.raises(CUNetError, match="--inside=12: give at most as many as --kills=10"):
        kills.killed_training([], tmp_path, 10, 12, 0)
    assert not played


def test_the_cut_run_goes_on_in_a_folder_of_its_own(tmp_path, monkeypatch, played):
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "old").touch()
    blows = iter(["inside", "elsewhere", "ended before"])

    def kill(train, folder, inside, chance):
        folder.mkdir(exist_ok=True)
        assert not (folder / "old").exists()
        (folder / f"{TEMPORARY}{len(list(folder.iterdir()))}.keras").touch()
        return next(blows)

    monkeypatch.setattr(kills, "_kill", kill)
    monkeypatch.setattr(kills, "_differences", lambda whole, cut: len(list(cut.iterdir())) + 10)
    rows = kills.killed_training(["train"], tmp_path, 3, 1, 0)
    assert [row["value"] for row in rows] == [2, 1, 1, 13, 3]
    assert played == [
        ["train", f"--workdir={tmp_path / 'whole'}"],
        ["train", f"--workdir={tmp_path / 'cut'}", "--resume"],
    ]


def test_a_run_that_fails_by_itself_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(kills, "run", lambda call: Ended(3, "", "one\nno data", 0.0, 0.0))
    with pytest.raises(CUNetError, match="nobody disturbed ended with code 3: no data"):
        kills.killed_training([], tmp_path, 3, 1, 0)


@pytest.fixture
def ended(monkeypatch):
    """A child that ended before it was killed, with the code that is given."""

    def start(code):
        child = SimpleNamespace(pid=1, returncode=code, poll=lambda: code, communicate=lambda: ("", "no room"))
        monkeypatch.setattr(kills, "start", lambda call: child)

    def gone(pid, number):
        assert number == signal.SIGKILL
        raise ProcessLookupError

    monkeypatch.setattr(kills.os, "killpg", gone)
    return start


def test_a_training_that_ended_first_was_not_killed(tmp_path, monkeypatch, ended):
    monkeypatch.setattr(kills, "LONGEST_WRITE", 0.0)
    ended(0)
    assert kills._kill([], tmp_path, False, random.Random(0)) == "ended before"
    assert kills._kill([], tmp_path, True, random.Random(0)) == "ended before"
    ended(2)
    with pytest.raises(CUNetError, match="ended with code 2: no room"):
        kills._kill([], tmp_path, False, random.Random(0))


def test_the_last_checkpoint_is_told_by_its_time(tmp_path):
    assert kills._written(tmp_path) == kills._written(tmp_path / "none") == 0
    (tmp_path / "last.keras").touch()
    kills.os.utime(tmp_path / "last.keras", ns=(5, 7))
    assert kills._written(tmp_path) == 7


@pytest.mark.parametrize("code, done_after, looks", [(None, 3, 3), (0, 3, 0), (None, 10**9, 5)])
def test_waiting_ends_by_what_comes_first(monkeypatch, code, done_after, looks):
    """Something is done, the child has ended, or the seconds are over, of which each look takes one."""
    seen, clock = [], iter(range(100))
    monkeypatch.setattr(kills, "time", SimpleNamespace(monotonic=lambda: next(clock), sleep=lambda seconds: None))
    kills._wait(SimpleNamespace(poll=lambda: code), lambda: seen.append(1) or len(seen) >= done_after, 6)
    assert len(seen) == looks


def test_output_is_read_up_to_the_first_epoch():
    child = SimpleNamespace(stdout=io.StringIO("notice\nEpoch 1/3\nEpoch 2/3\n"))
    kills._until_epoch(child)
    assert child.stdout.read() == "Epoch 2/3\n"
    kills._until_epoch(SimpleNamespace(stdout=io.StringIO("ended\n")))


def test_differences_are_counted_by_value_in_network_and_optimizer(tmp_path, monkeypatch):
    def model(weights, moments):
        return SimpleNamespace(variables=[np.array(weights)], optimizer=SimpleNamespace(variables=[np.array(moments)]))

    found = {"whole": model([1.0, 2.0], [3.0, 4.0, 5.0]), "cut": model([1.0, 9.0], [0.0, 4.0, 0.0])}
    monkeypatch.setattr("cunet_tf.models.saved.load_keras", lambda file, compile: found[file.parent.name])
    assert kills._differences(tmp_path / "whole", tmp_path / "cut") == 3
    assert kills._differences(tmp_path / "cut", tmp_path / "cut") == 0


def test_a_second_training_in_a_folder_is_told_of(tmp_path, monkeypatch):
    first = SimpleNamespace(returncode=0, stdout=io.StringIO("Epoch 1/3\n"), communicate=lambda: ("", ""))
    codes, calls = iter([2, 2]), []
    monkeypatch.setattr(kills, "start", lambda call: first)

    def run(call):
        calls.append(call)
        return Ended(next(codes), "", f"error: {tmp_path / 'both'} is in use", 0.0, 0.0)

    monkeypatch.setattr(kills, "run", run)
    rows = kills.two_trainings(["train"], tmp_path)
    assert [row["value"] for row in rows] == [0, "2, 2", "error: RUN is in use"]
    assert calls[1] == [*calls[0], "--resume"]
