import gzip

import numpy as np
import pytest

from cunet_tf.boxes import BoxMap
from cunet_tf.engines import load_engine, prepare_interpreter
from cunet_tf.errors import CUNetError
from cunet_tf.export.described import with_description, write_described
from cunet_tf.files.described import is_exported
from cunet_tf.files.onnx import read_onnx
from cunet_tf.files.shipped import find_model
from cunet_tf.files.tflite import read_model, spec_of
from cunet_tf.spec import OutputGrid
from tests.networks import float_file, network
from tests.networks import spec_of as described_as
from tests.onnx_network import small_network

IMAGES = np.random.default_rng(0).random((2, 128, 128, 3), dtype=np.float32)


@pytest.mark.parametrize("ending", [".cunet", ".tflite", ".tflite.gz"])
def test_a_copy_has_the_new_description_and_the_same_network(tmp_path, ending):
    data = read_model(find_model("face-mobile"))
    source = tmp_path / f"old{ending}"
    contents = {".cunet": find_model("face-mobile").read_bytes(), ".tflite": data, ".tflite.gz": gzip.compress(data)}
    source.write_bytes(contents[ending])
    spec = spec_of(data).replace(name="other", detector=BoxMap("blazeface", (0.1, 0.2), 0.5), confidence=None)
    target = tmp_path / f"new{ending}"
    write_described(source, spec, target)
    assert spec_of(read_model(target)) == spec
    np.testing.assert_array_equal(load_engine(str(target))(IMAGES), load_engine(str(source))(IMAGES))


def test_an_onnx_file(tmp_path):
    source, target = tmp_path / "old.onnx", tmp_path / "new.onnx"
    source.write_bytes(small_network())
    spec = read_onnx(source).spec.replace(name="other")
    write_described(source, spec, target)
    assert read_onnx(target).spec == spec and is_exported(target) and not is_exported(tmp_path)
    assert target.stat().st_size < 1.1 * source.stat().st_size


def test_a_keras_file(tmp_path):
    model = network()
    model.save(tmp_path / "old.keras")
    spec = described_as().replace(name="other", detector=BoxMap("blazeface"))
    write_described(tmp_path / "old.keras", spec, tmp_path / "new.keras")
    engine = load_engine(str(tmp_path / "new.keras"))
    assert engine.spec == spec
    images = IMAGES[:, :64, :64]
    old = load_engine(str(tmp_path / "old.keras"))(images)
    np.testing.assert_array_equal(engine(images), old)
    write_described(tmp_path / "old.keras", spec, tmp_path / "half.keras", half=True)
    engine = load_engine(str(tmp_path / "half.keras"))
    assert engine.spec == spec
    np.testing.assert_allclose(engine(images), old, atol=0.01 * np.abs(old).max())
    assert (tmp_path / "half.keras").stat().st_size < 0.9 * (tmp_path / "new.keras").stat().st_size


def test_a_model_without_a_description_gets_one():
    data = read_model(find_model("face-mobile"))
    spec = spec_of(data)
    bare = with_description(data, spec).replace(b"cunet_spec", b"other_name")
    assert spec_of(bare) is None
    assert spec_of(with_description(bare, spec)) == spec


def test_endings_differ(tmp_path):
    with pytest.raises(CUNetError, match="ends in .cunet"):
        write_described(find_model("face-mobile"), described_as(), tmp_path / "x.tflite")
    with pytest.raises(CUNetError, match="--half: of .keras files; face-mobile.cunet"):
        write_described(find_model("face-mobile"), described_as(), tmp_path / "x.cunet", half=True)


def test_the_output_is_that_of_the_network_whatever_is_said(tmp_path):
    data = read_model(find_model("face-mobile"))
    own = spec_of(data).output
    runtime = prepare_interpreter(data)[0].get_output_details()[0]["quantization"]
    assert (own.scale, own.zero_point) == pytest.approx(runtime)
    wrong = spec_of(data).replace(output=OutputGrid(0.5, 3))
    assert spec_of(with_description(data, wrong)).output == own
    assert spec_of(with_description(float_file(), wrong)).output is None
    assert read_onnx_spec(tmp_path, wrong).output is None


def read_onnx_spec(folder, spec):
    (folder / "a.onnx").write_bytes(small_network())
    write_described(folder / "a.onnx", spec.replace(config=described_as().config), folder / "b.onnx")
    return read_onnx(folder / "b.onnx").spec
