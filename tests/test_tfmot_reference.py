"""Our quantizers against tfmot's, and what tfmot can do with CU-Net; tfmot runs in a process of its own."""

import contextlib
import csv
import io
import json
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cunet_tf.errors import CUNetError
from cunet_tf.export.tfmot import ours
from cunet_tf.export.tfmot import reference as tfmot_reference
from cunet_tf.export.tfmot.graphs import NAMES, convolve, integer_result, make_graph
from cunet_tf.export.tfmot.ours import float_result, quantized_kernel

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """What the command prints, and the rows of its table."""
    if not (find_spec("tensorflow_model_optimization") and find_spec("tf_keras")):
        pytest.skip("TensorFlow Model Optimization is not installed: pip install 'cunet-tf[tfmot]' to compare")
    file = tmp_path_factory.mktemp("tfmot") / "new" / "tfmot.csv"
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert tfmot_reference.main(["tfmot_reference", "--json", f"--csv={file}"]) == 0
    with file.open(newline="") as stream:
        return {**json.loads(printed.getvalue()), "table": list(csv.DictReader(stream))}


@pytest.mark.slow  # TensorFlow Model Optimization, in a process of its own
def test_no_value_differs_by_more_than_one_step_and_only_next_to_a_half(result):
    rows = {row["comparison"]: row for row in result["comparisons"]}
    assert result["ok"] and len(rows) == 1 + 4 * len(NAMES) == len(result["table"])
    assert rows["input grid: our quantizer, tfmot's"]["max_lsb"] == 0
    for row in rows.values():
        # How a runtime rounds what lies next to a half is the processor's matter (AVX512-VNNI: 0.4 % of one graph).
        assert row["max_lsb"] <= 1 and row["share_different"] < 0.01 and row["from_half_lsb"] < 0.01, row
    for name in NAMES:
        assert rows[f"{name}: our quantizers, tfmot's"]["share_different"] <= 1e-4


@pytest.mark.slow
def test_pruning_and_clustering_work_on_the_rebuilt_network_only(result):
    works = {row["attempt"]: row["works"] for row in result["attempts"]}
    outcomes = {row["attempt"]: row["outcome"] for row in result["attempts"]}
    assert works["prune the rebuilt CU-Net"] and works["cluster the rebuilt CU-Net"]
    assert outcomes["prune the rebuilt CU-Net"].startswith("50.0 %")
    assert works["pruned weights back in the Keras 3 CU-Net"]
    failing = {"load CU-Net's .keras in tf_keras", "load a Keras 3 conv-BN-ReLU .keras in tf_keras",
               "prune CU-Net's SavedModel", "quantize_model on the rebuilt CU-Net"}  # fmt: skip
    assert {attempt for attempt, good in works.items() if not good} == failing


def test_without_tfmot_the_message_names_the_extra(monkeypatch, capsys):
    monkeypatch.setattr(tfmot_reference, "find_spec", lambda name: None)
    with pytest.raises(CUNetError, match=r"pip install 'cunet-tf\[tfmot\]'"):
        tfmot_reference.measure()
    assert tfmot_reference.main(["tfmot_reference"]) == 2
    assert "cunet-tf[tfmot]" in capsys.readouterr().err


@pytest.mark.parametrize("name", NAMES)
def test_integers_equal_our_quantizers_but_for_halves(name):
    graph = make_graph(name)
    kernel = quantized_kernel(graph)
    ours, exact = float_result(graph, kernel)
    row = tfmot_reference.compare(name, ours, integer_result(graph, kernel), exact)
    assert row["max_lsb"] <= 1 and row["from_half_lsb"] < 0.01
    assert 0.3 < np.mean(ours > 0) < 0.7 and np.mean(ours == 255) < 0.01


def test_compare_counts_and_measures_the_distance_from_a_half():
    row = tfmot_reference.compare("x", np.array([1, 2, 3, 9]), np.array([1, 3, 3, 7]), np.array([1.0, 2.5, 3.4, 7.8]))
    assert (row["values"], row["max_lsb"], row["share_different"]) == (4, 2, 0.5)
    assert row["from_half_lsb"] == pytest.approx(0.3)


def test_convolve_sums_the_neighbours_of_a_point():
    x = np.zeros((1, 5, 5, 1), np.int8)
    x[0, 2, 2, 0] = 2
    kernel = np.arange(9.0).reshape(3, 3, 1, 1)
    np.testing.assert_array_equal(convolve(x, kernel)[0, 1:4, 1:4, 0], 2.0 * kernel[::-1, ::-1, 0, 0])


def test_an_unknown_graph_is_refused():
    with pytest.raises(CUNetError, match="binary-shift"):
        make_graph("float")


def test_the_page_quotes_the_committed_table():
    page = (ROOT / "docs/tfmot.md").read_text()
    with (ROOT / "docs/results/tfmot.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            assert " | ".join(row.values()) in page, f"docs/tfmot.md does not quote {row}"


def test_each_row_compares_what_it_names(monkeypatch):
    shift = {"ours": 0, "integers": 1, "fake": 3, "tflite": 7}

    def array(name):
        return np.full(4, shift[name])

    monkeypatch.setattr(ours, "quantized_kernel", lambda graph: "kernel")
    monkeypatch.setattr(ours, "float_result", lambda graph, kernel: (array("ours"), np.full(4, 0.25)))
    monkeypatch.setattr(tfmot_reference, "integer_result", lambda graph, kernel: array("integers"))
    found = {f"{name}/{kind}": array(kind) for name in NAMES for kind in ("fake", "tflite")}
    rows = tfmot_reference.compare_all({**found, "input": ours.quantized_input()})
    first, *others = rows
    assert first["max_lsb"] == 0 and first["values"] == 4096
    assert [row["max_lsb"] for row in others] == [3, 6, 7, 4] * len(NAMES)
    assert {row["from_half_lsb"] for row in others} == {0.25}


@settings(max_examples=30)
@given(st.lists(st.tuples(*[st.integers(0, 255)] * 2), min_size=1, max_size=9))
def test_a_comparison_has_two_equal_sides(pairs):
    one, other = np.array(pairs).T
    exact = np.linspace(0.0, 4.0, len(pairs))
    row = tfmot_reference.compare("x", one, other, exact)
    assert row == tfmot_reference.compare("x", other, one, exact)
    assert (row["max_lsb"] == 0) == (row["share_different"] == 0.0) and 0.0 <= row["from_half_lsb"] <= 0.5
    same = tfmot_reference.compare("x", one, one, exact)
    assert (same["max_lsb"], same["share_different"], same["from_half_lsb"]) == (0, 0.0, 0.0)


@pytest.fixture
def played(monkeypatch):
    """The other process is played: what it leaves behind, and what the largest difference is."""
    state = SimpleNamespace(pruned=True, max_lsb=1)

    def work(module, folder):
        assert module == "cunet_tf.export.tfmot.worker" and (Path(folder) / "networks").exists()
        np.savez(Path(folder) / "tfmot.npz", input=np.arange(3))
        (Path(folder) / "attempts.json").write_text(json.dumps([{"attempt": "a", "works": False, "outcome": "no"}]))
        if state.pruned:
            np.savez(Path(folder) / "pruned.npz", kernel=np.arange(2))

    def compare(tfmot):
        np.testing.assert_array_equal(tfmot["input"], np.arange(3))
        return [{"comparison": "x", "values": 4, "max_lsb": state.max_lsb, "share_different": 0.123456,
                 "from_half_lsb": 0.5}]  # fmt: skip

    back = {"attempt": "back", "works": True, "outcome": "equal"}
    monkeypatch.setattr(tfmot_reference, "find_spec", lambda name: name)
    monkeypatch.setattr(ours, "write_networks", lambda folder: (folder / "networks").touch())
    monkeypatch.setattr(ours, "back_in_keras", lambda network, pruned: {**back, "values": len(pruned["kernel"])})
    monkeypatch.setattr(tfmot_reference, "run_module", work)
    monkeypatch.setattr(tfmot_reference, "compare_all", compare)
    return state


def test_pruned_weights_are_tried_where_there_are_any(played):
    assert [row["attempt"] for row in tfmot_reference.measure()["attempts"]] == ["a", "back"]
    played.pruned = False
    assert [row["attempt"] for row in tfmot_reference.measure()["attempts"]] == ["a"]


@pytest.mark.parametrize("max_lsb, code", [(0, 0), (1, 0), (2, 1)])
def test_more_than_one_step_is_a_failure(played, capsys, tmp_path, max_lsb, code):
    played.max_lsb = max_lsb
    file = tmp_path / "tfmot.csv"
    assert tfmot_reference.main(["tfmot_reference", "--json", f"--csv={file}"]) == code
    printed = json.loads(capsys.readouterr().out)
    assert printed["ok"] is (code == 0) and printed["comparisons"][0]["share_different"] == 0.123456
    assert file.read_text() == ",".join(tfmot_reference.COLUMNS) + f"\nx,4,{max_lsb},0.123,0.5\n"


def test_the_text_says_what_works_and_what_fails(played, capsys):
    assert tfmot_reference.main(["tfmot_reference"]) == 0
    head, row, empty, *attempts = capsys.readouterr().out.splitlines()
    assert row.split() == ["x", "4", "1", "0.123456", "0.500000"] and len(row) == len(head) and not empty
    assert [line.split(maxsplit=1)[1].strip() for line in attempts] == ["fails: no", "works: equal"]


def test_a_table_of_somebody_else_is_kept(played, capsys, tmp_path):
    (tmp_path / "mine.csv").write_text("precious")
    assert tfmot_reference.main(["tfmot_reference", f"--csv={tmp_path / 'mine.csv'}"]) == 2
    assert "mine.csv exists" in capsys.readouterr().err and (tmp_path / "mine.csv").read_text() == "precious"
