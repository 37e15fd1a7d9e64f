import numpy as np
import pytest

from cunet_tf.compat import schema
from cunet_tf.engines import LiteRTEngine
from cunet_tf.errors import CUNetError
from cunet_tf.files import graph_rules
from cunet_tf.files.graph import read_graph
from cunet_tf.files.graph_rules import require_sound
from tests import tflite_cases
from tests.networks import float_file, integer_file
from tests.test_graph import changed

SOUND = {
    "float": tflite_cases.float_network, "int8": tflite_cases.integer_network,
    "kernels in 8 bits": lambda: tflite_cases.float_network(True),
    "int8, float io": lambda: tflite_cases.integer_network(True),
}  # fmt: skip


@pytest.mark.parametrize("name", SOUND)
def test_sound_networks_run(name):
    data = SOUND[name]()
    require_sound(data)
    assert LiteRTEngine(data, 1)(np.zeros((1, 64, 64, 3), np.float32)).shape == (1, 16, 16, 2)


def test_exported_networks_are_sound():
    for data in (float_file(), float_file(fmt="float16"), integer_file("float", float_io=True)):
        assert require_sound(data) == [] and len(read_graph(data).operations) > 50


def _find(model, graph, name):
    code = getattr(schema.BuiltinOperator, name)
    return next(each for each in graph.operators if model.operatorCodes[each.opcodeIndex].builtinCode == code)


def _option(kind, **fields):
    def change(model, graph):
        for name, value in fields.items():
            setattr(_find(model, graph, kind).builtinOptions, name, value)

    return change


def _fewer(kind, count):
    def change(model, graph):
        each = _find(model, graph, kind)
        each.inputs = each.inputs[:count]

    return change


def _stored(kind, values):
    def change(model, graph):
        index = _find(model, graph, kind).inputs[1]
        model.buffers[graph.tensors[index].buffer].data = np.frombuffer(np.int32(values).tobytes(), np.uint8)

    return change


def _without_options(kind):
    def change(model, graph):
        each = _find(model, graph, kind)
        each.builtinOptions, each.builtinOptionsType = None, 0

    return change


def _left_out(model, graph):
    _find(model, graph, "ADD").inputs = np.int32([-1, _find(model, graph, "ADD").inputs[1]])


def _other_code(model, graph):
    model.operatorCodes[-1].builtinCode = model.operatorCodes[-1].deprecatedBuiltinCode = schema.BuiltinOperator.LSTM


BAD = {
    "a convolution without bias": (_fewer("CONV_2D", 2), "CONV_2D: 2 inputs"),  # ended the process
    "a left out summand": (_left_out, "ADD: an input is left out"),  # too
    "a stride of 0": (_option("CONV_2D", strideW=0), "strides of"),
    "a dilation of 0": (_option("CONV_2D", dilationHFactor=0), "dilated by"),
    "another stride": (_option("CONV_2D", strideH=1), "an output of"),
    "no padding of any kind": (_option("CONV_2D", padding=7), "padding of kind 7"),
    "no options": (_without_options("CONV_2D"), "options are not there"),
    "a multiplier": (_option("DEPTHWISE_CONV_2D", depthMultiplier=3), "a kernel of"),
    "an empty window": (_option("MAX_POOL_2D", filterWidth=0), "a window of"),
    "an axis": (_option("CONCATENATION", axis=4), "along axis 4"),
    "another axis": (_option("CONCATENATION", axis=1), "CONCATENATION"),
    "blocks of 0": (_option("DEPTH_TO_SPACE", blockSize=0), "blocks of 0"),
    "a width below 0": (_stored("PAD", [0, 0, -1, 3, 1, 1, 0, 0]), "below 0"),
    "another width": (_stored("PAD", [0, 0, 1, 9, 1, 1, 0, 0]), "an output of"),
    "another size": (_stored("RESIZE_NEAREST_NEIGHBOR", [2**30, 2**30]), "an output of"),
    "another shape": (_stored("RESHAPE", [1, 16, 16, 3]), "RESHAPE"),
}


@pytest.mark.parametrize("case", BAD)
def test_operations_that_do_not_fit(case):
    change, words = BAD[case]
    with pytest.raises(CUNetError, match=words) as error:
        require_sound(changed(change))
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


def test_operations_without_a_rule_are_named():
    assert require_sound(tflite_cases.float_network()) == []
    assert require_sound(changed(_other_code)) == ["LSTM"]


def test_too_many_multiplications(monkeypatch):
    monkeypatch.setattr(graph_rules, "MOST_PRODUCTS", 1000)
    with pytest.raises(CUNetError, match="multiplications"):
        require_sound(tflite_cases.float_network())
