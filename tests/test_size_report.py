"""Sizes, theoretical operations, balance index."""

import subprocess
import sys

import pytest

from cunet_tf.config import CUNetConfig
from cunet_tf.errors import CUNetError
from cunet_tf.models.counts import ConvCount, count, list_convs
from cunet_tf.models.cunet import build_cunet
from cunet_tf.models.size_report import balance_index, operation_ratio, report
from cunet_tf.quantize.names import QuantConfig

TINY = CUNetConfig(2, 1, 8, 4, 5, levels=1, input_size=32)


def reported(config, name):
    return report(config, QuantConfig.parse(name))


@pytest.mark.parametrize(
    "stacks, landmarks, ideal, full, share", [(8, 68, 2.26, 32.66, 6.9), (16, 16, 4.05, 65.33, 6.2)]
)
def test_sizes_of_the_specification(stacks, landmarks, ideal, full, share):
    result = reported(CUNetConfig(stacks, 1, landmarks=landmarks), "BW-a")
    assert (round(result["ideal_bytes"] / 1e6, 2), round(result["float32_bytes"] / 1e6, 2)) == (ideal, full)
    assert round(100 * result["honest_size_ratio"], 1) == share


def test_sizes_by_hand():
    convs = list_convs(TINY)
    inner = [conv for conv in convs if conv.layer != "stem" and not conv.layer.endswith("_head")]
    weights, filters = sum(conv.weights for conv in inner), sum(conv.outputs for conv in inner)
    kept, norms = 147 * 8 + 2 * 8 * 5, sum(conv.normalized for conv in convs)
    fixed, packed = 4 * kept + 16 * norms, kept + 4 * (8 + 2 * 5) + 4 * norms
    fives = sum(-(-conv.weights // 5) for conv in inner)
    sizes = {name: reported(TINY, name) for name in ("BW", "BW-a", "TW", "TW-a")}
    assert {name: row["ideal_bytes"] - fixed for name, row in sizes.items()} == {
        "BW": weights // 8, "BW-a": weights // 8 + 4 * filters, "TW": weights // 4, "TW-a": weights // 4 + 4 * filters,
    }  # fmt: skip
    assert {name: row["packed_bytes"] - packed for name, row in sizes.items()} == {
        "BW": weights // 8, "BW-a": weights // 8 + 2 * filters, "TW": fives, "TW-a": fives + 2 * filters,
    }  # fmt: skip


def test_float_is_the_plain_count():
    result = reported(TINY, "float")
    assert result["quant"] == "float" and result["ideal_bytes"] == count(TINY)["float32_bytes"]
    assert result["training_memory_ratio"] == result["model_size_ratio"] == result["honest_size_ratio"] == 1.0
    assert {(row["bits"], row["feature_bits"], row["operation_ratio"]) for row in result["layers"]} == {(32, 32, 1.0)}


@pytest.mark.parametrize("name", ["FW-QIG(8,32,8)", "BW-a", "TW-QIG(828)+float_layers=*_neck/*"])
def test_layers_are_those_of_the_built_network(name):
    layers = {row["layer"]: row for row in reported(TINY, name)["layers"]}
    built = {layer.path: layer for layer in build_cunet(TINY, quant=name)._flatten_layers() if hasattr(layer, "kernel")}
    assert built.keys() == layers.keys()
    for path, row in layers.items():
        kernel, features = (getattr(built[path], f"{of}_quantizer", None) for of in ("kernel", "input"))
        assert row["bits"] == (kernel.bits if kernel else 32), path
        assert row["feature_bits"] == (features.bits if features else 32), path
        assert (row["weights"], row["filters"]) == (
            built[path].kernel.shape.num_elements(),
            built[path].kernel.shape[-1],
        )


def test_ideal_ratios():
    result = reported(TINY, "TW-a-QIG(626)")
    assert (result["training_memory_ratio"], result["model_size_ratio"]) == (6 / 32, 2 / 32)
    assert reported(TINY, "BW-a")["training_memory_ratio"] == 1.0
    assert reported(TINY, "FW-QIG(8,32,8)")["model_size_ratio"] == 1.0


@pytest.mark.parametrize(
    "weights, features, expected",
    [(1, 1, 62.27), (1, 8, 7.97), (2, 8, 3.99), (1, 32, 2.0), (2, 32, 2.0), (32, 8, 1.0), (32, 32, 1.0)],
)
def test_theoretical_operations_of_xnor_nets_example(weights, features, expected):
    conv = ConvCount("", "", 3, 256, 256, 14, 256)
    assert round(operation_ratio(conv, weights, features), 2) == expected


def test_balance_index_by_hand():
    """All rows of Table 8 follow in test_paper.py."""
    assert balance_index(4.0, 0.25, 0.125) == 4.0**2 / 32


@pytest.mark.parametrize("error", [-1.0, float("nan"), float("inf")])
def test_balance_index_refuses_what_is_no_error(error):
    with pytest.raises(CUNetError, match="100 - PCKh"):
        balance_index(error, 1.0, 1.0)


def test_importing_needs_no_keras():
    check = "import sys, cunet_tf.models.size_report; assert not {'keras', 'tensorflow'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], capture_output=True).returncode == 0
