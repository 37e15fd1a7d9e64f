"""Integer files from integer files, and from shipped names through the command."""

import numpy as np
import pytest

from cunet_tf.cli import main
from cunet_tf.engines import LiteRTEngine
from cunet_tf.errors import CUNetError
from cunet_tf.export.integer_file import export_integer
from cunet_tf.export.tflite import operator_names
from cunet_tf.files.formats import ENDINGS, FLOAT_ENDS, INTEGERS
from cunet_tf.files.shipped import find_model
from cunet_tf.files.tflite import read_model, spec_of, takes_int8

CUNET = find_model("face-mobile")
IMAGES = np.random.default_rng(0).random((2, 128, 128, 3), dtype=np.float32)


@pytest.mark.parametrize("fmt", INTEGERS)
def test_numbers_stay_what_they_are(fmt, tmp_path):
    exported, spec = export_integer(CUNET, fmt, {"name": "other"})
    file = tmp_path / f"x{ENDINGS[fmt]}"
    file.write_bytes(exported.data)
    new, old = read_model(file), read_model(CUNET)
    assert spec.name == "other" and spec_of(new).replace(output=None) == spec.replace(output=None)
    assert takes_int8(new) == (fmt not in FLOAT_ENDS) == (spec_of(new).output is not None)
    np.testing.assert_array_equal(LiteRTEngine(new)(IMAGES), LiteRTEngine(old)(IMAGES))


def test_float_ends_are_two_operators():
    inner, outer = (operator_names(export_integer(CUNET, fmt)[0].tflite) for fmt in ("int8", "int8-float-io"))
    assert outer == ["QUANTIZE", *inner, "DEQUANTIZE"]


def test_an_int8_tflite_is_a_source_too(tmp_path):
    (tmp_path / "a.tflite").write_bytes(export_integer(CUNET, "int8")[0].data)
    again, _ = export_integer(tmp_path / "a.tflite", "packed")
    np.testing.assert_array_equal(LiteRTEngine(again.tflite)(IMAGES), LiteRTEngine(read_model(CUNET))(IMAGES))


def test_what_cannot_be_made_is_refused(tmp_path):
    with pytest.raises(CUNetError, match="float weights cannot be had"):
        export_integer(CUNET, "float16")
    (tmp_path / "a.tflite").write_bytes(export_integer(CUNET, "int8-float-io")[0].data)
    with pytest.raises(CUNetError, match="its ends are float"):
        export_integer(tmp_path / "a.tflite", "packed")


@pytest.mark.parametrize("fmt, source", [("int8-float-io", "face-mobile.cunet"), ("float16", "face-mobile.keras")])
def test_a_shipped_name_says_what_it_is_made_of(fmt, source, tmp_path, capsys):
    out = tmp_path / f"face{ENDINGS[fmt]}"
    flags = ["--data=synthetic", "--split=5:8", "--parity_pictures=4"]
    assert main(["export", "--model=face-mobile", f"--format={fmt}", f"--out={out}", *flags]) == 0
    printed = capsys.readouterr()
    assert f"made of {source};" in printed.err and "nme_interocular: source" in printed.out
    assert spec_of(read_model(out)).confidence is not None


@pytest.mark.parametrize(
    "flags, words",
    [
        (["--model={cunet}", "--format=float32", "--out=x.tflite"], "float weights cannot be had from"),
        (["--model=face-mobile", "--format=int8", "--calibration=x.csv", "--out=x.tflite"], "go with .keras files"),
        (["--model=nothing", "--format=int8", "--out=x.tflite"], "neither a .keras file"),
    ],
)
def test_bad_input(flags, words, capsys):
    assert main(["export", *(flag.format(cunet=CUNET) for flag in flags)]) == 2
    assert words in capsys.readouterr().err
