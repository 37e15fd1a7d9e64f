"""A trained float network with its kernels rounded to k bits: a few hundred kilobytes without training."""

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from cunet_tf.errors import CUNetError
from cunet_tf.export.second_order import hessians, rounded_by_feedback
from cunet_tf.models.build import build_network
from cunet_tf.models.health import convolutions
from cunet_tf.models.renorm import correct_norms
from cunet_tf.progress import progress
from cunet_tf.quantize.names import UNIFORM, QuantConfig
from cunet_tf.spec import ModelSpec


def require_rounding(spec: ModelSpec, quant: str) -> QuantConfig:
    """The quantization that a trained network is rounded to.

    Raises:
        CUNetError: not one of k-bit kernels alone, or the network is quantized already or takes no quantizers.
    """
    wanted = QuantConfig.parse(quant)
    if wanted.weights not in UNIFORM or wanted.features is not None:
        raise CUNetError(
            f"--quant={quant}: a trained network is rounded to {', '.join(UNIFORM)}; binary and ternary kernels, and "
            f"features on grids, must be trained: cunet train --quant={quant}."
        )
    if not spec.quantization.is_float:
        raise CUNetError(f"--quant={quant}: the model is {spec.quant} already: round a float network, or leave it out.")
    wanted.require(spec.config)
    return wanted


def round_kernels(model: keras.Model, spec: ModelSpec, quant: str, batches: Iterable[Any] = ()) -> keras.Model:
    """A network whose inner kernels are k-bit integers with a step for each filter (:func:`functional.uniform`).

    Without pictures each weight goes to its nearest integer. With pictures the results of the convolutions change
    least (:mod:`cunet_tf.export.second_order`), and so do the statistics of batch normalisations.

    Args:
        model: trained, in float; it stays as it is.
        spec: its description.
        quant: ``"W2"`` to ``"W8"``.
        batches: float32 pictures ``[B, H, W, 3]`` in 0..1, see :func:`~cunet_tf.models.renorm.correct_norms`.

    Raises:
        CUNetError: see :func:`require_rounding`.
    """
    wanted = require_rounding(spec, quant)
    rounded = _with_weights(build_network(spec, quant=wanted), model)
    batches = list(batches)
    if not batches:
        return rounded
    layers = [layer for layer in convolutions(rounded) if layer.kernel_quantizer is not None]
    known = {layer.path: layer for layer in convolutions(model)}
    found = hessians(model, [known[layer.path] for layer in layers], batches)
    with progress("kernels") as show:
        for index, layer in enumerate(layers, 1):
            kernel = np.asarray(layer.kernel)
            layer.kernel.assign(rounded_by_feedback(kernel, found[layer.path], wanted.weight_bits))
            show(index, len(layers))
    _correct_norms(rounded, layers, model, spec, batches)
    return rounded


def _correct_norms(
    rounded: keras.Model, layers: list[Any], model: keras.Model, spec: ModelSpec, batches: list[Any]
) -> None:
    """:func:`correct_norms` by the same function without quantizers.

    Those would look for the steps of all kernels again for every batch.
    """
    plain = _with_weights(build_network(spec), rounded)
    twins = {layer.path: layer for layer in convolutions(plain)}
    for layer in layers:
        twins[layer.path].kernel.assign(layer.quantize_kernel(layer.kernel))
    correct_norms(plain, model, batches)
    for ours, theirs in zip(rounded.non_trainable_variables, plain.non_trainable_variables, strict=True):
        ours.assign(theirs)  # the moving statistics


def _with_weights(model: keras.Model, origin: keras.Model) -> keras.Model:
    """The model, with the variables of another of the same shape."""
    for ours, theirs in zip(model.variables, origin.variables, strict=True):
        ours.assign(theirs)
    return model
