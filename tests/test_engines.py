import numpy as np
import pytest
from cunet_tf.export.formats import ENDINGS, export_model
from cunet_tf.export.tflite import convert

from cunet_tf.engines import KerasEngine, LiteRTEngine, find_model, load_engine
from cunet_tf.errors import CUNetError
from cunet_tf.models.cunet import build_cunet
from tests.test_deploy import network


def test_files_choose_the_engine_and_agree(tiny_spec, tmp_path, rng):
    model = build_cunet(tiny_spec)
    model.save(tmp_path / "m.keras")
    (tmp_path / "m.tflite").write_bytes(convert(model, tiny_spec))
    engines = [load_engine(str(tmp_path / name)) for name in ("m.keras", "m.tflite")]
    assert isinstance(engines[0], KerasEngine) and isinstance(engines[1], LiteRTEngine)
    assert engines[0].spec == engines[1].spec == tiny_spec
    images = rng.random((3, 64, 64, 3), dtype=np.float32)
    np.testing.assert_allclose(engines[0](images), engines[1](images), atol=1e-4)
    with pytest.raises(CUNetError, match=r"\(64, 64, 3\)"):
        engines[1](images[:, :32])


def test_integer_files_agree_however_they_are_wrapped(tiny_spec, tmp_path, rng):
    model = network(tiny_spec, "TW-QIG(828)")
    images = rng.random((2, 64, 64, 3), dtype=np.float32)
    outputs = {}
    for fmt in ("int8", "int8-float-io", "packed", "gz"):
        file = tmp_path / f"{fmt}{ENDINGS[fmt]}"
        file.write_bytes(export_model(model, model.spec, fmt, images).data)
        engine = load_engine(str(file))
        assert engine.spec == model.spec
        outputs[fmt] = engine(images)
        np.testing.assert_array_equal(outputs[fmt], outputs["int8"])
    assert outputs["int8"].dtype == np.float32 and len(np.unique(outputs["int8"])) > 2


def test_shipped_models_are_found_by_name():
    assert find_model("face-mobile").suffix == ".cunet"


def test_unusable_names(tmp_path):
    other = tmp_path / "m.onnx"
    other.write_bytes(b"x")
    for name, words in [(str(other), "ends in .keras, .tflite"), ("face-mobil", "Did you mean 'face-mobile'"),
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
