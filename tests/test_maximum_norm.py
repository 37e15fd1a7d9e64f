"""Normalisations as MAXIMUM: the algebra, and files of them."""

import keras
import numpy as np
import pytest
from absl import flags

from cunet_tf.cli import main
from cunet_tf.commands.export import define
from cunet_tf.engines import KerasEngine, LiteRTEngine
from cunet_tf.errors import CUNetError
from cunet_tf.export.channel_grids import COMMON
from cunet_tf.export.deploy import NORMS, deploy
from cunet_tf.export.grid_tensors import GridTensor
from cunet_tf.export.maximum_norm import MaximumNorm
from cunet_tf.export.packed.writer import pack
from cunet_tf.export.parity import exactness
from cunet_tf.export.tflite import convert_int8, operator_names
from cunet_tf.files.packed.expand import expand
from tests.networks import BINARY, crops, network, spec_of, twin, uneven

STEP = COMMON.scale


class Conv:
    """What a MAXIMUM hands on."""

    kernel = peak = bias = None

    def __call__(self, x):
        return x @ (self.kernel[0, 0] * (self.peak / 127.0)) + self.bias


@pytest.mark.parametrize("middle, width", [(0.0, 1.0), (3.0, 5.0)])
def test_a_maximum_and_its_convolution_are_normalisation_relu_and_convolution(middle, width, rng):
    slopes = np.array([1.0, 0.5, -2.0, 0.0, 0.0, 3.0, 2.0])
    offsets = np.array([32 * STEP, 0.0, -64 * STEP, 0.7, -0.7, 100.0, -100.0])  # the last are always on, never on
    scale, offset = slopes / width, offsets - slopes / width * middle
    kernel, conv = np.where(rng.random((1, 1, 7, 4)) < 0.5, -1.0, 1.0), Conv()
    norm = MaximumNorm(scale, offset, GridTensor("x", None), kernel, conv)
    values = STEP * rng.integers(-128, 128, (1, 2, 3, 7))
    x = np.float32(middle + width * values)
    expected = np.maximum(x * scale + offset, 0.0) @ kernel[0, 0]
    np.testing.assert_allclose(np.asarray(norm([x[..., :3], x[..., 3:]])) @ kernel[0, 0], expected, rtol=1e-5)
    norm.settle(np.full(7, middle), np.full(7, width))
    np.testing.assert_allclose(conv(np.asarray(norm([np.float32(values)]))), expected, atol=0.25)  # rounded to int8
    assert np.abs(np.asarray(norm([np.float32(values)]))).max() <= 1.0


@pytest.fixture(scope="module")
def deployed():
    made = deploy(network(), spec_of(), "maximum")
    before = made(crops())
    rows = made.calibrate(crops())
    return made, before, rows


def test_the_twin_is_the_network_until_it_has_grids(deployed):
    made, before, rows = deployed
    expected = KerasEngine(network())(crops())
    np.testing.assert_allclose(before, twin_without_grids()(crops()), atol=1e-3)
    error = {name: np.abs(each(crops()) - expected).mean() for name, each in (("maximum", made), ("depthwise", twin()))}
    assert error["maximum"] < 2 * error["depthwise"]
    assert len([row for row in rows if row["scale"] == STEP]) > 20


def twin_without_grids():
    return deploy(network(), spec_of())


def test_the_file_is_exact_and_smaller(deployed):
    data = convert_int8(deployed[0], spec_of())
    names = operator_names(data)
    assert "DEPTHWISE_CONV_2D" not in names and names.count("MAXIMUM") == len(deployed[0].grid_tensors.norms)
    found = exactness(data, crops())
    assert found["ok"] and found["islands"] == 0
    np.testing.assert_allclose(LiteRTEngine(data)(crops()), deployed[0](crops()), atol=0.2)
    assert len(data) < len(convert_int8(twin(), spec_of())) and expand(pack(data)) == data


def test_falling_channels_need_a_minimum():
    model = uneven(spec_of())
    gamma = model.get_layer("unet1_head").bn[0][0]
    gamma.assign(keras.ops.convert_to_numpy(gamma) * np.where(np.arange(8) % 2, 1, -1))
    made = deploy(model, spec_of(), "maximum")
    made.calibrate(crops())
    data, expected = convert_int8(made, spec_of()), KerasEngine(model)(crops())
    assert operator_names(data).count("MINIMUM") == 1 and exactness(data, crops())["ok"]
    assert np.abs(LiteRTEngine(data)(crops()) - expected).mean() < 0.1 * expected.std()


def test_what_nobody_reads_is_not_clipped():
    tensor = GridTensor("x", COMMON)
    tensor.observing = True
    for cut, share in ((False, 0.5), (True, 0.25)):
        tensor.reset()
        tensor.cut = cut
        tensor(np.float32([-3.0, 0.0, 0.5, 2.0]).reshape(1, 1, 1, 4))
        assert tensor.row()["clipped"] == share and tensor.range() == (-3.0, 2.0)


@pytest.mark.parametrize(
    "quant, shape, words",
    [(BINARY, "plain", "this network is quantized"), ("float", "dense", "a convolution of 3x3, which pads it"),
     ("float", "two passes", "a convolution of 3x3")],
)  # fmt: skip
def test_other_networks_are_refused(quant, shape, words):
    with pytest.raises(CUNetError, match=f"--norms=maximum: .*{words}.*take --norms=depthwise"):
        deploy(network(quant, shape), spec_of(quant, shape), "maximum")


def test_an_unknown_form():
    with pytest.raises(CUNetError, match="--norms=none: use one of depthwise, maximum"):
        deploy(network(), spec_of(), "none")


@pytest.mark.parametrize(
    "model, fmt, words",
    [("face-mobile", "int8", "go with .keras files"), ("x.keras", "float32", "--norms: a float format")],
)
def test_where_the_flag_does_not_belong(model, fmt, words, tmp_path, capsys):
    given = [f"--model={model}", f"--format={fmt}", "--norms=maximum", f"--out={tmp_path}/x.tflite"]
    assert main(["export", *given]) == 2
    assert words in capsys.readouterr().err


def test_the_command_knows_every_form():
    values = flags.FlagValues()
    define(values)
    assert tuple(values["norms"].parser.enum_values) == NORMS and values["norms"].value is None
