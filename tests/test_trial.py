import pytest

from cunet_tf import trial
from cunet_tf.errors import CUNetError
from cunet_tf.trial import REFUSED, refused, try_out

MODULE = "json.tool"  # stands for one of ours: it ends with 0 for JSON, else with 1


def test_what_ends_well_may_be_used(tmp_path):
    (tmp_path / "a").write_text("[1]")
    try_out(MODULE, tmp_path / "a", "The reader", "give JSON.")


def test_what_ends_the_trial_is_refused(tmp_path):
    (tmp_path / "a").write_text("no JSON")
    with pytest.raises(CUNetError, match=r"^The reader crashes on this file \(exit status 1\): give JSON.$"):
        try_out(MODULE, tmp_path / "a", "The reader", "give JSON.")


def test_a_trial_that_does_not_end(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("[1]")
    monkeypatch.setattr(trial, "SECONDS", 0.001)
    with pytest.raises(CUNetError, match="^The reader is not done with this after 0 s: give JSON.$"):
        try_out(MODULE, tmp_path / "a", "The reader", "give JSON.")


def test_a_refusal_is_passed_on(tmp_path, monkeypatch, capsys):
    assert refused("No.") == REFUSED and capsys.readouterr().out == "No.\n"
    shell = tmp_path / "python"
    shell.write_text(f"#!/bin/sh\necho 'It says no.'\nexit {REFUSED}\n")
    shell.chmod(0o755)
    monkeypatch.setattr(trial.sys, "executable", str(shell))
    with pytest.raises(CUNetError, match="^It says no.$"):
        try_out(MODULE, tmp_path / "a", "The reader", "give JSON.")
