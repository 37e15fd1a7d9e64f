"""Models of a user's own in integers; the trained one is that of tests/own_models.py."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cunet_tf.compat import parse_tflite
from cunet_tf.errors import CUNetError
from cunet_tf.export import own as own_module
from cunet_tf.export.formats import to_format
from cunet_tf.export.own import Span, deploy_own
from cunet_tf.export.own_parity import compare_outputs, integer_operations, run_tflite
from cunet_tf.export.tflite import convert_int8, operator_names
from cunet_tf.files.packed.expand import expand
from cunet_tf.files.tflite import made_by_us, spec_of
from cunet_tf.models.quant_layers import QuantActivation
from cunet_tf.quantize.in_bytes import InBytes
from cunet_tf.quantize.quantizers import Linear, Uniform
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


few = settings(deadline=None, max_examples=40)
linears = st.builds(
    lambda bits, power, signed: Linear(bits, 2.0**power, signed), st.integers(2, 8), st.integers(-3, 3), st.booleans()
)


@few
@given(st.lists(linears, min_size=1, max_size=3))
def test_a_span_around_several_holds_each_of_their_values_or_none_does(quantizers):
    parts = [Span.of(each) for each in quantizers]
    joined = Span.around(parts)
    high, low = max(part.high for part in parts), min(part.low for part in parts)
    step = min(part.step for part in parts)
    assert (joined is None) == (round((high - low) / step) > 255)
    if joined is None:
        return
    assert Span.around(parts[::-1]) == Span.around([joined, *parts]) == joined
    for part in parts:  # every value of each part is one of the byte's
        values = np.arange(round(part.low / part.step), round(part.high / part.step) + 1) * part.step
        np.testing.assert_array_equal(joined.grid.dequantize(joined.grid.quantize(values)), values)


@few
@given(linears)
def test_a_quantizer_and_the_same_in_bytes_have_one_span(quantizer):
    assert Span.of(quantizer) == Span.of(InBytes.of(quantizer))


@pytest.mark.parametrize(
    "make, kind",
    [
        (lambda: _L.MaxPooling2D(), "copy"),
        (lambda: _L.Activation("linear"), "copy"),
        (lambda: _L.UpSampling2D(), "same grid"),
        (lambda: _L.ReLU(), "relu"),
        (lambda: _L.ReLU(6), "relu"),
        (lambda: _L.Activation("relu"), "relu"),
        (lambda: _L.ReLU(3.5), "values"),
        (lambda: _L.ReLU(negative_slope=0.1), "values"),
        (lambda: _L.ReLU(threshold=1.0), "values"),
        (lambda: _L.Activation("softmax"), "end"),
        (lambda: _L.Softmax(), "end"),
        (lambda: _L.Activation("gelu"), "values"),
        (lambda: _L.Conv2D(2, 1), "values"),
        (lambda: QuantActivation(Linear(8, 1.0)), "grid"),
    ],
)
def test_what_a_layer_does_to_a_grid(make, kind):
    assert own_module._kind(SimpleNamespace(layer=make(), path="a/layer")) == kind


@pytest.mark.parametrize("quantizer", [Linear(9, 1.0), InBytes(9, 1.0), Uniform(4)], ids=repr)
def test_a_grid_that_no_byte_has_is_named_with_its_layer(quantizer):
    call = SimpleNamespace(layer=SimpleNamespace(quantizer=quantizer), path="head/grid")
    with pytest.raises(CUNetError, match=r"layer head/grid: .* does not fit into 8 bits: use another format"):
        own_module._require_bytes(call)
