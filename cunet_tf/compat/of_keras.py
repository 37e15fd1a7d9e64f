"""Keras and its strategies of TensorFlow: graphs, traces, and steps of replicas."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import keras

# Where the classes are that a functional model's file names, beside those of public modules.
INNER_MODULES = ("keras.src.models.", "keras.src.ops.")


def loss_tracker(model: "keras.Model") -> "keras.metrics.Metric":
    """The metric under whose name ``fit`` logs a Keras model's loss."""
    return model._loss_tracker


def forget_traces(model: "keras.Model") -> None:
    """Let Keras trace a model's training step anew, after something that it was traced with has changed."""
    model.train_function = None


class GraphNode(Protocol):
    """One call in the graph of a functional Keras model.

    Attributes:
        operation: a layer, or an operation of ``keras.ops``.
        is_input: it stands for an input of the model.
        arguments: ``keras_tensors``, and ``fill_in({id of tensor: value})``, which gives positional and keyword
            arguments.
        outputs: its symbolic tensors.
    """

    operation: "keras.Operation"
    is_input: bool
    arguments: Any
    outputs: list["keras.KerasTensor"]


def graph_nodes(model: "keras.Model") -> list[GraphNode] | None:
    """The nodes of a functional Keras model in running order, ``None`` where it has no such graph."""
    by_depth = getattr(model, "_nodes_by_depth", None)
    return by_depth and [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]


def inner_layers(layer: "keras.layers.Layer") -> list["keras.layers.Layer"]:
    """All layers inside a Keras layer, at any depth."""
    return list(layer._flatten_layers(include_self=False))


def under_strategy(model: "keras.Model") -> bool:
    """Whether a Keras model was built under a strategy of TensorFlow."""
    return getattr(model, "_distribute_strategy", None) is not None


def of_processes(model: "keras.Model") -> bool:
    """Whether it was built under one whose replicas are in several processes."""
    return under_strategy(model) and getattr(model.distribute_strategy.extended, "_in_multi_worker_mode", bool)()


def prepared(model: "keras.Model", iterator: Any) -> bool:
    """Make what Keras would otherwise make inside a replica's first step, from the shapes of an epoch's batches.

    Keras' own way takes a batch out of the data for it, and fails where the replicas are of several processes.
    Returns whether the data said what its batches are like.
    """
    if iterator is None:
        return False
    import tensorflow as tf
    from keras import tree

    data = _batches(iterator)
    with model.distribute_strategy.scope():
        model._symbolic_build(data_batch=data)
    return all(isinstance(each, tf.TensorSpec) for each in tree.flatten(data))


def make_trackers(model: "keras.Model", iterator: Any, batch: Any) -> None:
    """Make the metrics of several heads' losses, which Keras would make while TensorFlow traces the first step.

    A trace that makes variables is thrown away and made again, so the first step would take twice its time.
    ``iterator`` is an epoch's, or ``batch`` is one batch; of both only the structure counts.
    """
    losses = model._compile_loss
    if losses is None or losses.built or len(model.outputs) == 1:
        return
    import keras

    _, targets, _ = keras.utils.unpack_x_y_sample_weight(batch if iterator is None else _batches(iterator))
    losses.build(targets, model.outputs)


def _batches(iterator: Any) -> Any:
    """What the batches of an epoch are like: the structure of one, of TensorFlow's specifications."""
    from keras import tree

    def one_of(spec: object) -> object:
        return getattr(spec, "_value_specs", (spec,))[0]  # those of all replicas are alike

    return tree.map_structure(one_of, iterator.data_adapter.get_tf_dataset().element_spec)


def fitted_by_workers(model: "keras.Model", step: Callable[..., Any]) -> Callable[[Iterator[Any]], dict[str, Any]]:
    """The function that ``fit`` calls with an iterator, where the replicas are of several processes.

    Keras' own averages scalars along an axis that they have not (Keras issue 20585).
    """
    import tensorflow as tf
    from keras import tree

    strategy = model.distribute_strategy

    def one_step(iterator: Iterator[Any]) -> dict[str, Any]:
        logs = strategy.run(step, args=(next(iterator),))
        return tree.map_structure(lambda value: strategy.reduce("MEAN", value, axis=None), logs)

    return one_step if model.run_eagerly else tf.function(one_step)
