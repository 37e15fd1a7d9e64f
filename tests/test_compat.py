"""What others do not promise: a failure here names what a new version has changed."""

import keras
import numpy as np
import pytest

from cunet_tf import compat
from cunet_tf.files.shipped import find_model
from cunet_tf.files.tflite import read_model


@pytest.fixture(scope="module")
def tflite():
    return read_model(find_model("face-mobile"))


def test_flatbuffers_are_parsed_and_written_back(tflite):
    model = compat.parse_tflite(tflite)
    again = compat.parse_tflite(compat.write_tflite(model))
    assert len(model.subgraphs[0].tensors) == len(again.subgraphs[0].tensors) > 100
    names = {compat.operator_name(model, index) for index in range(len(model.operatorCodes))}
    assert {"CONV_2D", "CONCATENATION", "RESIZE_NEAREST_NEIGHBOR"} <= names
    assert compat.schema.BuiltinOperator.CONV_2D == 3


def test_operations_tell_their_delegates(tflite):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=tflite, experimental_preserve_all_tensors=True)
    interpreter.allocate_tensors()
    rows = compat.operation_details(interpreter)
    assert {"op_name", "inputs", "outputs"} <= set(rows[0]) and "DELEGATE" in {row["op_name"] for row in rows}


def test_keras_logs_the_loss_and_traces_anew():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 1)), np.ones((4, 1)), verbose=0)
    assert compat.loss_tracker(model).name == "loss" and model.train_function is not None
    compat.forget_traces(model)
    assert model.train_function is None


def test_keras_tells_its_graph_and_inner_layers():
    image = keras.Input((2,))
    inner = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, name="deep")])
    model = keras.Model(image, inner(image) + 1.0)
    start, *nodes = compat.graph_nodes(model)
    (first, total) = [node.operation.name for node in nodes]
    assert start.is_input and first == inner.name and total.startswith("add")  # Keras counts sums
    ((given,),) = nodes[0].arguments.fill_in({id(image): "values"})[:1]
    assert given == "values" and nodes[0].arguments.keras_tensors == [image]
    assert "deep" in {layer.name for layer in compat.inner_layers(model)}
    assert compat.graph_nodes(keras.layers.Dense(2)) is None
