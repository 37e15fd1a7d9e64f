import sys

import numpy as np
import pytest

from cunet_tf.errors import CUNetError, MissingPackage
from cunet_tf.files import onnx_run
from cunet_tf.files.onnx_run import prepare_session, run_once, run_session, shapes_of, try_session
from cunet_tf.trial import REFUSED
from tests.onnx_network import small_network
from tests.test_files_onnx import changed


def test_a_sound_network_runs(tmp_path):
    (tmp_path / "m.onnx").write_bytes(small_network())
    try_session(tmp_path / "m.onnx")
    session = prepare_session(small_network(), 1)
    assert shapes_of(session) == ((None, 64, 64, 3), (None, 16, 16, 2))
    images = np.random.default_rng(0).random((2, 64, 64, 3), dtype=np.float32)
    both = run_session(session, {"image": images})
    np.testing.assert_array_equal(both[1:], run_session(session, {"image": images[1:]}))


def _scale(number):
    def change(model):
        scales = next(each for each in model.graph.initializer if each.name == "scales")
        scales.raw_data = np.float32([1, 1, number, number]).tobytes()

    return change


@pytest.mark.parametrize("change", [_scale(3), _scale(1e5), _scale(1e9), lambda model: model.graph.node.pop()])
def test_what_onnxruntime_cannot_run(change, tmp_path, monkeypatch, capsys):
    """Other sizes, more memory than there is, no output: refused by the trial, whose own process it does not end."""
    monkeypatch.setattr(onnx_run, "limit_memory", lambda _: None)  # of the process of the tests
    (tmp_path / "m.onnx").write_bytes(changed(change))
    assert run_once(tmp_path / "m.onnx") == REFUSED
    assert capsys.readouterr().out.startswith("onnxruntime cannot run this model (")


def test_a_trial_names_the_file(tmp_path):
    (tmp_path / "m.onnx").write_bytes(changed(_scale(1000)))  # 3 GB or so
    with pytest.raises(
        CUNetError, match=r"m.onnx: onnxruntime cannot run this model \(.*\): export it again."
    ) as error:
        try_session(tmp_path / "m.onnx")
    assert "\n" not in str(error.value)


def test_other_inputs_and_outputs():
    data = changed(lambda model: model.graph.output.append(model.graph.input[0]))
    with pytest.raises(CUNetError, match="m.onnx: 1 inputs, 2 outputs: not a network from pictures"):
        shapes_of(prepare_session(data, 1), "m.onnx")


def test_without_onnxruntime(tmp_path, monkeypatch):
    def absent(name):
        raise ModuleNotFoundError(name=name)

    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    monkeypatch.setattr("cunet_tf.quiet.importlib.import_module", absent)
    with pytest.raises(MissingPackage, match="this needs onnxruntime, not installed here: pip install onnxruntime"):
        prepare_session(small_network())
