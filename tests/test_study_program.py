"""Flags and errors of the studies' commands."""

import signal

from absl import flags

from cunet_tf.errors import CUNetError
from cunet_tf.trainers.study import program


def define(values):
    flags.DEFINE_integer("count", 1, "How many.", flag_values=values)


def test_work_gets_the_flags_and_errors_are_one_sentence(capsys):
    seen = []
    assert program.run("study", define, lambda values: seen.append(values.count), ["study", "--count=3"]) == 0
    assert seen == [3]

    def fail(values):
        raise CUNetError("no such file.")

    assert program.run("study", define, fail, ["study"]) == 2
    assert capsys.readouterr().err == "study: error: no such file.\n"
    assert program.run("study", define, fail, ["study", "--count=many"]) == 2
    assert "study: error: flag --count=many" in capsys.readouterr().err


def test_told_to_stop(capsys):
    def stop(values):
        signal.raise_signal(signal.SIGTERM)

    assert program.run("study", define, stop, ["study"]) == 130
    assert capsys.readouterr().err == "study: stopped.\n"
