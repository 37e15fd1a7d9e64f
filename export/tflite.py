"""``.tflite`` files from Keras models: float with quantized kernels as constants, or all in integers."""

import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from cunet_tf.errors import CUNetError
from cunet_tf.quiet import native_stderr_hidden
from cunet_tf.spec import ModelSpec
from cunet_tf.tflite_file import finished
from export.deploy import Deployed
from export.twin import bake

FLOAT_FORMATS = ("float32", "float16")


def convert(model: keras.Model, spec: ModelSpec, fmt: str = "float32") -> bytes:
    """Convert the last head of a model to a float file.

    Args:
        model: as built by :func:`cunet_tf.models.build.build_network`, with trained weights.
        spec: written into the file as its self-description.
        fmt: ``"float32"``, or ``"float16"`` (weights stored in half precision).

    Returns:
        A ``.tflite`` model: input float32 ``[1, H, W, 3]`` named ``image``, one output
        float32 ``[1, H/4, W/4, C]`` named ``heatmaps``.

    Raises:
        CUNetError: unknown format, or Keras runs on another backend than TensorFlow.
    """
    if fmt not in FLOAT_FORMATS:
        raise CUNetError(f"--format={fmt}: use one of {', '.join(FLOAT_FORMATS)}.")
    if keras.backend.backend() != "tensorflow":
        raise CUNetError("export needs Keras on TensorFlow: run it without KERAS_BACKEND=jax.")
    import tensorflow as tf

    baked = bake(model)
    converter = _converter(keras.Model(baked.inputs[0], baked.outputs[-1]))
    if fmt == "float16":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    return _finished(converter, spec)


def convert_int8(deployed: Deployed, spec: ModelSpec, float_io: bool = False) -> bytes:
    """Convert a deploy twin to integers: int8 tensors, int8 kernels with a scale for each filter.

    The grids are in the twin, so the converter needs no representative data.

    Args:
        deployed: all of whose grids are known.
        spec: written into the file as its self-description.
        float_io: float32 at both ends, for runtimes that refuse int8 there (browsers).

    Returns:
        A ``.tflite`` model: input int8 ``[1, H, W, 3]`` (pixel minus 128) named ``image``, one
        output int8 ``[1, H/4, W/4, C]`` named ``heatmaps``.

    Raises:
        CUNetError: a tensor has no grid yet, or the converter fails.
    """
    import tensorflow as tf

    if deployed.points.open():
        name = deployed.points.open()[0].name
        raise CUNetError(f"{name} has no grid: calibrate the twin on pictures first.")
    converter = _converter(lambda image: deployed.model([image]), deployed.model.input_shape[1:])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if not float_io:
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return _finished(converter, spec)


def convert_calibrated(model: keras.Model, spec: ModelSpec, images: np.ndarray) -> bytes:
    """Convert a float network to int8 by the converter's own calibration, for comparison.

    Args:
        model: any network.
        spec: written into the file as its self-description.
        images: float32 ``[B, H, W, 3]`` in 0..1, whose ranges are taken.
    """
    import tensorflow as tf

    converter = _converter(keras.Model(model.inputs[0], model.outputs[-1]))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([image[None]] for image in images)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return _finished(converter, spec)


def _converter(single: Callable, shape: tuple[int, ...] | None = None) -> Any:
    """A converter of a function of one picture that returns the last heat maps, by name."""
    import tensorflow as tf

    spec = tf.TensorSpec((1, *(shape or single.input_shape[1:])), tf.float32, name="image")
    serve = tf.function(lambda image: {"heatmaps": single(image)}, input_signature=[spec])
    # Without the model as second argument: with it, variables stay unfrozen.
    return tf.lite.TFLiteConverter.from_concrete_functions([serve.get_concrete_function()])


def _finished(converter: Any, spec: ModelSpec) -> bytes:
    """Run the converter; the file with names and self-description."""
    with native_stderr_hidden() as log, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Statistics for quantized inputs")  # the grids are in the graph
        try:
            data = converter.convert()
        except Exception as error:
            raise CUNetError(f"the TFLite converter failed: {error}\n{log.read_text()[-2000:]}") from error
    return finished(data, spec, "image", "heatmaps")
