"""Rows of the small network: what a package's process has left behind, and what of it is looked at."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from cunet_tf.errors import CUNetError
from cunet_tf.export import own_parity
from cunet_tf.export.peers import small, tiny
from cunet_tf.export.peers.environments import PEERS
from cunet_tf.files.shipped import find_model
from cunet_tf.files.tflite import read_model

TRAINED = {"version": "1", "keras": "keras 3", "step_ratio": 1.5, "loss_first": 3.0, "loss_last": 1.0, "note": "so"}


@pytest.mark.parametrize("name, laid_out", [("hgq2", True), ("keras", False)])
def test_a_worker_sees_this_project_only_where_it_is_installed(tmp_path, monkeypatch, name, laid_out):
    calls = []

    def run(module, place, *arguments, python, path):
        calls.append((module, arguments, python, path))
        (tmp_path / "new" / "result.json").write_text(json.dumps({"place": place}))

    monkeypatch.setattr(small, "run_module", run)
    found = small.in_environment(PEERS[name], "python", tmp_path / "new", "worker", name, "w4")
    assert found == {"place": str(tmp_path / "new")}
    path = tmp_path / "new" / "modules" if laid_out else None
    assert calls == [("cunet_tf.export.peers.worker", (name, "w4"), "python", path)]
    assert path is None or (path / "cunet_tf" / "export" / "peers" / "worker.py").is_file()


def test_each_conversion_is_a_row_with_its_training(tmp_path, monkeypatch):
    files = {"as it is": "", "dynamic": "ValueError: no"}
    monkeypatch.setattr(small, "in_environment", lambda *_: {**TRAINED, "files": files})
    monkeypatch.setattr(small, "measured", lambda file, expected: {"bytes": 5, "file": file.name})
    for kernels in ("w4", "binary"):
        (tmp_path / kernels).mkdir()
        np.save(tmp_path / kernels / "expected.npy", np.zeros(1))
    rows = small.network_rows(PEERS["hgq2"], "python", tmp_path)
    assert [(row["kernels"], row["conversion"]) for row in rows] == [
        (kernels, conversion) for kernels in ("w4", "binary") for conversion in files
    ]
    good, bad = rows[:2]
    assert (good["outcome"], good["bytes"], good["file"]) == ("so", 5, "as it is.tflite")
    assert bad["outcome"] == "ValueError: no" and "bytes" not in bad
    assert all((row["package"], row["step_ratio"], row["step_ratio_xla"]) == ("hgq2", 1.5, None) for row in rows)


def test_our_own_files_are_made_by_our_own_command(tmp_path, monkeypatch):
    calls = []

    def run(module, verb, *flags):
        calls.append((module, verb, flags))
        if "--format=packed" in flags:
            raise CUNetError("no grids")

    monkeypatch.setattr(small, "run_module", run)
    monkeypatch.setattr(tiny, "TRAINING", 80)
    assert small._exported(tmp_path) == {"float32": "", "int8-weights": "", "int8": "", "packed": "no grids"}
    assert {call[:2] for call in calls} == {("cunet_tf", "export")}
    assert f"--out={tmp_path / 'packed'}.cunet" in calls[-1][2] and f"--out={tmp_path / 'int8'}.tflite" in calls[2][2]
    assert np.load(tmp_path / "calibration.npy").shape == (tiny.CALIBRATION, tiny.SIDE, tiny.SIDE, 3)


@pytest.fixture
def edge(tmp_path, monkeypatch):
    """Runs of workers of which the second one may fail."""
    said = {"fault": None}

    def run(peer, python, folder, module, *arguments):
        if module == "worker":
            assert (peer.name, python, arguments) == ("keras", sys.executable, ("keras", "float"))
            folder.mkdir()
            np.save(folder / "expected.npy", np.zeros(1))
            return (folder / "as it is.tflite").write_bytes(b"float")
        assert (folder / "float.tflite").read_bytes() == b"float" and (folder / "calibration.npy").exists()
        if said["fault"]:
            raise CUNetError(said["fault"])
        return {"version": "0.1", "files": {"dynamic_wi4_afp32": "", "static_wi8_ai8": f"{folder}/x is no file"}}

    monkeypatch.setattr(small, "in_environment", run)
    monkeypatch.setattr(small, "measured", lambda file, expected: {"bytes": 9})
    monkeypatch.setattr(tiny, "TRAINING", 80)
    return said


def test_a_quantizer_of_files_gets_the_float_file_that_keras_trained(edge, tmp_path):
    good, bad = small.network_rows(PEERS[small.EDGE], "python", tmp_path / "new")
    assert (good["kernels"], good["bytes"], good["version"]) == ("w4", 9, "0.1")
    assert (bad["kernels"], bad["outcome"]) == ("w8", "x is no file")


def test_a_quantizer_of_files_that_fails_is_one_row(edge, tmp_path):
    edge["fault"] = "edge failed: ImportError"
    (row,) = small.network_rows(PEERS[small.EDGE], "python", tmp_path / "new")
    assert row == {"network": small.NETWORK, "package": small.EDGE, "outcome": "edge failed: ImportError"}


@pytest.mark.parametrize("recipe, kernels", [("static_wi8_ai8", "w8"), ("weight_only_wi4_afp32", "w4"),
                                             ("static 4-bit kernels", "w4")])  # fmt: skip
def test_a_recipe_says_its_bits(recipe, kernels):
    assert small.kernels_of(recipe) == kernels


def test_a_difference_is_a_share_of_the_range(tmp_path, monkeypatch):
    file = tmp_path / "a.tflite"
    file.write_bytes(b"file")
    answer = np.array([0.0, 1.0, 5.0])
    monkeypatch.setattr(own_parity, "run_tflite", lambda tflite, pictures: [answer])
    monkeypatch.setattr(small, "operations", lambda tflite: {"operations": len(tflite)})
    found = small.measured(file, np.array([-1.0, 1.5, 4.0]))
    assert found == {"bytes": 4, "operations": 4, "difference": 0.2}
    answer[1] = np.nan
    with pytest.raises(CUNetError, match="its answers are no numbers"):
        small.measured(file, np.zeros(3))


def test_only_our_own_files_are_read_by_our_reader(tmp_path):
    (tmp_path / "theirs.tflite").write_bytes(b"what our reader refuses")
    assert small.model_bytes(tmp_path / "theirs.tflite") == b"what our reader refuses"
    packed = find_model("face-mobile")
    assert small.model_bytes(packed) == read_model(packed) != packed.read_bytes()


def test_all_convolutions_of_a_shipped_file_are_integer_ones():
    found = small.operations(read_model(find_model("face-mobile")))
    assert found["operations"] > found["convolutions"] == found["integer_convolutions"] > 20
    assert found["islands"] == 0


@pytest.mark.parametrize(
    "words, line",
    [(" \n", "no message"), ("first\n place/x is no file \n", "x is no file"), ("y" * 161, "y" * 160 + "..."),
     ("y" * 160, "y" * 160), (CUNetError("why"), "why")],
)  # fmt: skip
def test_what_went_wrong_is_one_short_line(words, line):
    assert small.shortened(words, Path("place")) == line
