import gzip

import numpy as np
import pytest

from cunet_tf.engines import KerasEngine, LiteRTEngine, OnnxEngine, check_described, load_engine
from cunet_tf.errors import CUNetError
from cunet_tf.export.packed.writer import pack
from cunet_tf.files.onnx import OnnxFile
from cunet_tf.files.shipped import find_model
from cunet_tf.files.tflite import spec_of as spec_of_file
from cunet_tf.localizer import Localizer
from cunet_tf.spec import OutputGrid
from tests import tflite_cases
from tests.networks import BINARY, crops, float_file, integer_file, network, spec_of
from tests.onnx_network import small_network
from tests.test_graph import changed


def test_files_choose_the_engine_and_agree(tmp_path):
    network().save(tmp_path / "m.keras")
    (tmp_path / "m.tflite").write_bytes(float_file())
    engines = [load_engine(str(tmp_path / name)) for name in ("m.keras", "m.tflite")]
    assert isinstance(engines[0], KerasEngine) and isinstance(engines[1], LiteRTEngine)
    assert engines[0].spec == engines[1].spec == spec_of()
    np.testing.assert_allclose(engines[0](crops()), engines[1](crops()), atol=1e-4)
    with pytest.raises(CUNetError, match=r"\(64, 64, 3\)"):
        engines[1](crops()[:, :32])


def test_integer_files_agree_however_they_are_wrapped(tmp_path):
    plain = integer_file(BINARY)
    expected = LiteRTEngine(plain)(crops())
    assert expected.dtype == np.float32 and len(np.unique(expected)) > 2
    files = {"m.tflite": plain, "io.tflite": integer_file(BINARY, float_io=True), "m.cunet": pack(plain),
             "m.tflite.gz": gzip.compress(plain)}  # fmt: skip
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        engine = load_engine(str(tmp_path / name))
        assert engine.spec.replace(output=None) == spec_of(BINARY)
        assert (engine.spec.output is None) == (name == "io.tflite")
        np.testing.assert_array_equal(engine(crops()), expected)


def test_a_description_of_other_heat_maps_is_refused():
    plain, scale = integer_file(BINARY), spec_of_file(integer_file(BINARY)).output.scale
    text = f'"scale": {scale}'.encode()
    assert plain.count(text) == 1
    with pytest.raises(CUNetError, match=r"cunet_spec.output: scale .* but the network gives scale 0.00408172607 and"):
        LiteRTEngine(plain.replace(text, b'"scale": 2'.ljust(len(text))))
    LiteRTEngine(plain.replace(b'"output"', b'"former"'))  # as files of before, which do not say it
    described = spec_of(BINARY).replace(output=OutputGrid(0.5, 0))
    with pytest.raises(CUNetError, match="scale 0.5 and zero point 0, but the network gives float heat maps"):
        check_described("m", described, (1, 64, 64, 3), (1, 16, 16, 68))


def test_an_onnx_file_runs_as_it_was_tried(tmp_path):
    (tmp_path / "m.onnx").write_bytes(small_network())
    engine = load_engine(str(tmp_path / "m.onnx"), 1)
    assert isinstance(engine, OnnxEngine) and engine.spec == tflite_cases.spec()
    maps = engine(crops())
    assert maps.shape == (2, 16, 16, 2)
    np.testing.assert_array_equal(engine(crops()[1:]), maps[1:])
    with pytest.raises(CUNetError, match=r"\(64, 64, 3\)"):
        engine(crops()[:, :32])
    (tmp_path / "bare.onnx").write_bytes(small_network(described=False))
    with pytest.raises(CUNetError, match="carries no description"):
        Localizer.load(tmp_path / "bare.onnx")
    assert Localizer.load(tmp_path / "bare.onnx", spec=tflite_cases.spec()).locate(np.zeros((40, 50, 3), np.uint8))


def test_an_onnx_file_that_is_described_as_another():
    spec = tflite_cases.spec()
    spec = spec.replace(config=spec.config.replace(input_size=128))
    with pytest.raises(CUNetError, match="m.onnx: the description says 128 pixels and 2 landmarks, the network takes"):
        OnnxEngine(OnnxFile(small_network(), spec, 15), 1, "m.onnx")


def test_shipped_models_are_found_by_name():
    assert find_model("face-mobile").suffix == ".cunet"


def test_unusable_names(tmp_path):
    other = tmp_path / "m.bin"
    other.write_bytes(b"x")
    for name, words in [(str(other), "ends in .keras, .onnx, .tflite"), ("face-mobil", "Did you mean 'face-mobile'"),
                        ("a/b.tflite", "no such file")]:  # fmt: skip
        with pytest.raises(CUNetError, match=words):
            load_engine(name)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_cut_model_is_refused(tmp_path, share):
    whole = find_model("face-mobile").read_bytes()
    file = tmp_path / "cut.cunet"
    file.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(CUNetError):
        load_engine(str(file))


def _described(**changes):
    text = tflite_cases.spec().replace(**changes).to_json().encode()

    def change(model, graph):
        model.buffers[model.metadata[0].buffer].data = np.frombuffer(text, np.uint8)

    return changed(change)


def test_a_description_of_another_network_is_refused():
    spec = tflite_cases.spec()
    assert LiteRTEngine(_described(), name="m.tflite").spec == spec
    with pytest.raises(
        CUNetError, match="m.tflite: the description says 128 pixels and 2 landmarks, the network takes"
    ):
        LiteRTEngine(_described(config=spec.config.replace(input_size=128)), name="m.tflite")


def test_what_litert_refuses_names_the_file():
    def change(model, graph):
        graph.tensors[graph.operators[1].inputs[1]].quantization = None

    with pytest.raises(CUNetError, match=r"m.tflite: LiteRT cannot run this model \(.*\): export it again.") as error:
        LiteRTEngine(changed(change, tflite_cases.integer_network()), 1, "m.tflite")
    assert "\n" not in str(error.value)
