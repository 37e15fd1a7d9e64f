"""The library does what the command line does, with options of the same names and defaults."""

import inspect
import json

import pytest
from absl import flags

import cunet_tf as cu
from cunet_tf.cli import main
from cunet_tf.commands import benchmark_models, check, evaluate, export, train
from cunet_tf.flags import define_data, define_network
from tests.conftest import TINY_FLAGS
from tests.networks import spec_of


def defaults_of(function):
    """Keyword options of a function of the library, with their defaults."""
    parameters = inspect.signature(function).parameters.values()
    return {each.name: each.default for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY}


def flags_of(command):
    values = flags.FlagValues()
    command.define(values)
    return {name: values[name].default for name in values}


@pytest.mark.parametrize(
    "function, command, objects, names",
    [
        # What has another name on the command line, or none; and what has another name in the library.
        (cu.train, train, {"validation", "flags", "command", "verbose"},
         {"skeleton", "workdir", "val_split", "config"}),
        (cu.export_model, export, {"spec", "data", "calibration_data"},
         {"model", "preset", "out", "calibration_split"}),
        (cu.check, check, {"against", "skeleton", "problems", "problems_against", "progress"},
         {"preset", "against", "limit"}),
        (cu.evaluate, evaluate, {"spec"}, {"model", "preset", "detector", "max_nme", "min_pck", "csv", "out"}),
        (cu.benchmark, benchmark_models, {"data", "network", "progress"}, {"model"}),
    ],
)  # fmt: skip
def test_options_have_the_names_and_defaults_of_the_flags(function, command, objects, names):
    options, given = defaults_of(function), flags_of(command)
    probe = flags.FlagValues()  # of what a network and a source are in the library
    define_network(probe)
    define_data(probe, split="")
    shared = {name for name in given if name not in probe} - names
    if function is cu.export_model:
        shared.add("quant")  # not the network's
    assert set(options) - objects == shared
    for name in shared:
        default = tuple(given[name]) if isinstance(given[name], list) else given[name]
        assert options[name] == default, name


@pytest.fixture(scope="module")
def faces():
    return cu.load_synthetic(spec_of().skeleton, "5:24")


def test_from_training_to_a_file_and_its_figures(faces, tmp_path, eagerly, monkeypatch):
    spec = cu.preset("face-mobile")
    config = spec.config.replace(main_channels=8, growth=4, levels=1, input_size=64, stacks=1)
    model = cu.train(spec.replace(config=config), faces, tmp_path / "run", epochs=1, batch_size=8, val_share=0.2,
                     foreground=20, rotation=5, verbose=0)  # fmt: skip
    config = json.loads((tmp_path / "run/config.json").read_text())
    assert config["recipe"]["foreground"] == 20 and config["recipe"]["augmentation"]["rotation"] == 5
    assert config["flags"] == {} and config["epochs"] == 1
    report = cu.export_model(model, tmp_path / "face.tflite", format="float16", data=faces, parity_pictures=4)
    assert report["ok"] and report["parity"]["metric"]["images"] == 24
    with monkeypatch.context() as patch, pytest.raises(cu.CUNetError, match="out of tolerance, not written"):
        patch.setattr("cunet_tf.export.parity.TOLERANCE", {"float16": (0.0, 0.0, 0.0)})
        cu.export_model(model, tmp_path / "other.tflite", data=faces, parity_pictures=4)
    assert report["source"] == model.name and (tmp_path / "face.tflite").stat().st_size == report["bytes"]
    found = cu.evaluate(tmp_path / "face.tflite", faces, flip_test=True)
    assert found["flip_test"] and found["nme_interocular"] == pytest.approx(report["parity"]["metric"]["file"], rel=0.5)
    (row,) = cu.benchmark([tmp_path / "face.tflite"], runs=2, data=faces)
    assert row["model"] == "face" and row["value"] == pytest.approx(cu.evaluate(tmp_path / "face.tflite", faces)[
        "nme_interocular"])  # fmt: skip


def test_a_run_is_the_command_lines(faces, tmp_path, eagerly):
    """Equal weights and settings from both."""
    words = ["--data=synthetic", "--split=5:24", *TINY_FLAGS, "--stacks=1", "--epochs=1", "--batch_size=8",
             "--val_share=0.2", "--sigma=1.5"]  # fmt: skip
    assert main(["train", *words, f"--workdir={tmp_path / 'verb'}"]) == 0
    spec = cu.preset("face-mobile")
    config = spec.config.replace(main_channels=8, growth=4, levels=1, input_size=64, stacks=1)
    cu.train(spec.replace(config=config), faces, tmp_path / "call", epochs=1, batch_size=8, val_share=0.2, sigma=1.5)
    verb, call = (json.loads((tmp_path / name / "config.json").read_text()) for name in ("verb", "call"))
    assert {**verb, "flags": {}, "command": ""} == call
    assert (tmp_path / "verb/history.csv").read_text() == (tmp_path / "call/history.csv").read_text()


def test_check_tells_what_the_command_tells(faces, tmp_path, capsys):
    found = cu.check(faces, quick=True, out=tmp_path / "out")
    assert found["ok"] and found["samples"] == 24 and (tmp_path / "out/contact_sheet.png").is_file()
    assert main(["check", "--data=synthetic", "--preset=face-mobile", "--split=5:24", "--quick", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {**told, "out": None, "limit": None} == {**found, "out": None, "limit": None}


def test_options_that_do_not_fit_are_refused(faces, tmp_path):
    with pytest.raises(cu.CUNetError, match="--teacher_views needs --teacher"):
        cu.train("face-mobile", faces, tmp_path / "run", teacher_views=2)
    with pytest.raises(cu.CUNetError, match="a float format has no grids"):
        cu.export_model("face-mobile", tmp_path / "x.tflite", calibration=str(tmp_path / "x.csv"))
    with pytest.raises(cu.CUNetError, match="leave out --quick"):
        cu.check(faces, against=faces, quick=True)
    with pytest.raises(cu.CUNetError, match="a localizer has its own"):
        cu.evaluate(cu.Localizer.load("face-tiny"), faces, crops=2)
    assert not list(tmp_path.iterdir())
