"""What every layer of this project promises, checked in one call: :func:`check_layer`."""

from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

BATCH = 3


def check_layer(
    make: Callable[..., keras.Layer], shapes: Sequence[tuple[int, ...]], trainable: int, folder: Path, unused: int = 0
) -> None:
    """Config, variables, shapes, precision, state, gradients and files of a layer.

    Args:
        make: the layer, of keyword arguments that Keras' base class takes.
        shapes: of its inputs, without the batch; one input goes in bare, several as a list.
        trainable: how many variables learn.
        folder: for a file.
        unused: how many of these one call does not read.
    """
    rng = np.random.default_rng(0)
    parts = [rng.normal(0.3, 1.0, (BATCH, *shape)).astype("float32") for shape in shapes]
    inputs = parts if len(parts) > 1 else parts[0]
    layer = make(name="layer")
    outputs = arrays(layer(inputs))
    _shapes_are_foretold(layer, shapes, inputs, outputs)
    _config_makes_the_same(layer, inputs)
    _inference_changes_nothing(layer, inputs, outputs)
    _pictures_are_independent(layer, parts)
    _training_learns(layer, inputs, outputs, trainable, unused)
    _precision_is_the_policys(make, inputs)
    _files_hold_it(layer, shapes, inputs, folder)


def arrays(outputs) -> list[np.ndarray]:
    """One output or several, as arrays."""
    several = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    return [np.asarray(each) for each in several]


def _shapes_are_foretold(layer, shapes, inputs, outputs) -> None:
    asked = [part.shape for part in inputs] if isinstance(inputs, list) else inputs.shape
    told = layer.compute_output_shape(asked)
    told = told if isinstance(told, list) else [told]
    assert [tuple(shape) for shape in told] == [output.shape for output in outputs]
    symbols = [keras.Input(shape) for shape in shapes]
    symbolic = layer(symbols if len(symbols) > 1 else symbols[0])
    symbolic = symbolic if isinstance(symbolic, (list, tuple)) else [symbolic]
    assert [tuple(each.shape) for each in symbolic] == [(None, *output.shape[1:]) for output in outputs]


def _config_makes_the_same(layer, inputs) -> None:
    """From its configuration alone, a layer with the same variables, and with their values the same function."""
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is type(layer) and again.get_config() == layer.get_config()
    again(inputs)
    assert [(each.path, each.shape) for each in again.weights] == [(each.path, each.shape) for each in layer.weights]
    again.set_weights(layer.get_weights())
    for one, other in zip(arrays(layer(inputs)), arrays(again(inputs)), strict=True):
        np.testing.assert_array_equal(one, other)


def _inference_changes_nothing(layer, inputs, outputs) -> None:
    before = layer.get_weights()
    for one, other in zip(arrays(layer(inputs, training=False)), outputs, strict=True):
        assert one.dtype == "float32" and np.isfinite(one).all()
        np.testing.assert_array_equal(one, other)
    for one, other in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def _pictures_are_independent(layer, parts) -> None:
    """What a picture gives does not depend on its neighbours, but for the order of sums."""
    alone = [part[1:2] for part in parts]
    whole = arrays(layer(parts if len(parts) > 1 else parts[0]))
    for one, other in zip(whole, arrays(layer(alone if len(alone) > 1 else alone[0])), strict=True):
        np.testing.assert_allclose(one[1:2], other, atol=1e-5)


def _training_learns(layer, inputs, outputs, trainable, unused) -> None:
    """A finite gradient for every trainable variable that is read, and no other variable is one."""
    with tf.GradientTape() as tape:
        found = layer(inputs, training=True)
        found = found if isinstance(found, (list, tuple)) else [found]
        loss = sum(tf.reduce_sum(each * each) for each in found)
    assert [tuple(each.shape) for each in found] == [output.shape for output in outputs]
    assert len(layer.trainable_variables) == trainable
    gradients = tape.gradient(loss, [each.value for each in layer.trainable_variables])
    read = [gradient for gradient in gradients if gradient is not None]
    assert len(read) == trainable - unused and all(np.isfinite(gradient).all() for gradient in read)


def _precision_is_the_policys(make, inputs) -> None:
    """Outputs of bfloat16, variables of float32."""
    layer = make(dtype="mixed_bfloat16")
    found = layer(inputs)
    for each in found if isinstance(found, (list, tuple)) else [found]:
        assert keras.backend.standardize_dtype(each.dtype) == "bfloat16"
    assert {variable.dtype for variable in layer.weights if "seed" not in variable.path} <= {"float32"}


def _files_hold_it(layer, shapes, inputs, folder) -> None:
    symbols = [keras.Input(shape) for shape in shapes]
    taken = symbols if len(symbols) > 1 else symbols[0]
    model = keras.Model(taken, layer(taken))
    model.save(folder / "layer.keras")
    again = keras.models.load_model(folder / "layer.keras")
    for one, other in zip(arrays(model(inputs)), arrays(again(inputs)), strict=True):
        np.testing.assert_array_equal(one, other)
