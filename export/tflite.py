"""``.tflite`` files from Keras models: float with quantized kernels as constants, or all in integers."""

import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from cunet_tf.compat import operator_name, parse_tflite, schema, write_tflite
from cunet_tf.errors import CUNetError
from cunet_tf.export.bake import bake
from cunet_tf.export.deploy import Deployed
from cunet_tf.export.output_grid import with_output
from cunet_tf.quiet import native_stderr_hidden
from cunet_tf.spec import SPEC_NAME, ModelSpec

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
    require_tensorflow()
    import tensorflow as tf

    baked = bake(model)
    converter = _converter(keras.Model(baked.inputs[0], baked.outputs[-1]), baked.input_shape[1:])
    if fmt == "float16":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    return _finished(converter, spec)


def require_tensorflow() -> None:
    """Refuse another backend of Keras.

    Raises:
        CUNetError: it is another.
    """
    if keras.backend.backend() != "tensorflow":
        raise CUNetError("export needs Keras on TensorFlow: run it without KERAS_BACKEND=jax.")


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

    if deployed.grid_tensors.open():
        name = deployed.grid_tensors.open()[0].name
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

    converter = _converter(keras.Model(model.inputs[0], model.outputs[-1]), model.input_shape[1:])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([image[None]] for image in images)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return _finished(converter, spec)


def _converter(single: Callable, shape: tuple[int, ...]) -> Any:
    """A converter of a function of one picture that returns the last heat maps, by name."""
    import tensorflow as tf

    spec = tf.TensorSpec((1, *shape), tf.float32, name="image")
    serve = tf.function(lambda image: {"heatmaps": single(image)}, input_signature=[spec])
    function = serve.get_concrete_function()
    with native_stderr_hidden():  # absl asks for the model as second argument: with it, variables stay unfrozen
        return tf.lite.TFLiteConverter.from_concrete_functions([function])


def _finished(converter: Any, spec: ModelSpec) -> bytes:
    """Run the converter; the file with names and self-description."""
    with native_stderr_hidden() as log, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Statistics for quantized inputs")  # the grids are in the graph
        try:
            data = converter.convert()
        except Exception as error:
            raise CUNetError(f"the TFLite converter failed: {error}\n{log.read_text()[-2000:]}") from error
    return finished(data, spec, "image", "heatmaps")


def finished(data: bytes, spec: ModelSpec, input_name: str, output_name: str) -> bytes:
    """A converted model with its description, its one input and output named, and nothing superfluous.

    Names of inner tensors and the converter's own notes are left out: they take more bytes than
    one-bit kernels.
    """
    model: Any = parse_tflite(data)
    graph = model.subgraphs[0]
    for index, tensor in enumerate(graph.tensors):
        tensor.name = str(index).encode()
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = b"serving_default", 0
    for field, index, name in (("inputs", graph.inputs[0], input_name), ("outputs", graph.outputs[0], output_name)):
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = name.encode(), index
        graph.tensors[index].name = name.encode()
        setattr(signature, field, [entry])
    model.signatureDefs, model.description = [signature], b"cunet-tf"
    entry, buffer = schema.MetadataT(), schema.BufferT()
    buffer.data = list(with_output(model, spec).to_json().encode())
    used = sorted({0} | {tensor.buffer for tensor in graph.tensors})
    places = {old: new for new, old in enumerate(used)}
    for tensor in graph.tensors:
        tensor.buffer = places[tensor.buffer]
    model.buffers = [*(model.buffers[old] for old in used), buffer]
    entry.name, entry.buffer = SPEC_NAME.encode(), len(model.buffers) - 1
    model.metadata = [entry]
    return write_tflite(model)


def operator_names(data: bytes) -> list[str]:
    """Names of all operators in the order in which they run, for example ``CONV_2D``."""
    model = parse_tflite(data)
    codes = [operator_name(model, index) for index in range(len(model.operatorCodes))]
    return [codes[operator.opcodeIndex] for graph in model.subgraphs for operator in graph.operators]
