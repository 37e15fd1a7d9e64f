import gzip

import pytest

from cunet_tf.errors import CUNetError
from cunet_tf.export.tflite import convert, finished, operator_names
from cunet_tf.files import tflite
from cunet_tf.files.tflite import LARGEST, read_model, spec_of
from cunet_tf.models.cunet import build_cunet
from cunet_tf.presets import preset


@pytest.fixture(scope="module")
def model_bytes(tiny_spec):
    tiny = tiny_spec.replace(config=tiny_spec.config.replace(stacks=1, levels=1, input_size=32))
    return convert(build_cunet(tiny), tiny)


def test_finished_file_describes_itself_and_keeps_the_graph(model_bytes):
    other = preset("face-mobile").replace(name="other", data="ä ö")
    again = finished(model_bytes, other, "picture", ["maps"])
    assert spec_of(again) == other
    assert operator_names(again) == operator_names(model_bytes)
    assert b"picture" in again and b"maps" in again


def test_gzip_files(model_bytes, tmp_path):
    file = tmp_path / "m.tflite.gz"
    file.write_bytes(gzip.compress(model_bytes))
    assert read_model(file) == model_bytes
    for damaged in (file.read_bytes()[:-20], b"no gzip", gzip.compress(bytes(LARGEST + 10))):
        file.write_bytes(damaged)
        with pytest.raises(CUNetError, match="m.tflite.gz: .*gzip data"):
            read_model(file)


def test_files_that_are_no_models(tmp_path):
    file = tmp_path / "fake.tflite"
    file.write_bytes(b"PK\x03\x04 not a model")
    with pytest.raises(CUNetError, match="fake.tflite: not a TensorFlow Lite model"):
        read_model(file)
    with pytest.raises(CUNetError, match="absent.tflite: no such"):
        read_model(tmp_path / "absent.tflite")


def test_a_file_larger_than_any_model(tmp_path, monkeypatch):
    monkeypatch.setattr(tflite, "MOST_BYTES", 100)
    (tmp_path / "m.tflite").write_bytes(bytes(101))
    with pytest.raises(CUNetError, match="m.tflite: 101 bytes are more than the 100"):
        read_model(tmp_path / "m.tflite")


def test_cut_models_raise_our_error(model_bytes):
    with pytest.raises(CUNetError, match="damaged"):
        spec_of(model_bytes[: len(model_bytes) // 3])
