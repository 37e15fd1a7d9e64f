"""A Keras model as the list of its layers' calls, nested models included: to be counted, or built anew otherwise."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from cunet_tf.aliases import Tensor
from cunet_tf.compat import GraphNode, graph_nodes
from cunet_tf.errors import CUNetError

_LAYERS = keras.layers
# What hands values on as they are, in another place or order, or leaves some out.
COPIES = (
    _LAYERS.MaxPooling2D, _LAYERS.GlobalMaxPooling2D, _LAYERS.Flatten, _LAYERS.Reshape, _LAYERS.Permute,
    _LAYERS.Cropping2D, _LAYERS.Identity, _LAYERS.Dropout, _LAYERS.SpatialDropout2D, _LAYERS.GaussianNoise,
    _LAYERS.GaussianDropout, _LAYERS.ActivityRegularization,
)  # fmt: skip


@dataclass(eq=False)
class Call:
    """One call of a layer. Tensors are numbers: those of the model's inputs come first.

    Attributes:
        layer: a layer, or an operation of ``keras.ops``.
        path: names of the models around it and its own, such as ``encoder/conv2d``.
        inputs, outputs: tensors that it reads and makes.
        taken, shapes: of inputs and outputs, without the number of pictures.
        arguments: fills in values for ``inputs``; gives positional and keyword arguments.
    """

    layer: keras.Operation
    path: str
    inputs: list[int]
    outputs: list[int]
    taken: list[tuple]
    shapes: list[tuple]
    arguments: Callable[[list[Tensor]], tuple[tuple, dict[str, Any]]]

    def run(self, layer: Callable, values: dict[int, Any]) -> None:
        """Call a layer in this one's place; its results go into ``values``. One of another kind gets tensors alone."""
        given = [values[index] for index in self.inputs]
        args, kwargs = self.arguments(given) if type(layer) is type(self.layer) else (given, {})
        results = keras.tree.flatten(layer(*args, **kwargs))
        values.update(zip(self.outputs, results, strict=True))


@dataclass(eq=False)
class Calls:
    """All calls of a model in running order, and the tensors at its ends."""

    calls: list[Call]
    inputs: list[int]
    outputs: list[int]

    def readers(self, tensor: int) -> list[Call]:
        """Who reads a tensor, once for each time."""
        return [call for call in self.calls for index in call.inputs if index == tensor]

    def maker(self, tensor: int) -> Call | None:
        """Who makes a tensor; nobody makes those of the model's inputs."""
        return next((call for call in self.calls if tensor in call.outputs), None)


def calls_of(model: keras.Model) -> Calls:
    """The calls of a Sequential or functional model, those inside nested models in their place.

    Raises:
        CUNetError: the model, or one inside it, is a subclassed one, whose graph nobody knows, or not built yet.
    """
    found, numbers = Calls([], [], []), iter(range(10**9))
    found.inputs = [next(numbers) for _ in _functional(model).inputs]

    def walk(part: keras.Model, prefix: str, given: list[int]) -> list[int]:
        graph = _functional(part)
        known = dict(zip(map(id, graph.inputs), given, strict=True))
        for node in graph_nodes(graph) or []:
            if node.is_input:
                continue
            inputs, path = [known[id(tensor)] for tensor in node.arguments.keras_tensors], prefix + node.operation.name
            if isinstance(node.operation, keras.Model):
                outputs = walk(node.operation, f"{path}/", inputs)
            else:
                outputs = [next(numbers) for _ in node.outputs]
                ends = (node.arguments.keras_tensors, node.outputs)
                taken, shapes = ([tuple(tensor.shape[1:]) for tensor in end] for end in ends)
                found.calls.append(Call(node.operation, path, inputs, outputs, taken, shapes, _filler(node)))
            known |= dict(zip(map(id, node.outputs), outputs, strict=True))
        return [known[id(tensor)] for tensor in graph.outputs]

    found.outputs = walk(model, "", found.inputs)
    return found


def _filler(node: GraphNode) -> Callable[[list[Tensor]], tuple[tuple, dict[str, Any]]]:
    tensors = node.arguments.keras_tensors
    return lambda values: node.arguments.fill_in(dict(zip(map(id, tensors), values, strict=True)))


def ends_of(model: keras.Model) -> tuple[str, list[str]]:
    """Names of a model's first input and of its outputs."""
    return model.inputs[0].name, list(_functional(model).output_names)


def _functional(model: keras.Model) -> keras.Model:
    """The model as a functional one.

    Raises:
        CUNetError: it is none.
    """
    if isinstance(model, keras.Sequential):
        if not model.built:
            raise CUNetError(f"the model {model.name!r} has no input yet: begin it with keras.layers.Input.")
        return keras.Model(model.inputs, model.outputs)
    if not graph_nodes(model):
        raise CUNetError(
            f"the model {model.name!r} ({type(model).__name__}) is a subclassed one, whose layers nobody can follow: "
            "build it as a Sequential or functional model."
        )
    return model
