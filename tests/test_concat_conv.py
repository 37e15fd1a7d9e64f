"""The one operation in its second order, conv-BN-ReLU; the first is in test_layers.py."""

import numpy as np
import pytest
import tensorflow as tf

from cunet_tf.config import CONV_FIRST, CUNetConfig
from cunet_tf.errors import CUNetError
from cunet_tf.export.deploy import deploy
from cunet_tf.export.parity import exactness
from cunet_tf.export.tflite import operator_names
from cunet_tf.models.build import build_network
from cunet_tf.models.concat_conv import ConcatConvBNReLU, pointwise
from cunet_tf.models.normalize import EPSILON
from cunet_tf.models.pretrained import start_from
from cunet_tf.models.saved import load_keras
from cunet_tf.quantize.names import QuantConfig
from cunet_tf.quantize.placement import conv_quantizers
from cunet_tf.quantize.quantizers import Linear
from tests.networks import TERNARY, crops, integer_file, network, spec_of


@pytest.fixture
def parts(rng):
    return [rng.normal(size=(2, 4, 4, channels)).astype("float32") for channels in (3, 2)]


def bare(parts, layer):
    return np.concatenate(parts, -1) @ np.asarray(layer.kernel)[0, 0]


def test_inference_by_hand(parts, rng):
    layer = ConcatConvBNReLU(4)
    layer.build([part.shape for part in parts])
    for variable, low in zip(layer.bn[0], (0.5, -1.0, -1.0, 0.5), strict=True):
        variable.assign(rng.uniform(low, low + 1.0, 4))
    gamma, beta, mean, variance = map(np.asarray, layer.bn[0])
    expected = (bare(parts, layer) - mean) / np.sqrt(variance + EPSILON) * gamma + beta
    np.testing.assert_allclose(layer(parts), np.maximum(expected, 0), atol=1e-5)


def test_training_normalizes_the_result_and_moves_the_statistics(parts):
    layer = ConcatConvBNReLU(4, bn_sets=2)
    y = np.asarray(layer(parts, training=True, bn_set=1))
    raw = bare(parts, layer)
    mean, std = raw.mean((0, 1, 2)), raw.std((0, 1, 2))
    np.testing.assert_allclose(y, np.maximum((raw - mean) / np.sqrt(std**2 + EPSILON), 0), atol=1e-4)
    np.testing.assert_allclose(layer.bn[1][2], 0.1 * mean, atol=1e-6)
    assert not np.any(layer.bn[0][2])


def test_a_bare_one_is_linear_and_has_a_kernel_alone(parts):
    layer = ConcatConvBNReLU(4, normalize=False, bn_sets=2)
    for training in (False, True):
        np.testing.assert_allclose(layer(parts, training=training, bn_set=1), bare(parts, layer), atol=1e-5)
    assert [variable.name for variable in layer.variables] == ["kernel"] and layer.get_config()["bn_sets"] == 2


def test_the_usual_order_is_not_written_down():
    usual = CUNetConfig()
    assert "norm_order" not in usual.to_dict()
    assert usual.replace(norm_order=CONV_FIRST).to_dict()["norm_order"] == "conv_first"


def test_quantizers_stand_behind_the_relu():
    found = conv_quantizers(QuantConfig.parse(TERNARY), "unet0_up1/ahead", conv_first=True)
    assert found["input_quantizer"] is None
    assert found["output_quantizer"] == Linear(8, 16.0, signed=False, gradient_bits=8)


@pytest.mark.parametrize("quant", ["float", TERNARY, "W4-QIG(848)"])
def test_files_are_exact_and_have_no_normalisation_left(quant):
    file = integer_file(quant, "conv first")
    names = operator_names(file)
    assert exactness(file, crops())["ok"]
    assert "DEPTHWISE_CONV_2D" not in names and "QUANTIZE" not in names


def test_one_grid_for_all_that_is_joined():
    spec = spec_of(shape="conv first")
    twin = deploy(network(shape="conv first"), spec)
    rows = {row["tensor"]: row for row in twin.calibrate(crops())}
    joined = [row for name, row in rows.items() if not any(part in name for part in ("image", "bottleneck", "head"))]
    assert len({(row["scale"], row["zero_point"]) for row in joined}) == 1 and joined[0]["zero_point"] == -128


def test_maximum_norms_are_refused():
    with pytest.raises(CUNetError, match="part of its convolutions"):
        deploy(network(shape="conv first"), spec_of(shape="conv first"), norms="maximum")


def test_saved_and_loaded(tmp_path):
    model = network(TERNARY, "conv first")
    model.save(tmp_path / "m.keras")
    loaded = load_keras(tmp_path / "m.keras")
    np.testing.assert_array_equal(loaded(crops())[-1], model(crops())[-1])
    assert loaded.spec.config.conv_first


def test_a_file_of_one_pass_starts_two(tmp_path):
    """Sets of normalisations that a file lacks are copies; a bare head has none."""
    spec = spec_of(shape="conv first")
    once = network(shape="conv first")
    twice = build_network(spec.replace(config=spec.config.replace(refinement=2)))
    once.save(tmp_path / "m.keras")
    start_from(twice, str(tmp_path / "m.keras"))
    np.testing.assert_allclose(twice(crops())[1], once(crops())[-1], atol=1e-5)


def test_a_matrix_product_is_the_convolution_and_so_are_its_gradients(rng):
    x, kernel = (tf.constant(rng.normal(size=shape).astype("float32")) for shape in ((2, 4, 6, 5), (1, 1, 5, 3)))
    found = []
    for form in (pointwise, lambda a, b: tf.nn.conv2d(a, b, 1, "SAME")):
        with tf.GradientTape() as tape:
            tape.watch([x, kernel])
            y = form(x, kernel)
            loss = tf.reduce_sum(y**3)
        found.append([y, *tape.gradient(loss, [x, kernel])])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
