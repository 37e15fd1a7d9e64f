"""cunet info --env."""

import json

from cunet_tf import __version__
from cunet_tf.cli import main


def test_versions_machine_and_variables_are_told(monkeypatch, capsys):
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    for name in ("SECRET_TOKEN", "TF_VAR_password", "TF_TOKEN_host"):
        monkeypatch.setenv(name, "hidden")
    assert main(["info", "--env", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["environment"]
    assert found["cunet-tf"] == __version__ and found["packages"]["numpy"].count(".") == 2 and found["cores"] >= 1
    assert found["variables"]["KERAS_BACKEND"] == "tensorflow" and found["variables"]["TF_ENABLE_ONEDNN_OPTS"] == "0"
    assert "hidden" not in found["variables"].values()
    assert main(["info", "--env"]) == 0
    lines = capsys.readouterr().out
    assert "processor" in lines and "keras" in lines and "hidden" not in lines


def test_it_stands_alone(capsys):
    assert main(["info", "--env", "--preset=pose-2"]) == 2
    assert "--env stands alone" in capsys.readouterr().err
