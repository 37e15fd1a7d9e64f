"""``cunet export`` of a model without description."""

import json

import keras
import numpy as np
import pytest

from cunet_tf.cli import main
from cunet_tf.engines import load_engine
from cunet_tf.errors import CUNetError
from cunet_tf.export.exporting_own import read_inputs
from cunet_tf.files.tflite import made_by_us, read_model
from tests.networks import network
from tests.own_models import squares, trained


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The trained model, and pictures to choose grids."""
    place = tmp_path_factory.mktemp("own")
    trained().save(place / "own.keras")
    np.save(place / "x.npy", squares()[0])
    return place


def export(folder, *flags):
    return main(["export", f"--model={folder / 'own.keras'}", *flags])


def test_integers_of_ones_own(folder, tmp_path, capsys):
    call = ["--format=int8", f"--out={tmp_path / 'own.tflite'}", f"--inputs={folder / 'x.npy'}"]
    assert export(folder, *call, "--json", f"--calibration={tmp_path / 'grids.csv'}") == 0
    report = json.loads(capsys.readouterr().out)
    found = report["parity"]["integers"]
    assert found["integer_convolutions"] == found["delegated"] == found["convolutions"] == 4
    (row,) = report["parity"]["outputs"]
    assert row["output"] == "answer" and row["share"] < report["parity"]["tolerance"] and report["ok"]
    assert "tensor" in (tmp_path / "grids.csv").read_text()
    assert (tmp_path / "own.tflite").stat().st_size == report["bytes"]
    assert export(folder, *call) == 0  # over the earlier one, which bears our mark
    text = capsys.readouterr().out
    assert "4 of 4 convolutions in integers, 4 delegated" in text and "within tolerance" in text


def test_packed_without_a_description(folder, tmp_path):
    out = tmp_path / "own.cunet"
    assert export(folder, "--format=packed", f"--out={out}", f"--inputs={folder / 'x.npy'}") == 0
    assert made_by_us(read_model(out)) and out.stat().st_size < 3000
    with pytest.raises(CUNetError, match="not a network from one picture to heat maps"):
        load_engine(str(out))


def test_float_formats_need_no_inputs(folder, tmp_path, capsys):
    out = tmp_path / "own.tflite"
    assert export(folder, "--format=int8-weights", f"--out={out}") == 0
    assert "compared on numbers drawn in 0..1" in capsys.readouterr().err and made_by_us(read_model(out))


@pytest.mark.parametrize("flags, words", [
    (["--format=int8", "--out={}.tflite"], "open: give --inputs=FILE.npy"),
    (["--format=onnx", "--out={}.onnx"], "--format=onnx is for described networks"),
    (["--data=synthetic", "--out={}.tflite"], "--data: .* carries no description"),
    (["--inputs={}.npy", "--out={}.tflite"], "x.npy: cannot be read"),
])  # fmt: skip
def test_bad_input(folder, tmp_path, flags, words, capsys):
    assert export(folder, *(flag.format(tmp_path / "x") for flag in flags)) == 2
    with pytest.raises(CUNetError, match=words):
        raise CUNetError(capsys.readouterr().err)


def test_out_of_tolerance_is_not_written(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("cunet_tf.export.own_parity.TOLERANCE", {"float32": -1.0})
    assert export(folder, "--format=float32", f"--out={tmp_path / 'a.tflite'}") == 1
    assert "OUT OF TOLERANCE" in capsys.readouterr().out and not list(tmp_path.iterdir())


def test_models_of_another_form(tmp_path, capsys):
    a, b = keras.Input((4, 4, 1)), keras.Input((4, 4, 1))
    keras.Model([a, b], keras.layers.Add()([a, b])).save(tmp_path / "two.keras")
    keras.Sequential([keras.Input((None, None, 1)), keras.layers.Conv2D(1, 1)]).save(tmp_path / "open.keras")
    for name, words in (("two", "a model with 2 inputs"), ("open", "has open sides")):
        assert main(["export", f"--model={tmp_path / name}.keras", f"--out={tmp_path / 'a.tflite'}"]) == 2
        assert words in capsys.readouterr().err


def test_inputs_belong_to_models_without_description(folder, tmp_path, capsys):
    network().save(tmp_path / "known.keras")
    call = [f"--model={tmp_path / 'known.keras'}", f"--out={tmp_path / 'a.tflite'}", f"--inputs={folder / 'x.npy'}"]
    assert main(["export", *call, "--parity_pictures=2"]) == 2
    assert "--inputs is for models without a description" in capsys.readouterr().err


@pytest.mark.parametrize("values, words", [
    (np.zeros((2, 8, 8, 1)), r"shape is \[2, 8, 8, 1\], the model takes \[N, 8, 8, 3\]"),
    (np.zeros((0, 8, 8, 3)), r"shape is \[0"),
    (np.full((1, 8, 8, 3), np.nan), "not finite"),
    (np.array(["text"]), "not a .npy file of numbers"),
    (np.array([{}]), "not a .npy file of numbers"),
])  # fmt: skip
def test_inputs_are_checked(values, words, tmp_path):
    np.save(tmp_path / "x.npy", values)
    with pytest.raises(CUNetError, match=words):
        read_inputs(str(tmp_path / "x.npy"), (8, 8, 3))


def test_bytes_are_inputs_too(tmp_path):
    np.save(tmp_path / "x.npy", np.full((2, 8, 8, 3), 255, np.uint8))
    found = read_inputs(str(tmp_path / "x.npy"), (8, 8, 3))
    assert found.dtype == np.float32 and found.max() == 255
