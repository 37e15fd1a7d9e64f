"""Bytes kept for the backward pass, counted in the graph of a training step."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from cunet_tf.aliases import Tensor
from cunet_tf.backend import tensorflow
from cunet_tf.errors import CUNetError

if TYPE_CHECKING:
    import tensorflow as tf

PASSED_ON = {"Identity", "IdentityN", "StopGradient", "Reshape", "PreventGradient", "Squeeze", "ExpandDims"}
WITHOUT_DATA = {"Shape", "ShapeN", "Size", "Rank", "ZerosLike"}  # they read a shape, and run at once
EMPTY = {("FusedBatchNormV3", 5)}  # work space of cuDNN, empty without it; its shape is not known
VARIABLES = {"ReadVariableOp", "Const", "Placeholder"}  # there anyway


@dataclass(frozen=True)
class Kept:
    """One tensor that the forward pass leaves behind.

    Attributes:
        name: of the tensor in the graph.
        shape: of the tensor.
        dtype: by name.
        bytes: of the tensor.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    bytes: int


def kept_for_backward(model: keras.Model, batch_size: int) -> list[Kept]:
    """What a training step holds between its forward and its backward pass.

    The step is traced, not run: the result is the same on every machine. Counted is each
    tensor that does not wait for the last heat maps and is read by an operation that does.
    So a recomputation that nothing holds back counts with all that it would compute at once,
    and so do the gradients that early heads' losses send back while later U-Nets still run.
    Equal operations are counted once, as TensorFlow's optimizer runs them once; variables, the
    pictures and the heat maps are not counted.

    Args:
        model: a Keras model on TensorFlow with one input of fixed size.
        batch_size: pictures in the step.

    Returns:
        The tensors, largest first.

    Raises:
        CUNetError: another backend, or a shape that is not known before the step runs.
    """
    graph, heatmaps, results = _trace(model, batch_size)
    last = {heatmaps[-1].op}
    waiting = (_descendants(graph, last) - last) & _ancestors(results)
    canonical = _canonical(graph)
    given = {canonical(tensor).name for tensor in heatmaps}
    kept: dict[str, Kept] = {}
    for operation in waiting:
        if operation.type in WITHOUT_DATA:
            continue
        for tensor in operation.inputs:
            origin = canonical(tensor)
            if (origin.op.type, origin.value_index) in EMPTY or origin.op.type in VARIABLES:
                continue
            if origin.op not in waiting and origin.name not in given:
                kept[origin.name] = _measured(origin)
    return sorted(kept.values(), key=lambda entry: (-entry.bytes, entry.name))


def kept_bytes(model: keras.Model, batch_size: int) -> int:
    """Sum of :func:`kept_for_backward`."""
    return sum(entry.bytes for entry in kept_for_backward(model, batch_size))


def _trace(model: keras.Model, batch_size: int) -> tuple["tf.Graph", list[Tensor], list[Tensor]]:
    """The graph of a training step; in it the heat maps, and the gradients of a loss on all of them."""
    tf = tensorflow("measuring memory")
    trained = [variable.value for variable in model.trainable_variables]
    found: dict[str, list[Tensor]] = {}

    @tf.function
    def step(images: Tensor) -> None:
        with tf.GradientTape() as tape:
            outputs = tf.nest.flatten(model(images, training=True))
        found["heatmaps"] = outputs
        results = tape.gradient(outputs, trained, output_gradients=outputs)  # of half the squares of the maps
        found["results"] = [result for result in results if result is not None]

    (image,) = model.inputs
    graph = step.get_concrete_function(tf.TensorSpec((batch_size, *image.shape[1:]), image.dtype)).graph
    return graph, found["heatmaps"], found["results"]


def _ancestors(tensors: Iterable[Tensor]) -> set["tf.Operation"]:
    """Operations that the tensors need."""
    found: set[tf.Operation] = set()
    waiting = [tensor.op for tensor in tensors]
    while waiting:
        operation = waiting.pop()
        if operation not in found:
            found.add(operation)
            waiting += [tensor.op for tensor in operation.inputs]
    return found


def _descendants(graph: "tf.Graph", first: set["tf.Operation"]) -> set["tf.Operation"]:
    """Operations that need one of ``first``; a graph lists its operations in running order."""
    found = set(first)
    for operation in graph.get_operations():
        if any(tensor.op in found for tensor in operation.inputs):
            found.add(operation)
    return found


def _canonical(graph: "tf.Graph") -> Callable[[Tensor], Tensor]:
    """A function from a tensor to the one that TensorFlow really holds for it."""
    first: dict[tuple[object, ...], tf.Operation] = {}
    origins: dict[str, Any] = {}
    for operation in graph.get_operations():
        inputs = [origins[tensor.name] for tensor in operation.inputs]
        key = _key(operation, inputs)
        same = first.setdefault(key, operation) if key else operation
        for index, output in enumerate(operation.outputs):
            passed = operation.type in PASSED_ON and index < len(inputs)
            origins[output.name] = inputs[index] if passed else same.outputs[index]
    return lambda tensor: origins[tensor.name]


def _key(operation: "tf.Operation", inputs: list[Tensor]) -> tuple[object, ...] | None:
    """Equal for operations that compute the same; ``None`` where running once may differ from running twice."""
    if not inputs or operation.op_def.is_stateful:
        return None
    attributes = {name: value for name, value in operation.node_def.attr.items() if not name.startswith("_")}
    texts = sorted((name, value.SerializeToString(deterministic=True)) for name, value in attributes.items())
    return operation.type, tuple(tensor.name for tensor in inputs), tuple(texts)


def _measured(tensor: Tensor) -> Kept:
    if not tensor.shape.is_fully_defined():
        raise CUNetError(f"cannot count {tensor.name}: its shape {tensor.shape} is not known before the step runs.")
    shape = tensor.shape.as_list()
    return Kept(tensor.name, tuple(shape), tensor.dtype.name, int(np.prod(shape, dtype=np.int64)) * tensor.dtype.size)
