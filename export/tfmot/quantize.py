"""tfmot's side of the reference: the graphs quantized by tfmot, as Keras models and as ``.tflite`` files.

Importing tfmot switches the whole process to legacy Keras: only :mod:`cunet_tf.export.tfmot.worker` imports this.
"""

from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from ai_edge_litert.interpreter import Interpreter
from tensorflow_model_optimization.python.core.api.quantization import keras as quantization
from tensorflow_model_optimization.python.core.quantization.keras.default_8bit.default_8bit_quantize_configs import (
    NoOpQuantizeConfig,
)

from cunet_tf.export.tfmot.graphs import (
    EPSILON,
    INPUT_LIMITS,
    INPUT_STEP,
    OUTPUT_LIMITS,
    OUTPUT_STEP,
    SHIFT,
    Graph,
    input_values,
    pictures,
)


class BinaryQuantizer(quantization.quantizers.Quantizer):
    """alpha * sign(w) per filter, written as a tfmot quantizer; sign(0) = +1.

    ``tf.sign`` twice instead of ``tf.where``, which the converter folds for small kernels only. The
    fake quantization around it changes no value; it tells the converter the scale.
    """

    def __init__(self, alpha: float | None = None):
        self.alpha = alpha

    def build(self, tensor_shape: tuple[int | None, ...], name: str, layer: tf_keras.layers.Layer) -> dict[str, Any]:
        """No variables."""
        return {}

    def __call__(self, inputs: tf.Tensor, training: bool, weights: dict[str, Any], **kwargs: object) -> tf.Tensor:
        """The binary kernel."""
        means = tf.reduce_mean(tf.abs(inputs), [0, 1, 2])
        alpha = means if self.alpha is None else tf.fill(means.shape, self.alpha)
        binary = alpha * tf.sign(tf.sign(inputs) + 0.5)
        return tf.quantization.fake_quant_with_min_max_vars_per_channel(binary, -alpha, alpha, narrow_range=True)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {"alpha": self.alpha}


class BinaryConfig(quantization.QuantizeConfig):
    """Quantizes a convolution's kernel with :class:`BinaryQuantizer`, and nothing else of it."""

    def __init__(self, alpha: float | None = None):
        self.alpha = alpha

    def get_weights_and_quantizers(self, layer: tf_keras.layers.Layer) -> list[Any]:
        """The kernel."""
        return [(layer.kernel, BinaryQuantizer(self.alpha))]

    def get_activations_and_quantizers(self, layer: tf_keras.layers.Layer) -> list[Any]:
        """None."""
        return []

    def set_quantize_weights(self, layer: tf_keras.layers.Layer, quantize_weights: list[Any]) -> None:
        """Put the quantized kernel into the layer."""
        layer.kernel = quantize_weights[0]

    def set_quantize_activations(self, layer: tf_keras.layers.Layer, quantize_activations: list[Any]) -> None:
        """Nothing to put."""
        return

    def get_output_quantizers(self, layer: tf_keras.layers.Layer) -> list[Any]:
        """None: batch normalisation follows."""
        return []

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments."""
        return {"alpha": self.alpha}


def plain_model(graph: Graph, config: quantization.QuantizeConfig | None = None) -> tf_keras.Model:
    """conv - BN - ReLU in tf_keras; annotated for ``quantize_apply`` when the convolution has a config."""
    annotate = quantization.quantize_annotate_layer if config else lambda layer, _: layer
    conv = tf_keras.layers.Conv2D(graph.kernel.shape[-1], 3, padding="same", use_bias=False, name="conv")
    norm = tf_keras.layers.BatchNormalization(epsilon=EPSILON, name="bn")
    image = tf_keras.Input(pictures().shape[1:])
    x = annotate(norm, NoOpQuantizeConfig())(annotate(conv, config)(image))
    model = tf_keras.Model(image, annotate(tf_keras.layers.ReLU(name="relu"), None)(x))
    conv.set_weights([graph.kernel])
    norm.set_weights([graph.gamma, graph.beta, graph.mean, graph.variance])
    return model


def quantized_model(graph: Graph) -> tf_keras.Model:
    """The graph quantized by tfmot, its ranges set to our grids instead of learned."""
    tf_keras.backend.clear_session()  # layer names without running numbers
    if graph.name == "int8":
        model = quantization.quantize_model(plain_model(graph))
    else:
        known = {item.__name__: item for item in (BinaryConfig, BinaryQuantizer, NoOpQuantizeConfig)}
        with quantization.quantize_scope(known):
            config = BinaryConfig(SHIFT if graph.name == "binary-shift" else None)
            model = quantization.quantize_apply(plain_model(graph, config))
    largest = np.abs(graph.kernel).max(axis=(0, 1, 2))
    ranges = {"quantize_layer": INPUT_LIMITS, "output": OUTPUT_LIMITS, "kernel": (-largest, largest)}
    for variable in model.variables:
        name = variable.name.split("/")[-1].split(":")[0]
        place, _, end = name.rpartition("_")
        if end in ("min", "max"):
            variable.assign(ranges[place][end == "max"])
    return model


def input_grid_result(model: tf_keras.Model) -> np.ndarray:
    """What the quantizer of the model's input makes of :func:`input_values`, in steps of its grid."""
    answer = model.get_layer("quantize_layer")(input_values(), training=False)
    return np.rint(answer.numpy() / INPUT_STEP).astype(np.int32)


def fake_quantized_result(model: tf_keras.Model) -> np.ndarray:
    """The Keras model's answer to :func:`pictures`, in steps of the output's grid."""
    answer = model(pictures().astype(np.float32) * np.float32(INPUT_STEP), training=False)
    return np.rint(answer.numpy() / OUTPUT_STEP).astype(np.int32)


def tflite_result(model: tf_keras.Model) -> np.ndarray:
    """The answer of the same model, converted to int8, in steps of the output's grid."""
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    engine = Interpreter(model_content=converter.convert(), num_threads=1)
    (source,), (sink,) = engine.get_input_details(), engine.get_output_details()
    engine.resize_tensor_input(source["index"], pictures().shape)
    engine.allocate_tensors()
    engine.set_tensor(source["index"], pictures())
    engine.invoke()
    return engine.get_tensor(sink["index"]).astype(np.int32) - sink["quantization"][1]
