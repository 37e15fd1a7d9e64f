import numpy as np
import pytest

from cunet_tf.compat import parse_tflite, write_tflite
from cunet_tf.errors import CUNetError
from cunet_tf.files.graph import read_graph, stored_text
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


@pytest.mark.parametrize("change", [_steps(0), _steps(np.nan), _steps(1, 2), _steps(1, zeros=(2**40,))])
def test_damaged_quantizations(change):
    with pytest.raises(CUNetError, match="tensor 0 has"):
        read_graph(changed(change, tflite_cases.integer_network()))
