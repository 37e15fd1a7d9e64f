"""Packages beside this one: the table, the environments' bookkeeping, and our own rows. Nothing is installed here."""

import csv
import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from cunet_tf import cli
from cunet_tf.errors import CUNetError
from cunet_tf.export import own_parity
from cunet_tf.export.packed.writer import pack
from cunet_tf.export.peers import __main__ as peers
from cunet_tf.export.peers import environments, faces, networks, small, tiny, worker
from cunet_tf.export.peers.environments import PEERS, Peer, lay_out, prepare
from cunet_tf.export.peers.table import COLUMNS, merge, tables
from cunet_tf.export.peers.timing import time_ratio
from cunet_tf.export.processes import run_module
from cunet_tf.export.weight_only import with_int8_weights
from tests.networks import float_file, integer_file, spec_of

ROOT = Path(__file__).parents[1]
HGQ2 = PEERS["hgq2"]


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """Our binary row, trained for one epoch on few pictures, in this process."""
    folder = tmp_path_factory.mktemp("ours")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny, "TRAINING", 64)
        patch.setattr(tiny, "EPOCHS", 2)
        patch.setattr(worker, "ROUNDS", 1)
        patch.setattr(worker, "XLA", {"": False})  # which takes long to compile
        patch.setattr(small, "OUR_FORMATS", {"packed": "cunet"})
        patch.setattr(small, "TRAINED", {"cunet-tf": ("binary",)})
        patch.setattr(small, "in_environment", _in_this_process)
        patch.setattr(small, "run_module", lambda module, *arguments: cli.main(list(arguments)))
        return small.network_rows(PEERS["cunet-tf"], sys.executable, folder)


def _in_this_process(peer, python, folder, module, *arguments):
    folder.mkdir(parents=True)
    worker.main(folder, *arguments)
    return json.loads((folder / "result.json").read_text())


@pytest.mark.slow  # trains for a table of the docs
def test_our_network_trains_and_becomes_integers(ours):
    (row,) = ours
    assert (row["package"], row["kernels"], row["conversion"]) == ("cunet-tf", "binary", "packed")
    assert row["version"] == version("cunet-tf") and row["keras"].startswith("keras 3")
    assert row["convolutions"] == row["integer_convolutions"] == 4 and row["islands"] == 0
    assert row["bytes"] < 4500 and 0 < row["difference"] < 0.2 and row["outcome"] == ""
    assert row["loss_last"] < row["loss_first"] and row["step_ratio"] > 0 and row["step_ratio_xla"] is None


def test_keras_quantize_says_what_it_has_changed():
    import keras

    model = networks.float_network(keras.layers, keras.Model)
    assert worker._quantized(keras, model, "int8") == "0 of 4 convolutions quantized by keras"


def test_a_package_that_fails_gets_its_own_words(tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "version", lambda name: "0")
    worker.main(tmp_path, "hgq2", "binary")  # refused before anything of it is imported
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["error"].startswith("NotImplementedError: not tried: its numbers are fixed-point ones")
    assert "loss_last" not in result and not list(tmp_path.glob("*.tflite"))


@pytest.mark.parametrize(
    "says", [lambda *_: {"error": "ValueError: no", "version": "1"}, CUNetError("pip: ValueError: no")]
)
def test_failures_are_rows(tmp_path, monkeypatch, says):
    def answer(*arguments):
        if isinstance(says, CUNetError):
            raise says
        return says()

    monkeypatch.setattr(small, "in_environment", answer)
    rows = small.network_rows(HGQ2, "python", tmp_path)
    assert [row["kernels"] for row in rows] == list(networks.KERNELS)
    assert all("ValueError: no" in row["outcome"] and "conversion" not in row for row in rows)


def test_a_file_that_cannot_be_read_is_a_row(tmp_path):
    (tmp_path / "as it is.tflite").write_bytes(b"nothing")
    np.save(tmp_path / "expected.npy", np.zeros((1, 2)))
    row = small.outcome(tmp_path, "as it is", "")
    assert set(row) == {"outcome"} and "LiteRT cannot run this model" in row["outcome"]
    assert small.outcome(tmp_path, "dynamic", "first\n" + "x" * 500) == {"outcome": "x" * small.KEPT + "..."}


def test_an_environment_is_made_once_and_again_for_other_requirements(tmp_path, monkeypatch):
    calls = []

    def run(call, **_):
        calls.append(call)
        if "venv" in call:
            Path(call[-1]).mkdir(parents=True)
        return subprocess.CompletedProcess(call, 0, "", "")

    monkeypatch.setattr(environments.subprocess, "run", run)
    python = prepare(HGQ2, tmp_path)
    assert python == str(tmp_path / "hgq2" / "bin" / "python") == prepare(HGQ2, tmp_path)
    assert len(calls) == 2 and calls[1][-2:] == list(HGQ2.requirements)
    prepare(Peer("hgq2", ("hgq2==9",)), tmp_path)
    assert len(calls) == 4
    assert prepare(Peer("keras"), tmp_path) == sys.executable and len(calls) == 4


def test_what_cannot_be_installed_is_a_row(tmp_path, monkeypatch):
    def run(call, **_):
        return subprocess.CompletedProcess(call, int("pip" in call), "", "notice\nERROR: no version of hgq2\n")

    monkeypatch.setattr(environments.subprocess, "run", run)
    table = tmp_path / "table.csv"
    assert peers.main(["", "--only=hgq2", f"--cache={tmp_path / 'cache'}", f"--csv={table}"]) == 0
    (row,) = csv.DictReader(table.read_text().splitlines())
    assert row["package"] == "hgq2" and row["outcome"].endswith("cannot be installed: ERROR: no version of hgq2")
    assert row["cpu"] and not (tmp_path / "cache" / "hgq2" / environments.STAMP).exists()


def test_another_environment_sees_this_package_of_ours_and_no_other(tmp_path):
    path = lay_out(tmp_path / "modules")
    assert {file.suffix for file in path.rglob("*") if file.is_file()} == {".py"}
    code = "import cunet_tf.export.peers.tiny as t; print(t.drawn(2, 0)[1].shape)"
    call = [sys.executable, "-P", "-c", code]
    done = subprocess.run(call, env={"PYTHONPATH": str(path)}, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(2, 16, 16, 1)"
    assert {file.parent.name for file in path.rglob("*.py")} == {"cunet_tf", "export", "peers"}


def test_a_process_that_fails_says_why(tmp_path, monkeypatch):
    (tmp_path / "broken.py").write_text("import os\nassert 'KERAS_BACKEND' not in os.environ\nraise ValueError('why')")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with pytest.raises(CUNetError, match=r"^broken failed \(exit status 1\): ValueError: why$"):
        run_module("broken", path=tmp_path)


def test_pictures_show_a_disc_where_the_bell_is():
    pictures, maps = tiny.drawn(20, seed=3)
    assert pictures.min() >= 0 and pictures.max() <= 1 and 0.9 < maps.max() <= 1
    rows, columns = np.unravel_index(maps[..., 0].reshape(20, -1).argmax(1), (tiny.MAP_SIDE, tiny.MAP_SIDE))
    centres = pictures[np.arange(20), 2 * rows, 2 * columns]
    assert (centres >= 0.6).all()  # the disc's colours; noise stays below


def test_time_ratio_is_of_processor_time():
    def work(count):
        return lambda: sum(range(count))

    assert time_ratio(work(60_000), work(60_000), 9, 5) == pytest.approx(1.0, rel=0.5)
    assert time_ratio(work(600_000), work(60_000), 9, 5) > 3


def test_rows_of_other_packages_stay(tmp_path):
    file = tmp_path / "table.csv"
    old = [{"network": "n", "package": name, "kernels": "w4", "bytes": 1} for name in ("a", "b", "b")]
    merge(file, old)
    rows = merge(file, [{"network": "n", "package": "b", "kernels": "w4", "bytes": 2, "difference": 0.123456}])
    assert [(row["package"], row["bytes"], row["difference"]) for row in rows] == [("a", "1", ""), ("b", "2", "0.1235")]
    assert file.read_text().startswith("network,package,version,")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--csv=x.csv", "--only=hgq"], "Did you mean 'hgq2'"),
        ([], "give --csv"),
        (["--csv=x.csv", "--model=a.keras"], "--model and --root go together"),
    ],
)
def test_bad_flags(tmp_path, monkeypatch, capsys, flags, message):
    monkeypatch.chdir(tmp_path)
    assert peers.main(["", *flags]) == 2
    assert message in capsys.readouterr().err


def test_a_table_of_somebody_else_is_kept(tmp_path, capsys):
    (tmp_path / "own.csv").write_text("a,b\n1,2\n")
    assert peers.main(["", f"--csv={tmp_path / 'own.csv'}"]) == 2
    assert "was not written by cunet" in capsys.readouterr().err


@pytest.mark.slow  # evaluates for a table of the docs
def test_face_rows(tmp_path, monkeypatch):
    """Commands and packages are played; files are read, run and timed."""
    edge, asked = "static_wi8_ai8", []

    def run(module, verb, first, *flags):
        asked.append((verb, flags))
        file = Path(first.removeprefix("--out="))
        if file.name == "int8.tflite":
            raise CUNetError("no grids")
        return file.write_bytes(float_file() if file.suffix == ".tflite" else pack(integer_file("W4-QIG(848)")))

    def quantize(peer, python, folder, *_):
        assert np.load(folder / "calibration.npy").shape == (1, 64, 64, 3)
        (folder / f"{edge}.tflite").write_bytes(with_int8_weights((folder / "float.tflite").read_bytes()))
        return {"version": "0", "files": {edge: "", "dynamic_wi4_afp32": "ValueError: no"}}

    monkeypatch.setattr(faces, "run_module", run)
    monkeypatch.setattr(faces, "in_environment", quantize)
    monkeypatch.setattr(faces, "_pictures", lambda *_: np.zeros((1, 64, 64, 3), np.float32))
    monkeypatch.setattr(faces, "_nme", lambda *_: 3.5)
    monkeypatch.setattr(faces, "RUNS", 3)
    rows = faces.face_rows("m.keras", "300w", "helen/testset", "python", PEERS["ai-edge-quantizer"], tmp_path)
    by = {row["conversion"]: row for row in rows}
    assert len(by) == len(faces.FLOATS) + len(faces.CALIBRATED) + len(faces.EXPANDED) + 2
    assert by["float32.tflite"]["time_ratio"] == 1.0 and by["float32.tflite"]["integer_convolutions"] == 0
    assert by["W4.cunet"]["integer_convolutions"] == by["W4.cunet"]["convolutions"] > 0
    assert by["W4.cunet"]["bytes"] < by[edge]["bytes"] < by["float32.tflite"]["bytes"]
    assert by["int8.tflite"]["outcome"] == "no grids" and "bytes" not in by["int8.tflite"]
    assert by["dynamic_wi4_afp32"]["outcome"] == "ValueError: no" and by["dynamic_wi4_afp32"]["kernels"] == "w4"
    assert {row["nme_interocular"] for row in rows if not row["outcome"]} == {3.5}
    assert next(flags for _, flags in asked if "--quant=W4" in flags)[1:3] == ("--format=packed", "--quant=W4")
    assert all(row["pictures"] == "helen/testset" and row["network"] for row in rows)


def test_a_face_network_that_cannot_be_exported(tmp_path, monkeypatch):
    def run(*_):
        raise CUNetError("no such file: none.keras")

    monkeypatch.setattr(faces, "run_module", run)
    with pytest.raises(CUNetError, match="--model=none.keras: no such file: none.keras"):
        faces.face_rows("none.keras", "300w", "full", "python", PEERS["ai-edge-quantizer"], tmp_path)


@pytest.mark.parametrize(
    "file, kernels",
    [("float32.tflite", "float"), ("float16.tflite", "float"), ("int8-weights.tflite", "w8"), ("int8.tflite", "w8"),
     ("W5.cunet", "w5"), ("W4 int8.tflite", "w4")],
)  # fmt: skip
def test_a_file_of_ours_says_its_kernels(tmp_path, monkeypatch, file, kernels):
    monkeypatch.setattr(faces, "run_module", lambda *_: None)
    assert faces._exported(file, (), tmp_path) == {"file": file, "conversion": file, "kernels": kernels, "outcome": ""}


def test_ai_edge_quantizer_gets_our_float_file_and_keeps_the_outer_layers(tmp_path, monkeypatch):
    (tmp_path / faces.FLOAT).write_bytes(b"float")
    asked = []

    def run(peer, python, folder, module, *arguments):
        asked.append((module, arguments, (folder / "float.tflite").read_bytes()))
        return {"version": "0", "files": {"a": "", "b": f"{folder}/float.tflite is empty"}}

    monkeypatch.setattr(faces, "in_environment", run)
    monkeypatch.setattr(faces, "_pictures", lambda root, file: np.zeros((1, 2, 2, 3)))
    good, bad = faces._of_edge("python", PEERS["ai-edge-quantizer"], "300w", tmp_path)
    assert asked == [("edge", (faces.OUTER,), b"float")]
    assert (good["file"], good["outcome"], bad["outcome"]) == ("a.tflite", "", "float.tflite is empty")

    def fail(*_):
        raise CUNetError("edge failed: ImportError: no numpy")

    monkeypatch.setattr(faces, "in_environment", fail)
    (row,) = faces._of_edge("python", PEERS["ai-edge-quantizer"], "300w", tmp_path)
    assert row == {"package": "ai-edge-quantizer", "outcome": "edge failed: ImportError: no numpy"}


def test_a_file_that_does_not_run_keeps_its_bytes(tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("Encountered an unresolved operation")

    (tmp_path / "a.tflite").write_bytes(bytes(12))
    monkeypatch.setattr(faces, "_spec", lambda file: file.name)
    monkeypatch.setattr(faces, "_nme", fail)
    row = faces._evaluated(tmp_path / "a.tflite", "300w", "full")
    assert row == {"bytes": 12, "outcome": "Encountered an unresolved operation"}
    monkeypatch.setattr(faces, "_nme", lambda tflite, spec, *_: (len(tflite), spec))
    monkeypatch.setattr(faces, "operations", lambda tflite: {"operations": 3})
    row = faces._evaluated(tmp_path / "a.tflite", "300w", "full")
    assert row == {"bytes": 12, "operations": 3, "nme_interocular": (12, faces.FLOAT)}  # their files describe nothing


def test_another_packages_file_is_evaluated_as_the_network_it_was_made_of(monkeypatch):
    asked, spec = [], spec_of()

    def judge(localizer, data):
        assert localizer.spec is spec and data == ("300w", "full")
        return {"nme_interocular": float(localizer.engine(np.ones((2, 3))).sum())}

    monkeypatch.setattr(own_parity, "run_tflite", lambda tflite, pictures: asked.append(tflite) or [2 * pictures, 0])
    monkeypatch.setattr("cunet_tf.evaluation.evaluate", judge)
    monkeypatch.setattr("cunet_tf.data.w300.load_300w", lambda root, split, allow_missing: (root, split))
    assert faces._nme(b"file", spec, "300w", "full") == 12.0 and asked == [b"file"]


def test_faces_are_compared_by_the_quantizer_of_files_alone(tmp_path, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(peers, "prepare", lambda peer, cache: f"{cache}/{peer.name}")
    monkeypatch.setattr(peers, "network_rows", lambda peer, *_: [{"network": small.NETWORK, "package": peer.name}])

    def of_faces(model, root, split, python, peer, folder):
        asked.append((model, root, split, python, folder.is_dir()))
        return [{"network": "mine", "package": peer.name, "conversion": "int8", "nme_interocular": 3.0}]

    monkeypatch.setattr(peers, "face_rows", of_faces)
    monkeypatch.setattr(peers, "processor", lambda: "a processor")
    words = ["", f"--csv={tmp_path / 'new.csv'}", "--only=hgq2,ai-edge-quantizer", "--cache=c"]
    assert peers.main([*words, "--model=m.keras", "--root=300w", "--split=full"]) == 0
    assert asked == [("m.keras", "300w", "full", "c/ai-edge-quantizer", True)]
    rows = list(csv.DictReader((tmp_path / "new.csv").read_text().splitlines()))
    assert [(row["network"], row["package"]) for row in rows] == [
        (small.NETWORK, "hgq2"), (small.NETWORK, "ai-edge-quantizer"), ("mine", "ai-edge-quantizer"),
    ]  # fmt: skip
    assert {row["cpu"] for row in rows} == {"a processor"}
    said = capsys.readouterr()
    assert "Files of the face network" in said.out and "notice" not in said.err
    assert peers.main([*words, "--only=ai-edge-quantizer"]) == 0
    assert len(asked) == 1 and "no face network is compared" in capsys.readouterr().err


def test_the_page_holds_the_committed_table():
    with (ROOT / "docs/results/low_bit_peers.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == COLUMNS and {row["package"] for row in rows} == set(PEERS)
    page = (ROOT / "docs/low-bit-peers.md").read_text()
    for part in tables(rows, small.NETWORK).split("\n\n"):
        assert part in page, f"docs/low-bit-peers.md does not hold {part[:200]}"
