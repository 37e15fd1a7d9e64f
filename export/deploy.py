"""The deploy twin: a trained network as the int8 hardware computes it, in Keras."""

import functools
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from cunet_tf.config import CUNetConfig
from cunet_tf.config_baselines import HourglassConfig
from cunet_tf.errors import CUNetError
from cunet_tf.export.channel_grids import settle_norms
from cunet_tf.export.deploy_layers import (
    DeployBlock,
    DeployBlockConvFirst,
    DeployConv,
    DeployConvFirst,
    DeployStem,
    Folded,
)
from cunet_tf.export.grid_tensors import GridTensors
from cunet_tf.models.concat_conv import ConcatBNReLUConv, ConcatConvBNReLU
from cunet_tf.models.convolution import ConvBNReLU
from cunet_tf.models.layers import SemanticBlock
from cunet_tf.quantize.quantizers import Quantizer
from cunet_tf.spec import ModelSpec

DEPTHWISE, MAXIMUM = NORMS = ("depthwise", "maximum")
STEM_GRID = "stem_grid"  # of quantized networks; DeployStem does its work


@dataclass
class Deployed:
    """A twin and its tensors.

    Attributes:
        model: ``image -> heatmaps`` of the last head, constants only; of a model of one's own, all its outputs.
        grid_tensors: every tensor that lies on a grid.
        spec: of the trained network, ``None`` where it has no description.
        ends: names of its input and outputs then.
    """

    model: keras.Model
    grid_tensors: GridTensors
    spec: ModelSpec | None
    ends: tuple[str, list[str]] | None = None

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """As an :class:`~cunet_tf.engines.Engine`."""
        return np.concatenate([np.asarray(self.model([image[None]])) for image in np.asarray(images, np.float32)])

    def calibrate(self, images: np.ndarray) -> list[dict[str, Any]]:
        """Choose the grids that training left open from pictures ``[B, H, W, 3]``, and report.

        Returns:
            A row for each tensor: grid, range seen, share of values beyond the grid.

        Raises:
            CUNetError: grids are open, and there are no pictures.
        """
        if self.grid_tensors.open():
            if not len(images):
                names = ", ".join(tensor.name for tensor in self.grid_tensors.open()[:4])
                raise CUNetError(
                    f"training left the grids of {names} open: give --inputs=FILE.npy, which chooses them."
                )
            if self.grid_tensors.norms:
                self.grid_tensors.trace(True)
                self(images[:1])
                self.grid_tensors.trace(False)
            self._watch(images)
            settle_norms(self.grid_tensors)
            self.grid_tensors.settle()
        self._watch(images)
        return self.grid_tensors.rows()

    def _watch(self, images: np.ndarray) -> None:
        self.grid_tensors.observe(True)
        try:
            for image in np.asarray(images, np.float32):
                self.model([image[None]])
        finally:
            self.grid_tensors.observe(False)


def deploy(model: keras.Model, spec: ModelSpec, norms: str = "depthwise") -> Deployed:
    """The twin of a trained network, float or quantized.

    Kernels are the quantized ones, as constants; a BN behind a convolution is folded into it,
    one behind a concatenation is a 1x1 depthwise convolution; features lie on the grids of
    training. Tensors that training left in float (all of a float network; the heads of a
    quantized one) have no grid until :meth:`Deployed.calibrate`.

    Args:
        model, spec: the network.
        norms: of :data:`NORMS`: normalisations behind a concatenation as depthwise convolutions, or, of a float
            network, as a MAXIMUM (:mod:`cunet_tf.export.maximum_norm`).

    Raises:
        CUNetError: the network is a stacked hourglass, Keras runs on another backend, or ``maximum`` is asked of a
            quantized network or of one with 3x3 convolutions behind concatenations.
    """
    _require_deployable(spec, norms)
    conv_first = isinstance(spec.config, CUNetConfig) and spec.config.conv_first
    grid_tensors = GridTensors(shared=spec.quantization.features is not None, maximum=norms == MAXIMUM)

    @functools.cache  # a layer that runs in both passes has one twin
    def twin_of(layer: keras.layers.Layer) -> keras.layers.Layer:
        if isinstance(layer, SemanticBlock):
            return (DeployBlockConvFirst if conv_first else DeployBlock)(layer, grid_tensors)
        if isinstance(layer, ConcatConvBNReLU):
            return DeployConvFirst(layer, grid_tensors, concatenated=layer.normalize)
        if isinstance(layer, ConcatBNReLUConv):
            return DeployConv(layer, grid_tensors)
        if isinstance(layer, ConvBNReLU):
            return DeployStem(layer, _stem_quantizer(model), grid_tensors, conv_first)
        if layer.name == STEM_GRID:
            return Folded(name=layer.name)
        return layer.__class__.from_config(layer.get_config())

    plain = keras.Model(model.inputs, model.outputs[-1])
    twin = keras.models.clone_model(plain, clone_function=twin_of)
    return Deployed(twin, grid_tensors, spec)


def _require_deployable(spec: ModelSpec, norms: str) -> None:
    """Refuse what has no twin, or not with these normalisations; see :func:`deploy`."""
    if isinstance(spec.config, HourglassConfig):
        raise CUNetError("a stacked hourglass has no deploy twin: export it as float32 or float16.")
    if keras.backend.backend() != "tensorflow":
        raise CUNetError("export needs Keras on TensorFlow: run it without KERAS_BACKEND=jax.")
    if norms not in NORMS:
        raise CUNetError(f"--norms={norms}: use one of {', '.join(NORMS)}.")
    if norms == MAXIMUM and not spec.quantization.is_float:
        raise CUNetError(
            f"--norms=maximum: this network is quantized ({spec.quant}), and would no longer be what was trained: take "
            "--norms=depthwise."
        )
    if norms == MAXIMUM and isinstance(spec.config, CUNetConfig) and spec.config.conv_first:
        raise CUNetError("--norms=maximum: this network's normalisations are part of its convolutions: leave it out.")


def _stem_quantizer(model: keras.Model) -> Quantizer | None:
    names = {layer.name for layer in model.layers}
    return model.get_layer(STEM_GRID).quantizer if STEM_GRID in names else None
