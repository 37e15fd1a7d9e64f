"""Keras twins of quantized networks, with the quantized kernels as plain constants."""

import dataclasses

import keras

from cunet_tf.models.build import build_network
from cunet_tf.models.health import convolutions
from cunet_tf.quantize.names import QuantConfig


def bake(model: keras.Model) -> keras.Model:
    """A network with float kernels that holds the quantized values; its features stay quantized.

    The TFLite converter does not fold the comparison behind a binary kernel: it would leave
    the convolution with computed weights. A model without quantized kernels is returned as it is.
    """
    quant = model.spec.quantization if model.spec else QuantConfig()
    if quant.weights == "FW":
        return model
    plain = dataclasses.replace(quant, weights="FW", alpha=False, centered=False, bound=0.0, weight_gradients=0)
    twin = build_network(model.spec, quant=plain)
    baked = {layer.kernel.path: layer.kernel_quantizer(layer.kernel) for layer in convolutions(model)
             if layer.kernel_quantizer is not None}  # fmt: skip
    for ours, theirs in zip(model.variables, twin.variables, strict=True):
        theirs.assign(baked.get(ours.path, ours))
    return twin
