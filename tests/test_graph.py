import copy

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from cunet_tf.compat import parse_tflite, schema, write_tflite
from cunet_tf.errors import CUNetError
from cunet_tf.files.graph import read_graph, stored_text
from cunet_tf.files.graph_rules import require_sound
from cunet_tf.files.trial_run import try_network
from cunet_tf.spec import ModelSpec
from tests import tflite_cases


def changed(change, data=None) -> bytes:
    """A sound file with a change through LiteRT's own objects."""
    model = parse_tflite(data or tflite_cases.float_network())
    change(model, model.subgraphs[0])
    return write_tflite(model)


def test_what_a_network_holds():
    graph = read_graph(tflite_cases.float_network())
    assert [graph.tensors[index].shape for index in (*graph.inputs, *graph.outputs)] == [(1, 64, 64, 3), (1, 16, 16, 2)]
    names = [each.name for each in graph.operations]
    assert names[:3] == ["PAD", "CONV_2D", "MAX_POOL_2D"] and names[-1] == "RELU"
    widths = graph.tensors[graph.operations[0].inputs[1]]
    assert widths.integers == (0, 0, 1, 1, 1, 1, 0, 0) and widths.bytes == 32


def test_metadata():
    text = stored_text(tflite_cases.float_network(), "cunet_spec")
    assert ModelSpec.from_json(text) == tflite_cases.spec()
    assert stored_text(tflite_cases.float_network(), "other") is None


def _shape(*sides):
    return lambda model, graph: setattr(graph.tensors[0], "shape", np.int32(sides))


def _tensor(**fields):
    return lambda model, graph: [setattr(graph.tensors[0], name, value) for name, value in fields.items()]


def _operation(place, **fields):
    return lambda model, graph: [setattr(graph.operators[place], name, value) for name, value in fields.items()]


def _steps(*steps, zeros=(0,)):
    def change(model, graph):
        graph.tensors[0].quantization.scale, graph.tensors[0].quantization.zeroPoint = (
            np.float32(steps),
            np.int64(zeros),
        )

    return change


def _later(model, graph):
    graph.operators[0].inputs = np.int32([graph.outputs[0], 1])


BAD = {
    "no graph": (lambda model, graph: model.subgraphs.clear(), "0 graphs"),
    "two graphs": (lambda model, graph: model.subgraphs.append(graph), "2 graphs"),
    "a side of 0": (_shape(1, 0, 64, 3), "tensor 0 has the shape"),
    "a side below 0": (_shape(1, -64, 64, 3), "tensor 0 has the shape"),
    "many sides": (_shape(*7 * [1]), "tensor 0 has the shape"),
    "a huge tensor": (_shape(1, 2**20, 2**20, 3), "13,194,139,533,312 bytes"),
    "a buffer that is not there": (_tensor(buffer=99), "buffer 99"),
    "text": (_tensor(type=5), "holds no plain numbers"),
    "a variable": (_tensor(isVariable=True), "changes"),
    "a name that is no text": (_tensor(name=b"\xff"), "no text"),
    "an operation of no kind": (_operation(1, opcodeIndex=77), "is of kind 77"),
    "an input that is not there": (_operation(1, inputs=np.int32([999, 1, 2])), "reads tensor 999"),
    "an input of later": (_later, "which nothing has written"),
    "an output that is not there": (_operation(1, outputs=np.int32([-5])), "writes tensor -5"),
    "an output written twice": (lambda model, graph: graph.operators.insert(1, graph.operators[0]), "written before"),
    "an input that is constant": (lambda model, graph: setattr(graph, "inputs", np.int32([1])), "constant"),
    "an output of nothing": (lambda model, graph: graph.operators.pop(), "nothing writes an output"),
    "no operations": (lambda model, graph: graph.operators.clear(), "no operations"),
}


@pytest.mark.parametrize("case", BAD)
def test_damaged_networks(case):
    change, words = BAD[case]
    with pytest.raises(CUNetError, match=words) as error:
        read_graph(changed(change))
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


def _sparse_kernel(model, graph):
    """The first convolution reads its kernel from DENSIFY, whose input names each value's place."""
    place, conv = next((place, each) for place, each in enumerate(graph.operators) if len(each.inputs) == 3)
    number, sparse = int(conv.inputs[1]), copy.deepcopy(graph.tensors[conv.inputs[1]])
    filters, height, width, depth = (int(side) for side in sparse.shape)
    runs = filters * height * width
    dense = [schema.DimensionMetadataT() for _ in range(3)]
    for each, side in zip(dense, (filters, height, width), strict=True):
        each.denseSize = side
    last, segments, indices = schema.DimensionMetadataT(), schema.Int32VectorT(), schema.Int32VectorT()
    segments.values = np.arange(runs + 1, dtype=np.int32) * depth
    indices.values = np.tile(np.arange(depth, dtype=np.int32), runs)
    last.format = schema.DimensionType.SPARSE_CSR
    last.arraySegments, last.arrayIndices = segments, indices
    last.arraySegmentsType = last.arrayIndicesType = schema.SparseIndexVector.Int32Vector
    sparse.sparsity = schema.SparsityParametersT()
    sparse.sparsity.traversalOrder, sparse.sparsity.dimMetadata = np.arange(4, dtype=np.int32), [*dense, last]
    graph.tensors[number].buffer = 0
    graph.tensors.append(sparse)
    code, fill = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.DENSIFY
    fill.opcodeIndex, fill.inputs, fill.outputs = (
        len(model.operatorCodes),
        np.int32([len(graph.tensors) - 1]),
        np.int32([number]),
    )
    fill.builtinOptionsType, fill.builtinOptions = schema.BuiltinOptions.DensifyOptions, schema.DensifyOptionsT()
    model.operatorCodes.append(code)
    graph.operators.insert(place, fill)


def test_sparse_kernels_as_in_mediapipes_detectors():
    data = changed(_sparse_kernel)
    assert [tensor.sparse for tensor in read_graph(data).tensors].count(True) == 1
    assert require_sound(data) == ["DENSIFY"]
    outputs = []
    for each in (data, tflite_cases.float_network()):
        try_network(each)
        interpreter = Interpreter(model_content=each)
        interpreter.allocate_tensors()
        (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
        interpreter.set_tensor(taken["index"], np.linspace(0, 1, 64 * 64 * 3, dtype=np.float32).reshape(1, 64, 64, 3))
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(given["index"]))
    np.testing.assert_allclose(*outputs, atol=1e-5)


def test_a_sparse_kernel_that_nothing_fills():
    def change(model, graph):
        _sparse_kernel(model, graph)
        fill = next(
            each for each in graph.operators if len(each.inputs) == 1 and each.inputs[0] == len(graph.tensors) - 1
        )
        conv = next(each for each in graph.operators if len(each.inputs) == 3)
        conv.inputs[1] = fill.inputs[0]

    with pytest.raises(CUNetError, match="which is sparse"):
        read_graph(changed(change))


@pytest.mark.parametrize("change", [_steps(0), _steps(np.nan), _steps(1, 2), _steps(1, zeros=(2**40,))])
def test_damaged_quantizations(change):
    with pytest.raises(CUNetError, match="tensor 0 has"):
        read_graph(changed(change, tflite_cases.integer_network()))
