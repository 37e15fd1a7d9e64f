"""Kernels in 8 bits in float files."""

import numpy as np
import pytest

from cunet_tf.compat import parse_tflite, schema, write_tflite
from cunet_tf.engines import LiteRTEngine
from cunet_tf.export.graph_edit import code_of, stored_bytes
from cunet_tf.export.tflite import operator_names
from cunet_tf.export.weight_only import OVERHEAD, int8_kernel, with_int8_weights
from cunet_tf.files.graph import read_graph
from cunet_tf.files.graph_rules import require_sound
from cunet_tf.files.tflite import spec_of, takes_int8
from tests.networks import crops, float_file, network
from tests.networks import spec_of as described


@pytest.fixture(scope="module")
def short():
    return with_int8_weights(float_file())


def restored(short: bytes) -> bytes:
    """The file in plain floats again: each kernel at the values that its integers stand for."""
    model = parse_tflite(short)
    graph = model.subgraphs[0]
    for operator in graph.operators:
        if code_of(model, operator) == schema.BuiltinOperator.DEQUANTIZE:
            stored, kernel = graph.tensors[operator.inputs[0]], graph.tensors[operator.outputs[0]]
            integers = stored_bytes(model, stored).view(np.int8).reshape(stored.shape)
            values = integers * np.float32(stored.quantization.scale)[:, None, None, None]
            kernel.buffer = len(model.buffers)
            model.buffers.append(schema.BufferT(data=np.frombuffer(values.tobytes(), np.uint8)))
    graph.operators = [each for each in graph.operators if code_of(model, each) != schema.BuiltinOperator.DEQUANTIZE]
    return write_tflite(model)


def test_it_is_the_float_network_with_rounded_kernels(short):
    engine = LiteRTEngine(short)
    np.testing.assert_allclose(engine(crops()), LiteRTEngine(restored(short))(crops()), atol=1e-6)
    gap = np.abs(engine(crops()) - network()(crops())[-1]).max()
    assert 1e-4 < gap < 0.1  # the rounding is there, and small


def test_a_fourth_of_the_kernels_bytes_and_a_file_that_is_read(short):
    names = operator_names(short)
    kernels = names.count("DEQUANTIZE")
    assert 25 < kernels <= names.count("CONV_2D") and names[:kernels] == ["DEQUANTIZE"] * kernels
    assert require_sound(short) == [] and spec_of(short) == described() and not takes_int8(short)
    stored = [tensor for tensor in read_graph(short).tensors if tensor.type == 9]
    saved = sum(3 * tensor.size - OVERHEAD[1] * tensor.steps - OVERHEAD[0] for tensor in stored)
    assert 0.9 * saved < len(float_file()) - len(short) < saved + 80 * kernels
    assert len(stored) == kernels and all(tensor.steps == tensor.shape[0] for tensor in stored)


def test_binary_kernels_are_exact():
    file = float_file("BW-a")
    np.testing.assert_allclose(
        LiteRTEngine(with_int8_weights(file))(crops()), LiteRTEngine(file)(crops()), atol=0.02
    )  # stem and head are rounded, and the kernels that took in a normalisation


def test_steps_along_an_axis(rng):
    kernel = rng.normal(size=(1, 3, 3, 5)).astype(np.float32)
    kernel[..., 2] = 0
    values, steps = int8_kernel(kernel, 3)
    assert steps.shape == (5,) and set(np.abs(values).max((0, 1, 2))) == {127, 0}
    assert (np.abs(values * steps - kernel) <= steps / 2 + 1e-7).all()
    signs = np.sign(rng.normal(size=(4, 1, 1, 8))).astype(np.float32) * np.float32(0.3)
    assert set(np.unique(int8_kernel(signs, 0)[0])) == {-127, 127}
