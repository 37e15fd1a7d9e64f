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
from cunet_tf.export.layer_names import layer_names, names_of
from cunet_tf.export.metadata import described
from cunet_tf.export.output_grid import with_output
from cunet_tf.export.weight_only import with_int8_weights
from cunet_tf.models.calls import ends_of
from cunet_tf.outputs import OURS
from cunet_tf.quiet import native_stderr_hidden
from cunet_tf.spec import ModelSpec

FLOAT_FORMATS = ("float32", "float16", "int8-weights")
HEATMAPS = ["heatmaps"]
DESCRIBED = "image", HEATMAPS  # the ends of a described network


def convert(model: keras.Model, spec: ModelSpec | None, fmt: str = "float32") -> bytes:
    """Convert a model to a float file: the last head of a described one, all outputs of another.

    Args:
        model: as built by :func:`cunet_tf.models.build.build_network`, with trained weights; or one's own, of one
            input.
        spec: written into the file as its self-description; ``None`` writes none.
        fmt: ``"float32"``; ``"float16"`` (weights stored in half precision); ``"int8-weights"`` (kernels stored in 8
            bits, see :func:`~cunet_tf.export.weight_only.with_int8_weights`).

    Returns:
        A ``.tflite`` model: input float32 ``[1, H, W, 3]`` named ``image``, one output float32 ``[1, H/4, W/4, C]``
        named ``heatmaps``; of one's own model the input and outputs that it has. Kernels and results of convolutions
        bear the paths of their layers.

    Raises:
        CUNetError: unknown format, a model that cannot be followed, or another backend of Keras than TensorFlow.
    """
    if fmt not in FLOAT_FORMATS:
        raise CUNetError(f"--format={fmt}: use one of {', '.join(FLOAT_FORMATS)}.")
    require_tensorflow()
    import tensorflow as tf

    baked = bake(model)
    single = keras.Model(baked.inputs[0], baked.outputs[-1]) if spec else baked
    converter = _converter(single, baked.input_shape[1:])
    if fmt == "float16":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    data = _finished(converter, spec, DESCRIBED if spec else ends_of(model), baked)
    return with_int8_weights(data) if fmt == "int8-weights" else data


def require_tensorflow() -> None:
    """Refuse another backend of Keras.

    Raises:
        CUNetError: it is another.
    """
    if keras.backend.backend() != "tensorflow":
        raise CUNetError("export needs Keras on TensorFlow: run it without KERAS_BACKEND=jax.")


def convert_int8(deployed: Deployed, spec: ModelSpec | None, float_io: bool = False) -> bytes:
    """Convert a deploy twin to integers: int8 tensors, int8 kernels with a scale for each filter.

    The grids are in the twin, so the converter needs no representative data.

    Args:
        deployed: all of whose grids are known.
        spec: written into the file as its self-description; ``None`` writes none.
        float_io: float32 at both ends, for runtimes that refuse int8 there (browsers).

    Returns:
        A ``.tflite`` model: input int8 ``[1, H, W, 3]`` (pixel minus 128) named ``image``, one
        output int8 ``[1, H/4, W/4, C]`` named ``heatmaps``; of one's own model the input and outputs that it has.

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
    return _finished(converter, spec, deployed.ends or DESCRIBED)


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
    return _finished(converter, spec, DESCRIBED)


def _converter(single: Callable, shape: tuple[int, ...]) -> Any:
    """A converter of a function of one picture that returns a tensor or a list of them."""
    import tensorflow as tf

    spec = tf.TensorSpec((1, *shape), tf.float32, name="image")
    serve = tf.function(lambda image: keras.tree.flatten(single(image)), input_signature=[spec])
    function = serve.get_concrete_function()
    with native_stderr_hidden():  # absl asks for the model as second argument: with it, variables stay unfrozen
        return tf.lite.TFLiteConverter.from_concrete_functions([function])


def _finished(
    converter: Any, spec: ModelSpec | None, ends: tuple[str, list[str]], named: keras.Model | None = None
) -> bytes:
    """Run the converter; the file with names and self-description, and the names of a model's layers."""
    with native_stderr_hidden() as log, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Statistics for quantized inputs")  # the grids are in the graph
        try:
            data = converter.convert()
        except Exception as error:
            raise CUNetError(f"the TFLite converter failed: {error}\n{log.read_text()[-2000:]}") from error
    return finished(data, spec, *ends, layers=named and layer_names(named))


def finished(
    data: bytes, spec: ModelSpec | None, input_name: str, output_names: list[str], layers: set[str] | None = None
) -> bytes:
    """A converted model with its description, its input and outputs named, and nothing superfluous.

    Names of other tensors are left out, and so are the converter's own notes: they take more bytes than one-bit
    kernels. With ``layers``, the names of a model's layers, kernels and results of convolutions keep theirs.
    """
    model = parse_tflite(data)
    graph = model.subgraphs[0]
    kept = names_of(model, layers) if layers else {}
    for index, tensor in enumerate(graph.tensors):
        tensor.name = kept.get(index, str(index)).encode()
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = b"serving_default", 0
    signature.inputs = [_entry(graph, graph.inputs[0], input_name)]
    signature.outputs = [_entry(graph, *each) for each in zip(graph.outputs, output_names, strict=True)]
    model.signatureDefs, model.description = [signature], OURS.encode()
    used = sorted({0} | {tensor.buffer for tensor in graph.tensors})
    places = {old: new for new, old in enumerate(used)}
    for tensor in graph.tensors:
        tensor.buffer = places[tensor.buffer]
    model.buffers, model.metadata = [model.buffers[old] for old in used], []
    return write_tflite(described(model, with_output(model, spec)) if spec else model)


def _entry(graph: schema.SubGraphT, index: int, name: str) -> schema.TensorMapT:
    """An input or output of the signature, which gives its tensor the same name."""
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = name.encode(), index
    graph.tensors[index].name = name.encode()
    return entry


def operator_names(data: bytes) -> list[str]:
    """Names of all operators in the order in which they run, for example ``CONV_2D``."""
    model = parse_tflite(data)
    codes = [operator_name(model, index) for index in range(len(model.operatorCodes))]
    return [codes[operator.opcodeIndex] for graph in model.subgraphs for operator in graph.operators]
