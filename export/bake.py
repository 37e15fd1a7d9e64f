"""Keras twins of quantized models, with the quantized kernels as plain constants."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from cunet_tf.export.bake_layers import Baker, float_kernels
from cunet_tf.models.calls import Call, Calls, calls_of
from cunet_tf.models.landmark_model import LandmarkModel


def bake(model: keras.Model) -> keras.Model:
    """A model of float kernels that holds the quantized values and is the same function, for the TFLite converter.

    The converter does not fold the comparison behind a binary kernel: it would leave the convolution with computed
    weights. In the twin kernels are constants; a batch normalisation right behind a convolution or dense layer is part
    of it, any other one of pictures, and a rescaling, is a depthwise convolution of 1x1; a separable one is two;
    nearest upsampling is one operation; features of fewer than 8 bits lie in bytes, with the same values; nested models
    are laid open; all is computed in float32. Features stay quantized.

    Args:
        model: Sequential or functional, nested or not; one of this project's networks stays one, description included.

    Returns:
        A functional model for inference. Where nothing is to be done, the model itself.

    Raises:
        CUNetError: a subclassed model, or a layer that hides quantized ones.

    Example:
        >>> layers = [keras.Input((8, 8, 1)), cu.QuantConv2D(2, 3), keras.layers.BatchNormalization()]
        >>> [type(layer).__name__ for layer in bake(keras.Sequential(layers)).layers]
        ['InputLayer', 'Conv2D']
    """
    return bake_with_steps(model)[0]


def bake_with_steps(model: keras.Model) -> tuple[keras.Model, dict[str, np.ndarray]]:
    """:func:`bake`'s twin, and the steps ``[C]`` of k-bit kernels by the names of its layers.

    Such a kernel is made of whole multiples of them, which a step taken from its largest value would miss.
    """
    calls = calls_of(model)
    baker = Baker(calls)
    if not any(baker.changes(call) for call in calls.calls):
        return model, {}
    inputs = [keras.Input(each.shape[1:], name=each.name) for each in model.inputs]
    outputs = rebuild(calls, inputs, baker.run)
    if not isinstance(model, LandmarkModel):
        ends = (each if len(each) > 1 else each[0] for each in (inputs, outputs))
        return keras.Model(*ends, name=model.name), baker.steps
    spec = model.spec and model.spec.replace(quant=str(float_kernels(model.spec.quantization)))
    return type(model)(inputs[0], outputs, name=model.name, cunet_spec=spec.to_dict() if spec else None), baker.steps


def rebuild(calls: Calls, inputs: list[Any], run: Callable[[Call, dict[int, Any]], None]) -> list[Any]:
    """Run all calls by a function that puts their results among the values; the model's outputs."""
    values = dict(zip(calls.inputs, inputs, strict=True))
    for call in calls.calls:
        run(call, values)
    return [values[index] for index in calls.outputs]
