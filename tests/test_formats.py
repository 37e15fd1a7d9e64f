import gzip

import numpy as np
import pytest

from cunet_tf.errors import CUNetError
from cunet_tf.export import formats
from cunet_tf.export.formats import ENDINGS, require_format, to_format
from cunet_tf.files.packed.expand import expand
from tests.networks import BINARY, crops, float_file, integer_file, network, spec_of, twin


def test_formats_hold_the_same_integer_model(monkeypatch):
    """One conversion is done anew and equals the shared one, which the other formats take."""
    model, known = network(BINARY), integer_file(BINARY)
    int8 = to_format(model, model.spec, "int8", crops())
    assert int8.data == int8.tflite == known
    assert {row["tensor"] for row in int8.calibration} >= {"image", "unet1_head output"}
    monkeypatch.setattr(formats, "deploy", lambda *_: twin(BINARY))
    monkeypatch.setattr(formats, "convert_int8", lambda _, spec, float_io: integer_file(BINARY, float_io=float_io))
    zipped, packed, floats = (to_format(model, model.spec, fmt, crops()) for fmt in ("gz", "packed", "int8-float-io"))
    assert zipped.tflite == gzip.decompress(zipped.data) == packed.tflite == expand(packed.data) == known
    assert len(packed.data) < len(zipped.data) < len(known)
    assert floats.data == floats.tflite == integer_file(BINARY, float_io=True) != known


def test_float_formats_need_no_pictures():
    exported = to_format(network(), spec_of(), "float32", np.zeros((0, 64, 64, 3)))
    assert exported.data == exported.tflite == float_file() and not exported.calibration


@pytest.mark.parametrize("fmt, out, words", [
    ("int7", "m.tflite", "--format=int7: use one of float32"),
    ("packed", "m.tflite", "ends in .cunet"),
    ("gz", "m.tflite", "ends in .tflite.gz"),
    ("int8", "m.keras", "ends in .tflite"),
])  # fmt: skip
def test_names_are_checked(fmt, out, words):
    with pytest.raises(CUNetError, match=words):
        require_format(fmt, out)


def test_every_format_has_an_ending():
    assert set(ENDINGS) == {
        "float32",
        "float16",
        "int8-weights",
        "onnx",
        "int8",
        "int8-float-io",
        "packed",
        "packed-float-io",
        "gz",
    }
