import gzip

import numpy as np
import pytest
from cunet_tf.export.formats import ENDINGS, export_model, require_format

from cunet_tf.errors import CUNetError
from tests.test_deploy import network


def test_formats_hold_the_same_integer_model(tiny_spec, rng):
    model = network(tiny_spec, "BW-a-QIG(818)")
    crops = rng.random((1, 64, 64, 3), dtype=np.float32)
    int8, zipped = (export_model(model, model.spec, fmt, crops) for fmt in ("int8", "gz"))
    assert int8.data == int8.tflite == zipped.tflite == gzip.decompress(zipped.data)
    assert len(zipped.data) < len(int8.data)
    assert {row["tensor"] for row in int8.calibration} >= {"image", "unet1_head output"}


def test_float_formats_need_no_pictures(tiny_spec):
    model = network(tiny_spec)
    exported = export_model(model, tiny_spec, "float16", np.zeros((0, 64, 64, 3)))
    assert exported.data == exported.tflite and not exported.calibration


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
    assert set(ENDINGS) == {"float32", "float16", "int8", "int8-float-io", "packed", "gz"}
