import keras
import numpy as np
import pytest

import cunet_tf as cu
from cunet_tf.config_baselines import HourglassConfig
from cunet_tf.models.build import build_network
from cunet_tf.models.counts import count
from cunet_tf.models.quant_layers import QuantActivation, QuantConv2D
from cunet_tf.models.size_report import report
from cunet_tf.models.summary import totals
from cunet_tf.quantize.names import QuantConfig
from cunet_tf.quantize.quantizers import Uniform
from tests.networks import SHAPES, network

_L = keras.layers


@pytest.mark.parametrize("quant, shape", [
    ("float", "plain"), ("BW-a-QIG(818)", "plain"), ("TW-QIG(626)", "two passes"), ("BW-a", "dense"), ("W4", "plain"),
])  # fmt: skip
def test_sums_and_bits_are_those_of_cunet_info(quant, shape):
    rows = cu.summary(network(quant, shape), show=False)
    counted, saved = count(SHAPES[shape]), report(SHAPES[shape], QuantConfig.parse(quant))
    assert totals(rows) == {
        "parameters": counted["total_parameters"], "float32_bytes": counted["float32_bytes"],
        "ideal_bytes": saved["ideal_bytes"], "macs": counted["macs"],
    }  # fmt: skip
    bits = {row["layer"]: (row["bits"], row["input_bits"]) for row in rows if row["bits"]}
    assert bits == {row["layer"]: (row["bits"], row["feature_bits"]) for row in saved["layers"]}


def test_hourglass():
    config = HourglassConfig(stacks=1, channels=8, depth=2, landmarks=5, input_size=64)
    sums, counted = totals(cu.summary(build_network(config), show=False)), count(config)
    assert (sums["parameters"], sums["macs"]) == (counted["total_parameters"], counted["macs"])


def test_own_model_by_hand(capsys):
    shared, image = _L.Dense(4, name="shared"), keras.Input((8, 8, 2))
    x = QuantConv2D(4, 3, kernel_quantizer=Uniform(4), name="four")(image)  # 6x6x4
    x = QuantActivation("unsigned6", name="grid")(x)
    x = _L.MaxPooling2D(2)(x)  # 3x3, still 6 bits
    x = _L.SeparableConv2D(5, 3, padding="same", use_bias=False, name="apart")(x)
    x = _L.Conv2DTranspose(4, 2, strides=2, use_bias=False, name="up")(x)  # 6x6
    model = keras.Model(image, shared(shared(_L.GlobalAveragePooling2D()(x))))
    rows = {row["layer"]: row for row in cu.summary(model)}
    assert (rows["four"]["bits"], rows["four"]["macs"], rows["four"]["output"]) == (4, 72 * 36, (6, 6, 4))
    assert rows["four"]["ideal_bytes"] == 36 + 4 * 4 + 4 * 4  # bits, steps, bias
    assert rows["grid"]["output_bits"] == rows["apart"]["input_bits"] == 6 and rows["up"]["input_bits"] == 32
    assert rows["apart"]["macs"] == (36 + 20) * 9 and rows["up"]["macs"] == 80 * 9
    assert rows["shared"]["macs"] == 2 * 16 and rows["shared"]["parameters"] == 20
    text = capsys.readouterr().out
    assert text.splitlines()[0].split()[:2] == ["layer", "kind"] and "2,592" in text and text.count("total") == 1


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.conv = QuantConv2D(2, 3)

    def call(self, x):
        return self.conv(x)


def test_of_a_subclassed_model_operations_are_not_known():
    model = Own()
    model(np.zeros((1, 8, 8, 3), np.float32))
    (row,) = cu.summary(model)
    assert (row["bits"], row["parameters"], row["macs"]) == (1, 56, None) and totals([row])["macs"] is None
