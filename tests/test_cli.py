import errno
import json
import subprocess
import sys
from types import ModuleType

import numpy as np
import pytest
from absl import flags

import cunet_tf
from cunet_tf import cli
from cunet_tf.cli import VERBS, main
from cunet_tf.errors import CUNetError


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_every_verb_has_an_example_and_its_flags(verb, capsys):
    assert main([verb, "--help"]) == 0
    text = capsys.readouterr().out
    assert "Example:" in text and f"cunet {verb}" in text and "--json" in text


def test_overview_and_exit_codes(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(verb in text for verb in VERBS)
    assert main([]) == 2


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["inof"], "Did you mean 'info'?"),
        (["info", "--stack=3"], "stacks"),
        (["info", "--stacks=three"], "--stacks"),
        (["info", "--order=-1"], "order=-1: give an integer of 0 or more"),
        (["info", "--input_size=100"], "input_size=100 must be divisible by 4*2^levels = 64"),
        (["info", "--preset=face-mobil"], "Did you mean 'face-mobile'?"),
        (["info", "stacks=2"], "unexpected argument 'stacks=2'"),
        (["train", "--preset=face-mobile", "--data=synthetic"], "--workdir"),
        (["train", "--workdir=x", "--data=synthetic"], "--preset"),
        (["train", "--workdir=x", "--preset=face-mobile"], "--data"),
        (["train", "--workdir=x", "--preset=face-mobile", "--data=300-w"], "Did you mean '300w'?"),
        (["train", "--workdir=x", "--preset=face-mobile", "--data=300w"], "--root"),
        (["evaluate", "--data=synthetic"], "--model"),
        (["evaluate", "--model=fase-mobile", "--data=synthetic"], "neither a file nor a shipped model"),
        (["predict", "--model=face.tflite", "--out=x"], "name the pictures"),
        (
            ["evaluate", "--model=face-mobile", "--data=300w", f"--root={'a' * 300}"],
            "this name is too long for the system",
        ),
        (["export", "--model=a.keras"], "--out"),
        (["export", "--model=a.keras", "--out=a.bin"], "ends in .tflite"),
    ],
)
def test_bad_input_is_one_line_that_says_what_to_do(arguments, words, capsys):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert words in captured.err and captured.out == ""
    assert captured.err.startswith(f"cunet {arguments[0]}: error: ") and "Traceback" not in captured.err


def test_version_and_help_of_a_verb(capsys):
    assert main(["--version"]) == 0 and capsys.readouterr().out == f"cunet-tf {cunet_tf.__version__}\n"
    assert main(["help", "sweep"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("cunet sweep:") and "['" not in text
    assert main(["help", "sweap"]) == 2 and "Did you mean 'sweep'?" in capsys.readouterr().err


def test_dashes_in_flags_mean_underscores(capsys):
    for spelled in ("--main-channels=32", "--main_channels=32"):
        assert main(["info", "--input-size=64", spelled, "--levels=2", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["config"]["main_channels"] == 32
    assert main(["predict", "--no-smooth", "--no-flip-test", "--model=x", "--out=y"]) == 2
    assert "name the pictures" in capsys.readouterr().err
    assert main(["info", "--no-such-flag=1"]) == 2 and "no_such_flag" in capsys.readouterr().err


def test_json_is_alone_on_stdout():
    command = [sys.executable, "-m", "cunet_tf", "info", "--order=9", "--stacks=2", "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert json.loads(done.stdout)["conv_parameters"] == 1_898_880
    assert "clamped to 1" in done.stderr


def test_a_missing_package_is_one_line_and_a_missing_module_of_ours_is_a_fault(monkeypatch, capsys):
    def without(name):
        def run(verb, arguments):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

        return run

    monkeypatch.setattr("cunet_tf.cli._run", without("keras.ops"))
    assert main(["train", "--workdir=x"]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("cunet train: error: this needs TensorFlow and Keras") and captured.out == ""
    assert captured.err.count("\n") == 1 and "pip install tensorflow" in captured.err
    monkeypatch.setattr("cunet_tf.cli._run", without("cunet_tf.nothing"))
    with pytest.raises(ModuleNotFoundError, match="cunet_tf.nothing"):
        main(["train"])


# A verb of the tests' own -------------------------------------------------------------------


@pytest.fixture
def probe(monkeypatch):
    """Says what ``cunet probe`` does: returns or raises something; its flags and words are kept."""
    command = ModuleType("cunet_tf.commands.probe")
    command.__doc__ = "cunet probe: for tests."

    def define(values):
        flags.DEFINE_string("place", None, "A file.", flag_values=values)
        flags.DEFINE_bool("smooth_lines", True, "A switch.", flag_values=values)
        flags.DEFINE_list("names", ["a", "b"], "Several.", flag_values=values)

    def run(values, rest):
        print("chatter")
        command.seen = values.place, values.smooth_lines, rest
        if isinstance(command.result, BaseException):
            raise command.result
        return command.result

    command.define, command.run, command.result = define, run, {}
    command.describe = lambda result: f"found {result['x']}"
    monkeypatch.setitem(VERBS, "probe", "a test")
    monkeypatch.setitem(sys.modules, command.__name__, command)
    return command


def test_json_stands_alone_and_holds_only_what_json_has(probe, capsys):
    probe.result = {"x": np.arange(2), "y": np.float32(np.nan), "z": [float("inf"), np.int64(3)], "ok": True}
    assert main(["probe", "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"x": [0, 1], "y": None, "z": [None, 3], "ok": True}
    assert captured.err == "chatter\n"
    assert main(["probe"]) == 0 and capsys.readouterr().out == "chatter\nfound [0 1]\n"


@pytest.mark.parametrize("result, code", [({"ok": False}, 1), ({"ok": True}, 0), ({}, 0)])
def test_a_check_that_fails_is_code_1(probe, result, code, capsys):
    probe.result = {"x": 1, **result}
    assert main(["probe"]) == code


@pytest.mark.parametrize(
    "error, code, words",
    [
        (KeyboardInterrupt(), 130, "cunet probe: stopped."),
        (OSError(errno.ENOSPC, "No space left on device", "/full/disk"),
         2, "cunet probe: error: /full/disk: No space left on device."),
        (OSError("odd"), 2, "cunet probe: error: a file: odd."),
        (CUNetError("x.jpg: cut short."), 2, "cunet probe: error: x.jpg: cut short."),
    ],
)  # fmt: skip
def test_whatever_ends_a_verb_is_one_line(probe, error, code, words, capsys):
    probe.result = error
    assert main(["probe"]) == code
    assert capsys.readouterr().err == f"{words}\n"


def test_a_fault_of_ours_stays_a_traceback(probe):
    probe.result = ZeroDivisionError("ours")
    with pytest.raises(ZeroDivisionError):
        main(["probe"])


def test_the_home_folder_is_meant_in_flags_and_words(probe, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    probe.result = {"x": 1}
    assert main(["probe", "--place=~/a", "~/b", "c~"]) == 0
    assert probe.seen == (f"{tmp_path}/a", True, [f"{tmp_path}/b", "c~"])


@pytest.mark.parametrize("word, value", [("--nosmooth-lines", False), ("--no-smooth-lines", False),
                                         ("--smooth-lines", True), ("--smooth-lines=false", False)])  # fmt: skip
def test_switches_are_turned_off_in_either_spelling(probe, word, value):
    probe.result = {"x": 1}
    assert main(["probe", word, "-", "--place=with-dash"]) == 0
    assert probe.seen == ("with-dash", value, ["-"])  # values and words keep their dashes


def test_help_shows_defaults_as_they_are_written(probe, capsys):
    assert main(["help", "probe"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  --names: Several. [a,b]" in lines and "  --place: A file." in lines


@pytest.mark.parametrize("code", [0, 2, cli.STOPPED])
def test_the_program_ends_at_once_where_it_was_stopped(code, monkeypatch):
    """Threads that still work would make an orderly end an abort."""
    monkeypatch.setattr(cli, "main", lambda: code)

    def at_once(number):
        raise InterruptedError(number)

    monkeypatch.setattr(cli.os, "_exit", at_once)
    with pytest.raises(InterruptedError if code == cli.STOPPED else SystemExit) as caught:
        cli.command()
    assert caught.value.args == (code,)
