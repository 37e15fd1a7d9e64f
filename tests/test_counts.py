"""The published networks, counted row by row."""

import subprocess
import sys

import pytest

from cunet_tf.config import CUNetConfig
from cunet_tf.config_baselines import DenseUNetConfig, HourglassConfig
from cunet_tf.models.build import build_network
from cunet_tf.models.counts import count, list_convs

# N, K, conv C=16, trainable C=16, GMAC 16, conv C=68, GMAC 68
ROWS = [
    (2, 0, 1_792_384, 1_815_040, 2.578, 1_805_696, 2.633),
    (2, 1, 1_898_880, 1_923_200, 2.757, 1_912_192, 2.811),
    (4, 1, 3_901_824, 3_952_128, 5.451, 3_928_448, 5.560),
    (4, 2, 4_114_816, 4_168_448, 5.808, 4_141_440, 5.918),
    (8, 0, 7_162_240, 7_252_864, 9.589, 7_215_488, 9.807),
    (8, 1, 7_907_712, 8_009_984, 10.840, 7_960_960, 11.058),
    (8, 7, 10_144_128, 10_281_344, 14.591, 10_197_376, 14.810),
    (16, 1, 15_919_488, 16_125_696, 21.617, 16_025_984, 22.053),
    (16, 7, 23_267_712, 23_588_736, 33.944, 23_374_208, 34.380),
]
TABLE2 = [(64, 16, 480_448), (128, 16, 1_080_704), (128, 24, 1_446_016), (128, 32, 1_898_880),
          (192, 24, 2_414_400), (192, 32, 2_940_480)]  # fmt: skip
BASELINES = [(DenseUNetConfig(4), 2_912_640, None), (DenseUNetConfig(8), 6_115_712, None),
             (HourglassConfig(4), 12_764_352, 14.70), (HourglassConfig(8), 25_248_960, 27.44),
             (HourglassConfig(16), 50_218_176, 52.91)]  # fmt: skip
BREAKDOWN = {
    "stem": 18_816, "down 1x1": 147_456, "down 3x3": 294_912, "down ahead": 180_224, "down skip": 180_224,
    "up 1x1": 278_528, "up 3x3": 294_912, "up ahead": 311_296, "neck 1x1": 36_864, "neck 3x3": 73_728,
    "neck ahead": 45_056, "heads": 4_096, "input adapter": 32_768,
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"N{row[0]}K{row[1]}")
def test_every_row_of_the_table(row):
    stacks, order, conv16, trainable16, gmac16, conv68, gmac68 = row
    pose = count(CUNetConfig(stacks, order, landmarks=16))
    face = count(CUNetConfig(stacks, order, landmarks=68))
    assert (pose["conv_parameters"], pose["trainable_parameters"]) == (conv16, trainable16)
    assert face["conv_parameters"] == conv68
    assert (round(pose["macs"] / 1e9, 3), round(face["macs"] / 1e9, 3)) == (gmac16, gmac68)


@pytest.mark.parametrize("m, n, expected", TABLE2)
def test_table_2(m, n, expected):
    assert count(CUNetConfig(2, 1, m, n))["conv_parameters"] == expected


@pytest.mark.parametrize("config, expected, gmac", BASELINES)
def test_baselines(config, expected, gmac):
    result = count(config)
    assert result["conv_parameters"] == expected
    assert gmac is None or round(result["macs"] / 1e9, 2) == gmac
    assert result.keys() == count(CUNetConfig()).keys()
    assert sum(row["conv_parameters"] for row in result["parts"].values()) == expected


def test_a_dense_block_of_one_layer_is_a_semantic_block_without_history():
    assert count(DenseUNetConfig(1))["parts"] == count(CUNetConfig(1))["parts"]


def test_breakdown_of_an_hourglass_network():
    """Per residual module 2 * 256 * 128 + 9 * 128^2 = 212,992 weights, 14 of them in each stack."""
    parts = {name: row["conv_parameters"] for name, row in count(HourglassConfig(2))["parts"].items()}
    assert parts == {
        "stem": 9_408, "stem 1x1": 4_096 + 8_192 + 8_192 + 8_192 + 16_384 + 32_768, "stem 3x3": 36_864 * 2 + 147_456,
        "stem skip": 8_192 + 32_768, "hourglass 1x1": 28 * 65_536, "hourglass 3x3": 28 * 147_456,
        "lin": 2 * 65_536, "heads": 2 * 4_096, "remap": 65_536 + 4_096,
    }  # fmt: skip


def test_closed_form_of_the_specification():
    m, n, landmarks = 24, 8, 5
    total = 147 * m
    for index in range(3):
        c = min(index, 2)
        total += 4 * ((m + c * n) * 4 * n + 36 * n**2 + 2 * m * (m + (c + 1) * n))
        total += (m + c * n) * 4 * n + 36 * n**2 + m * (m + (c + 1) * n)
        total += 4 * ((2 * m + c * n) * 4 * n + 36 * n**2 + m * (2 * m + (c + 1) * n))
        total += (1 + c) * m**2 * (index > 0) + landmarks * m
    assert count(CUNetConfig(3, 2, m, n, landmarks))["conv_parameters"] == total


def test_breakdown_of_cunet_2():
    parts = count(CUNetConfig(2, 1))["parts"]
    assert {name: row["conv_parameters"] for name, row in parts.items()} == BREAKDOWN


def test_totals_of_cunet_2_and_face_mobile():
    result = count(CUNetConfig(2, 1))
    assert result["total_parameters"] == 1_947_520
    assert result["float32_bytes"] == 4 * 1_947_520
    assert count(CUNetConfig(2, 1, 64, 16, 68, input_size=128))["total_parameters"] == 511_424


@pytest.mark.parametrize(
    "config",
    [
        CUNetConfig(3, 0, 8, 4, 5, supervisions=1, levels=2, input_size=32),
        CUNetConfig(3, 2, 8, 4, 5, supervisions=3, levels=2, input_size=32),
        CUNetConfig(3, 1, 8, 4, 5, levels=1, input_size=32, refinement=2, norm_order="conv_first"),
        DenseUNetConfig(3, 8, 4, 5, levels=2, input_size=32),
        HourglassConfig(2, 16, 2, 5, input_size=32),
        HourglassConfig(1, 128, 1, 5, input_size=32),  # 64 channels all through the stem: fewer skips
    ],
)
def test_counts_equal_the_built_model(config):
    model = build_network(config)
    result = count(config)
    trainable = sum(int(v.shape.num_elements()) for v in model.trainable_variables)
    assert model.count_params() == result["total_parameters"]
    assert trainable == result["trainable_parameters"]
    kernels = {v.path.removesuffix("/kernel"): v for v in model.variables if v.path.endswith("/kernel")}
    listed = {conv.layer: conv for conv in list_convs(config)}
    assert kernels.keys() == listed.keys()
    for path, kernel in kernels.items():
        conv = listed[path]
        assert tuple(kernel.shape) == (conv.kernel, conv.kernel, conv.inputs, conv.outputs)


@pytest.mark.parametrize("config", [DenseUNetConfig(2, 8, 4, 5, levels=2, input_size=32),
                                    HourglassConfig(2, 16, 2, 5, input_size=32)])  # fmt: skip
def test_outputs_of_every_convolution_have_the_counted_side(config):
    """Paths of composite layers start with the layer that the graph knows."""
    model = build_network(config)
    for conv in list_convs(config):
        output = model.get_layer(conv.layer.split("/")[0]).output
        side = output.shape[1] * (2 if getattr(model.get_layer(conv.layer.split("/")[0]), "pool", False) else 1)
        assert output.shape[1] == output.shape[2] and side == conv.side, conv.layer


def test_counting_needs_no_keras():
    check = "import sys, cunet_tf.models.counts; assert not {'keras', 'tensorflow'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], capture_output=True).returncode == 0
