"""Names of layers in a float ``.tflite`` file, so that recipes of other tools can say which convolution they mean."""

import re

import keras

from cunet_tf.compat import inner_layers, schema
from cunet_tf.export.graph_edit import code_of

_OPERATORS = schema.BuiltinOperator
WITH_KERNELS = (_OPERATORS.CONV_2D, _OPERATORS.DEPTHWISE_CONV_2D, _OPERATORS.FULLY_CONNECTED, _OPERATORS.TRANSPOSE_CONV)
COUNTED = re.compile(r"_\d+$")  # TensorFlow counts the calls of a layer


def layer_names(model: keras.Model) -> set[str]:
    """Names of all layers, at any depth."""
    return {layer.name for layer in inner_layers(model)}


def names_of(model: schema.ModelT, layers: set[str]) -> dict[int, str]:
    """Names for tensors of a parsed ``.tflite`` model that the converter has just made.

    Args:
        model: its kernels bear the scopes of TensorFlow, such as ``functional_1/unet0_down1_1/ahead_1/convolution``.
        layers: names of the layers, from which a layer's path is told.

    Returns:
        Of each operation with a kernel: ``PATH/kernel`` for the kernel, ``PATH`` for the result (``PATH#2`` where a
        layer runs again), such as ``unet0_down1/ahead``.
    """
    graph = model.subgraphs[0]
    names: dict[int, str] = {}
    for operator in graph.operators:
        if code_of(model, operator) not in WITH_KERNELS:
            continue
        result = graph.tensors[operator.outputs[0]].name.decode().split(";")[-1]
        path = _path(_source(model, graph, operator.inputs[1]), layers) or _path(result, layers)
        if path:
            names[operator.outputs[0]] = name = _next(path, {*names.values()})
            names.setdefault(operator.inputs[1], f"{name}/kernel")
    return names


def _source(model: schema.ModelT, graph: schema.SubGraphT, index: int) -> str:
    """The scope of a kernel; of one stored in half precision, that of what is stored."""
    for operator in graph.operators:
        if index in operator.outputs and code_of(model, operator) == _OPERATORS.DEQUANTIZE:
            index = operator.inputs[0]
    return graph.tensors[index].name.decode().split(";")[-1]


def _path(scope: str, layers: set[str]) -> str:
    plain = [next((name for name in (COUNTED.sub("", part), part) if name in layers), "") for part in scope.split("/")]
    return "/".join(part for part in plain if part)


def _next(path: str, taken: set[str]) -> str:
    name, count = path, 1
    while name in taken:
        count += 1
        name = f"{path}#{count}"
    return name
