import json

import numpy as np
import onnx
import pytest

from cunet_tf.cli import main
from cunet_tf.engines import KerasEngine, OnnxEngine
from cunet_tf.errors import CUNetError
from cunet_tf.export.formats import to_format
from cunet_tf.export.onnx_file import OPSET, with_description
from cunet_tf.files.onnx import parse_onnx
from cunet_tf.files.onnx_run import run_session
from cunet_tf.presets import preset
from tests.networks import BINARY, SHAPES, TINY, crops, network, onnx_file, spec_of, uneven

HOURGLASS = preset("hourglass-8").config.replace(stacks=1, channels=8, depth=1, input_size=64, landmarks=68)
CONFIGS = {
    "order 3": TINY.replace(stacks=4, order=3, levels=1),
    "two passes": SHAPES["two passes"],
    "dense U-Net": SHAPES["dense"],
    "hourglass": HOURGLASS,
}


@pytest.mark.parametrize(
    "name",
    ["two passes", "dense U-Net", *(pytest.param(each, marks=pytest.mark.slow) for each in ("order 3", "hourglass"))],
)
def test_every_network_is_the_same_in_onnxruntime(name):
    spec = spec_of().replace(config=CONFIGS[name])
    model = uneven(spec)
    exported = to_format(model, spec, "onnx", crops())
    described = onnx.load_from_string(exported.data)
    onnx.checker.check_model(described)
    assert [each.name for each in (*described.graph.input, *described.graph.output)] == ["image", "heatmaps"]
    engine, expected = exported.engine(), KerasEngine(model)(crops())
    assert isinstance(engine, OnnxEngine) and engine.spec == spec and exported.opset == OPSET
    np.testing.assert_allclose(engine(crops()), expected, atol=1e-5)
    np.testing.assert_allclose(run_session(engine._session, {"image": crops()}), expected, atol=1e-5)  # two at once


def test_a_file_can_be_described_anew():
    data, spec = onnx_file(), spec_of().replace(name="other")
    again = with_description(data, spec)
    assert parse_onnx(again).spec == spec and with_description(again, spec_of()) == data


def test_quantized_networks_are_refused():
    with pytest.raises(CUNetError, match="this network is quantized .*: choose int8, packed or gz."):
        to_format(network(BINARY), spec_of(BINARY), "onnx", crops())


def test_without_the_converter(monkeypatch, capsys):
    monkeypatch.setattr("cunet_tf.errors.importlib.util.find_spec", lambda module: None if module == "tf2onnx" else 1)
    assert main(["export", "--model=face-mobile", "--format=onnx", "--out=nowhere/m.onnx"]) == 2
    assert "pip install onnx tf2onnx onnxruntime" in capsys.readouterr().err


def test_the_command_compares_in_onnxruntime(tmp_path, capsys):
    """A file is written, says what it is, runs, and is no source of another."""
    network().save(tmp_path / "m.keras")
    out = tmp_path / "m.onnx"
    flags = ["--format=onnx", f"--out={out}", "--data=synthetic", "--split=1:4", "--parity_pictures=2", "--json"]
    assert main(["export", f"--model={tmp_path / 'm.keras'}", *flags]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["opset"] == OPSET and report["bytes"] == out.stat().st_size
    assert report["parity"]["landmarks"]["tolerance"]["heatmap_max"] == 1e-3
    assert report["parity"]["metric"]["difference"] < 0.01
    assert out.read_bytes() == onnx_file()
    assert main(["info", f"--model={out}"]) == 0
    assert f"ONNX opset {OPSET}" in capsys.readouterr().out
    assert main(["evaluate", f"--model={out}", "--data=synthetic", "--split=1:4", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["nme_interocular"] == pytest.approx(report["parity"]["metric"]["file"], abs=1e-6)
    assert main(["export", f"--model={out}", "--format=int8", f"--out={tmp_path / 'x.tflite'}"]) == 2
    assert "nothing is made of an .onnx file" in capsys.readouterr().err
