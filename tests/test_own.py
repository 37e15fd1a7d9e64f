"""Models of a user's own in integers; the trained one is that of tests/own_models.py."""

import keras
import numpy as np
import pytest

from cunet_tf.compat import parse_tflite
from cunet_tf.errors import CUNetError
from cunet_tf.export.formats import to_format
from cunet_tf.export.own import Span, deploy_own
from cunet_tf.export.own_parity import compare_outputs, integer_operations, run_tflite
from cunet_tf.export.tflite import convert_int8, operator_names
from cunet_tf.files.packed.expand import expand
from cunet_tf.files.tflite import made_by_us, spec_of
from cunet_tf.models.quant_layers import QuantActivation
from cunet_tf.quantize.quantizers import Linear
from tests.own_models import mobile, squares, trained, with_every_grid

_L = keras.layers


@pytest.fixture(scope="module")
def deployed():
    twin = deploy_own(trained())
    twin.calibrate(squares()[0][:32])
    return twin


@pytest.fixture(scope="module")
def tflite(deployed):
    return convert_int8(deployed, None)


def test_all_convolutions_are_integers_and_the_function_stays(tflite):
    model, (x, _) = trained(), squares()
    found = integer_operations(tflite)
    assert found["integer_convolutions"] == found["convolutions"] == found["delegated"] == 4
    assert found["islands"] == 1  # the first half of the concatenation, on the grid of both
    (theirs,) = run_tflite(tflite, x)
    ours = model.predict(x, verbose=0)
    assert np.ptp(ours) > 0.5 and np.abs(theirs - ours).mean() < 0.02 * np.ptp(ours)
    assert spec_of(tflite) is None and made_by_us(tflite)


def test_binary_and_ternary_kernels_are_exact(tflite):
    model = parse_tflite(tflite)
    kernels = [
        np.asarray(model.buffers[tensor.buffer].data).view(np.int8)
        for tensor in model.subgraphs[0].tensors
        if list(tensor.shape) == [8, 3, 3, 8]
    ]
    assert {tuple(np.unique(kernel)) for kernel in kernels} == {(-127, 127), (-127, 0, 127)}


def test_other_formats_hold_the_same_model(deployed, tflite, monkeypatch):
    monkeypatch.setattr("cunet_tf.export.formats.deploy_own", lambda _: deployed)
    monkeypatch.setattr("cunet_tf.export.formats.convert_int8", lambda *_, float_io: tflite)
    packed = to_format(trained(), None, "packed", squares()[0][:32])
    assert expand(packed.data) == tflite and len(packed.data) < len(tflite) / 2


def test_grids_that_no_picture_has_chosen(deployed):
    twin = deploy_own(trained())
    assert [each.name for each in twin.grid_tensors.open()] == ["input", "mean", "answer"]
    with pytest.raises(CUNetError, match="the grids of input, mean, answer open"):
        twin.calibrate(squares()[0][:0])


def own(*layers):
    return keras.Sequential([keras.Input((8, 8, 3)), *layers])


def test_whole_grids_need_no_pictures_and_k_bit_kernels_keep_their_integers(rng):
    model, x = with_every_grid(), rng.random((8, 8, 8, 3), dtype=np.float32)
    exported = to_format(model, None, "int8", np.zeros((0, 8, 8, 3), np.float32))
    (theirs,) = run_tflite(exported.tflite, x)
    ours = model.predict(x, verbose=0)
    assert np.abs(theirs - ours).max() <= 0.125 + 1e-6 and (theirs != ours).mean() < 0.02  # a step, here and there
    assert "QUANTIZE" not in operator_names(exported.tflite)
    parsed = parse_tflite(exported.tflite)
    (kernel,) = (each for each in parsed.subgraphs[0].tensors if list(each.shape) == [4, 3, 3, 3])
    whole, step = model.layers[0].kernel_quantizer.integers(keras.ops.convert_to_tensor(model.layers[0].kernel))
    stored = np.asarray(parsed.buffers[kernel.buffer].data).view(np.int8).reshape(4, 3, 3, 3)
    np.testing.assert_array_equal(np.moveaxis(stored, 0, -1), whole)
    np.testing.assert_allclose(kernel.quantization.scale, np.ravel(step), rtol=1e-6)


def test_mobile_networks_are_integers_from_end_to_end(rng):
    x = rng.random((8, 16, 16, 3), dtype=np.float32) * 255
    exported = to_format(mobile(), None, "int8", x)
    report = compare_outputs(mobile(), exported.tflite, x, "int8")
    found = report["integers"]
    assert found["integer_convolutions"] == found["convolutions"] == 13 and not found["islands"]
    assert report["ok"] and [row["output"] for row in report["outputs"]] == ["maps", "kind"]


def test_what_has_no_int8_grid_is_named():
    with pytest.raises(CUNetError, match="layer wide: .* does not fit into 8 bits"):
        deploy_own(own(QuantActivation(Linear(12, 1.0), name="wide"), _L.Conv2D(2, 1)))
    a, b = keras.Input((4,)), keras.Input((4,))
    with pytest.raises(CUNetError, match="has 2 inputs"):
        deploy_own(keras.Model([a, b], _L.Add()([a, b])))


def test_joined_grids():
    four, six = (Span.of(each) for each in (Linear(4, 4.0, signed=False), Linear(6, 2.0)))
    assert Span.around([four, six]) == Span(0.0625, -2.0, 3.75)
    assert Span.around([four, six]).grid.limits == (3.75 - 255 * 0.0625, 3.75)
    assert Span.around([four, Span.of(Linear(8, 1.0))]) is None  # 735 steps


def test_several_outputs_keep_their_names(rng):
    image = keras.Input((8, 8, 3), name="photo")
    x = _L.Conv2D(4, 3, activation="relu")(image)
    model = keras.Model(image, [_L.Dense(2, name="zz")(_L.Flatten()(x)), _L.Conv2D(1, 1, name="aa")(x)])
    x = rng.random((4, 8, 8, 3), dtype=np.float32)
    for fmt in ("float32", "int8"):
        found = run_tflite(to_format(model, None, fmt, x).tflite, x)
        for ours, theirs in zip(model.predict(x, verbose=0), found, strict=True):
            assert np.abs(ours - theirs).max() < 0.05 * np.ptp(ours)
