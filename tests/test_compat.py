"""What others do not promise: a failure here names what a new version has changed."""

from unittest import mock

import keras
import numpy as np
import pytest
import tensorflow as tf

from cunet_tf import compat
from cunet_tf.compat import hooks
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


def test_vectors_of_a_table_lie_where_the_reader_finds_them(tflite):
    data = np.frombuffer(tflite, np.uint8)
    model = compat.schema.Model.GetRootAs(data, 0)
    codes, graphs, missing = 6, 8, 4 + 2 * 100  # places in the vtable
    assert compat.vector_of(model, graphs)[1] == model.SubgraphsLength() == 1
    assert compat.vector_of(model, codes)[1] == model.OperatorCodesLength() > 3
    assert compat.vector_of(model, missing) is None


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


def test_keras_files_name_inner_modules():
    image = keras.Input((2,))
    model = keras.Model(image, image + 1.0)
    modules = {keras.saving.serialize_keras_object(each)["module"] for each in (model.layers[-1], model)}
    inner = {module for module in modules if "src" in module}
    assert inner and all(f"{module}.".startswith(compat.INNER_MODULES) for module in inner)


def replicated():
    """A model under a strategy of one replica."""
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse", run_eagerly=True)
    return model


def test_tensorflow_tells_its_strategies_and_the_shapes_of_an_epoch():
    model = replicated()
    assert compat.under_strategy(model) and not compat.of_processes(model)
    assert not compat.under_strategy(keras.Sequential()) and not compat.of_processes(keras.Sequential())
    assert not compat.prepared(model, None)
    data = tf.data.Dataset.from_tensors((np.ones((4, 1)), np.ones((4, 1)))).repeat()
    assert compat.prepared(model, mock.Mock(data_adapter=mock.Mock(get_tf_dataset=lambda: data)))
    assert model.optimizer.built


def test_a_step_of_several_processes_gives_the_mean_of_its_replicas():
    run = compat.fitted_by_workers(replicated(), lambda batch: {"loss": tf.reduce_sum(batch)})
    assert float(run(iter([tf.ones(3)]))["loss"]) == 3.0


class Noted(hooks.HookedModel):
    """Counts the runs of its graph on other tensors."""

    runs = 0

    def marked(self, outputs):
        type(self).runs += 1
        return outputs


def test_keras_runs_a_models_graph_its_build_and_its_step_through_the_hooks():
    image = keras.Input((2,))
    model = Noted(image, keras.layers.Dense(1)(image))
    before = Noted.runs
    keras.models.clone_model(model)
    assert Noted.runs > before
    model.compile("sgd", "mse")
    with (
        mock.patch.object(hooks, "under_strategy", return_value=False) as build,
        mock.patch.object(hooks, "of_processes", return_value=False) as step,
    ):
        model.fit(np.ones((2, 2)), np.ones((2, 1)), verbose=0)
    assert build.called and step.called


class Counting(hooks.HookedRMSprop):
    """Counts the updates of its average."""

    count = 0

    def averaging(self):
        type(self).count += 1
        return super().averaging()


def test_keras_averages_weights_through_the_hook():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(Counting(use_ema=True), "mse", run_eagerly=True)
    model.fit(np.ones((2, 1)), np.ones((2, 1)), batch_size=1, verbose=0)
    assert Counting.count == 2
