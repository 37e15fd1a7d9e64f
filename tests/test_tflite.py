from collections import Counter

import numpy as np
import pytest
from cunet_tf.export.tflite import convert, operator_names

from cunet_tf.engines import KerasEngine, LiteRTEngine
from cunet_tf.errors import CUNetError
from cunet_tf.models.counts import list_convs
from cunet_tf.models.cunet import build_cunet


@pytest.fixture(scope="module")
def model(tiny_spec):
    return build_cunet(tiny_spec)


@pytest.fixture(scope="module")
def float32(model, tiny_spec):
    return convert(model, tiny_spec, "float32")


def test_heat_maps_equal_keras(model, float32, rng):
    images = rng.random((2, 64, 64, 3), dtype=np.float32)
    np.testing.assert_allclose(LiteRTEngine(float32)(images), KerasEngine(model)(images), atol=1e-4)


def test_graph_is_plain(float32):
    names = Counter(operator_names(float32))
    assert names["RESIZE_NEAREST_NEIGHBOR"] == 8  # 2 U-Nets of 4 levels, one operator each
    assert not {"TILE", "RESHAPE", "VAR_HANDLE", "READ_VARIABLE", "RESIZE_BILINEAR"} & set(names)
    assert names["CONV_2D"] == 65  # the head of the first U-Net is pruned


def test_float16_stores_two_bytes_for_each_weight(model, tiny_spec, float32):
    saved = len(float32) - len(convert(model, tiny_spec, "float16"))
    kernels = sum(conv.weights for conv in list_convs(tiny_spec.config))
    assert 1.3 * kernels < saved <= 2.1 * kernels  # the converter leaves the smallest tensors alone


def test_input_and_output_are_named(float32):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=float32)
    assert interpreter.get_signature_list() == {"serving_default": {"inputs": ["image"], "outputs": ["heatmaps"]}}
    assert interpreter.get_output_details()[0]["shape"].tolist() == [1, 16, 16, 68]


def test_unknown_format_is_refused(model, tiny_spec):
    with pytest.raises(CUNetError, match="int3"):
        convert(model, tiny_spec, "int3")
