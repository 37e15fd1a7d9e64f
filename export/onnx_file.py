"""``.onnx`` files from Keras models: float networks, by tf2onnx."""

from typing import TYPE_CHECKING

import keras

from cunet_tf.errors import CUNetError, reason, require_package
from cunet_tf.export.tflite import require_tensorflow
from cunet_tf.quiet import import_quietly, native_stderr_hidden
from cunet_tf.spec import SPEC_NAME, ModelSpec

if TYPE_CHECKING:
    import onnx

OPSET = 15  # the one that tf2onnx writes by default, and every runtime since 2021 reads


def convert_onnx(model: keras.Model, spec: ModelSpec) -> bytes:
    """Convert the last head of a float network.

    Args:
        model: as built by :func:`cunet_tf.models.build.build_network`, with trained weights.
        spec: written into the file as its self-description, ``cunet_spec`` of ``metadata_props``.

    Returns:
        An ONNX model: input float32 ``[N, H, W, 3]`` named ``image``, one output float32 ``[N, H/4, W/4, C]`` named
        ``heatmaps``.

    Raises:
        CUNetError: a quantized network, Keras runs on another backend than TensorFlow, or the converter fails.
        MissingPackage: the packages of the extra ``onnx`` are not installed.
    """
    require_float(spec)
    require_tensorflow()
    import_quietly("onnx")
    import_quietly("tf2onnx")
    return _finished(_converted(model), spec)


def require_packages() -> None:
    """Refuse before any work what would lack a package of the extra ``onnx`` at its end.

    Raises:
        MissingPackage: one is not installed.
    """
    for module in ("onnx", "tf2onnx", "onnxruntime"):
        require_package(module)


def require_float(spec: ModelSpec) -> None:
    """Refuse a quantized network.

    Raises:
        CUNetError: it is one.
    """
    if not spec.quantization.is_float:
        raise CUNetError(
            f"--format=onnx: this network is quantized ({spec.quant}), and onnxruntime rounds its integers otherwise "
            "than training did: choose int8, packed or gz."
        )


def _converted(model: keras.Model) -> "onnx.ModelProto":
    """The converter's model of a function of pictures that returns the last heat maps, by name."""
    import tensorflow as tf
    import tf2onnx

    single = keras.Model(model.inputs[0], model.outputs[-1])
    pictures = tf.TensorSpec((None, *single.input_shape[1:]), tf.float32, name="image")
    serve = tf.function(lambda image: {"heatmaps": single(image)}, input_signature=[pictures])
    with native_stderr_hidden():
        try:
            return tf2onnx.convert.from_function(serve, [pictures], opset=OPSET)[0]
        except Exception as error:
            raise CUNetError(f"tf2onnx cannot convert this network: {reason(error)}.") from error


def _finished(model: "onnx.ModelProto", spec: ModelSpec) -> bytes:
    """The file with its description, and the number of pictures called ``N``.

    Names of inner tensors are numbers: those of the converter differ from call to call.
    """
    graph = model.graph
    names = {each.name: each.name for each in (*graph.input, *graph.output)}
    for tensor in graph.initializer:
        tensor.name = names.setdefault(tensor.name, str(len(names)))
    for node in graph.node:
        node.name = ""
        for side in (node.input, node.output):
            side[:] = [name and names.setdefault(name, str(len(names))) for name in side]
    graph.name, graph.doc_string = "cunet-tf", ""
    del graph.value_info[:]
    for end in (*graph.input, *graph.output):
        end.type.tensor_type.shape.dim[0].dim_param = "N"
    return _described(model, spec)


def with_description(data: bytes, spec: ModelSpec) -> bytes:
    """An ONNX model with its description replaced, or given one.

    Raises:
        MissingPackage: the package onnx is not installed.
    """
    import_quietly("onnx")
    import onnx

    return _described(onnx.load_from_string(data), spec)


def _described(model: "onnx.ModelProto", spec: ModelSpec) -> bytes:
    entries = [entry for entry in model.metadata_props if entry.key == SPEC_NAME] or [model.metadata_props.add()]
    entries[0].key, entries[0].value = SPEC_NAME, spec.replace(output=None).to_json()
    return model.SerializeToString(deterministic=True)
