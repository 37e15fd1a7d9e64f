"""Our quantizers against tfmot's, and what tfmot can do with CU-Net; tfmot runs in a process of its own."""

import contextlib
import csv
import io
import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from cunet_tf.errors import CUNetError
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
