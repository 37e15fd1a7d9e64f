import pytest

from cunet_tf.errors import CUNetError
from cunet_tf.files.tflite import read_model
from cunet_tf.files.trial_run import run_once, try_network
from tests.test_graph_rules import _other_code, changed
from tests.tflite_cases import float_network


def test_a_sound_network_passes():
    try_network(float_network())


def test_litert_refuses_in_its_own_process(tmp_path):
    (tmp_path / "m.tflite").write_bytes(changed(_other_code))
    with pytest.raises(CUNetError, match=r"m.tflite: LiteRT cannot run this model \(.*\): export it again.$"):
        read_model(tmp_path / "m.tflite")


def test_the_process_of_its_own(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr("cunet_tf.files.trial_run.limit_memory", lambda most: None)  # this one stays
    (tmp_path / "m.tflite").write_bytes(float_network())
    assert run_once(tmp_path / "m.tflite") == 0
    (tmp_path / "m.tflite").write_bytes(b"no network")
    assert run_once(tmp_path / "m.tflite") == 3
    assert "LiteRT cannot run this model" in capfd.readouterr().out
