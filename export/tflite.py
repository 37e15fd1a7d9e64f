"""Float ``.tflite`` files from Keras models, quantized kernels as constants."""

import keras

from cunet_tf.errors import CUNetError
from cunet_tf.quiet import native_stderr_hidden
from cunet_tf.spec import ModelSpec
from cunet_tf.tflite_file import with_names, with_spec
from export.twin import bake

FORMATS = ("float32", "float16")


def convert(model: keras.Model, spec: ModelSpec, fmt: str = "float32") -> bytes:
    """Convert the last head of a model.

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
    if fmt not in FORMATS:
        raise CUNetError(f"--format={fmt}: use one of {', '.join(FORMATS)}.")
    if keras.backend.backend() != "tensorflow":
        raise CUNetError("export needs Keras on TensorFlow: run it without KERAS_BACKEND=jax.")
    import tensorflow as tf

    with native_stderr_hidden() as log:
        # Without the model as second argument: with it, variables stay unfrozen.
        converter = tf.lite.TFLiteConverter.from_concrete_functions([_signature(model)])
        if fmt == "float16":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.target_spec.supported_types = [tf.float16]
        try:
            data = converter.convert()
        except Exception as error:
            raise CUNetError(f"the TFLite converter failed: {error}\n{log.read_text()[-2000:]}") from error
    return with_spec(with_names(data, "image", "heatmaps"), spec)


def _signature(model: keras.Model):
    """A function of one picture that returns the last heat maps, by name."""
    import tensorflow as tf

    model = bake(model)
    single = keras.Model(model.inputs[0], model.outputs[-1])
    shape = (1, *single.input_shape[1:])

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32, name="image")])
    def serve(image: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"heatmaps": single(image, training=False)}

    return serve.get_concrete_function()
