import json
import subprocess
import sys

import pytest

import cunet_tf
from cunet_tf.cli import VERBS, main


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
