import os
from collections import Counter
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from cunet_tf.compat import parse_tflite
from cunet_tf.engines import LiteRTEngine
from cunet_tf.errors import CUNetError
from cunet_tf.export import tflite
from cunet_tf.export.grid_tensors import GridTensors
from cunet_tf.export.grids import Grid
from cunet_tf.export.tflite import convert, convert_int8, finished, operator_names
from cunet_tf.files.tflite import made_by_us
from cunet_tf.files.tflite import spec_of as described_by
from cunet_tf.models.counts import list_convs
from tests.networks import TINY, crops, float_file, network, spec_of


def test_heat_maps_equal_keras():
    np.testing.assert_allclose(LiteRTEngine(float_file())(crops()), network()(crops())[-1], atol=1e-4)


def test_graph_is_plain():
    names = Counter(operator_names(float_file()))
    assert names["RESIZE_NEAREST_NEIGHBOR"] == TINY.stacks * TINY.levels  # one operator each
    assert not {"TILE", "RESHAPE", "VAR_HANDLE", "READ_VARIABLE", "RESIZE_BILINEAR"} & set(names)
    assert names["CONV_2D"] == len(list_convs(TINY)) - 1  # the head of the first U-Net is pruned


def test_float16_stores_two_bytes_for_each_weight():
    saved = len(float_file()) - len(float_file(fmt="float16"))
    kernels = sum(conv.weights for conv in list_convs(TINY))
    assert 1.3 * kernels < saved <= 2.1 * kernels  # the converter leaves the smallest tensors alone


def test_input_and_output_are_named():
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=float_file())
    assert interpreter.get_signature_list() == {"serving_default": {"inputs": ["image"], "outputs": ["heatmaps"]}}
    assert interpreter.get_output_details()[0]["shape"].tolist() == [1, 16, 16, 68]


def test_unknown_format_is_refused():
    with pytest.raises(CUNetError, match="int3"):
        convert(network(), spec_of(), "int3")


def test_another_backend_is_refused_before_any_work(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(CUNetError, match="export needs Keras on TensorFlow: run it without KERAS_BACKEND=jax"):
        convert(None, None)


def test_a_twin_without_grids_is_refused_by_the_first_open_tensor():
    tensors = GridTensors(shared=False)
    tensors.fixed("known", Grid(0.5))
    tensors.get("stem input", None)
    with pytest.raises(CUNetError, match="stem input has no grid: calibrate the twin on pictures first"):
        convert_int8(SimpleNamespace(grid_tensors=tensors), None)


def test_a_converter_that_fails_is_quoted_with_what_it_wrote(capfd):
    def fail():
        os.write(2, b"of a native library\n")
        raise RuntimeError("no such operation")

    with pytest.raises(CUNetError, match="the TFLite converter failed: no such operation.*of a native library"):
        tflite._finished(SimpleNamespace(convert=fail), None, ("image", ["maps"]))
    assert capfd.readouterr().err == ""


def test_names_that_are_not_asked_for_are_numbers_and_nothing_unused_stays():
    data = float_file()
    plain = finished(data, None, "in", ["out"])
    graph = parse_tflite(plain).subgraphs[0]
    names = [tensor.name.decode() for tensor in graph.tensors]
    ends = {int(graph.inputs[0]): "in", int(graph.outputs[0]): "out"}
    assert names == [ends.get(index, str(index)) for index in range(len(names))]
    assert made_by_us(plain) and described_by(plain) is None and described_by(data) == spec_of()
    model = parse_tflite(plain)
    used = {0, *(tensor.buffer for tensor in model.subgraphs[0].tensors)}
    assert used == set(range(len(model.buffers))) and len(plain) < len(data)
    np.testing.assert_array_equal(LiteRTEngine(plain)(crops()), LiteRTEngine(data)(crops()))


def test_as_many_names_as_outputs_are_needed():
    with pytest.raises(ValueError, match="zip"):
        finished(float_file(), None, "in", ["one", "two"])
