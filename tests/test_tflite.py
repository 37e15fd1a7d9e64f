from collections import Counter

import numpy as np
import pytest

from cunet_tf.engines import LiteRTEngine
from cunet_tf.errors import CUNetError
from cunet_tf.export.tflite import convert, operator_names
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
