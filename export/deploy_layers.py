"""Layers of the deploy twin: constants only, every tensor on a grid, every operation one of TFLite's.

Each layer stands for a trained one, takes the same arguments and returns the same tensors.
"""

from collections.abc import Sequence

import keras
import numpy as np

from cunet_tf.aliases import Tensor
from cunet_tf.export.channel_grids import TracedNorm
from cunet_tf.export.fold import Kernel, batch_norm
from cunet_tf.export.grid_tensors import GridTensor, GridTensors
from cunet_tf.export.grids import PIXELS, WEIGHT_LIMIT, half
from cunet_tf.export.maximum_norm import MaximumNorm
from cunet_tf.files.blocks import BLOCK, PADS, to_blocks
from cunet_tf.models.concat_conv import ConcatBNReLUConv, ConcatConvBNReLU, as_list, joined
from cunet_tf.models.convolution import ConvBNReLU
from cunet_tf.models.layers import SemanticBlock
from cunet_tf.quantize.quantizers import Quantizer, Uniform


class TwinConv:
    """``grid(conv(x) + bias)`` on an int8 kernel, with a ReLU in front of the grid or without.

    Args:
        kernel: of ``[h, w, cin, C]``.
        bias: float ``[C]``, or ``None``.
        grid_tensor: where the result lands.
        relu: cut off below zero.
    """

    def __init__(self, kernel: Kernel, bias: np.ndarray | None, grid_tensor: GridTensor, relu: bool = False):
        self.kernel, self.peak = kernel.int8()
        self.bias = None if bias is None else half(bias)
        self.grid_tensor, self.relu = grid_tensor, relu
        grid_tensor.writer = self

    def __call__(self, x: Tensor, strides: int = 1, padding: str = "SAME") -> Tensor:
        """The convolution of ``[B, H, W, C]``."""
        import tensorflow as tf

        y = tf.nn.conv2d(x, _weights(self.kernel, self.peak), strides, padding)
        y = y if self.bias is None else y + self.bias
        return self.grid_tensor(tf.nn.relu(y) if self.relu else y)


class TwinNorm(TracedNorm):
    """``grid(ReLU(x * scale + offset))`` of joined tensors, as 1x1 depthwise convolutions.

    A normalisation behind a concatenation cannot be folded: each reader has its own.

    Args:
        scale, offset: float ``[C]``, of all joined channels.
        grid_tensor: where the result lands.
        shared: whether the tensors share a grid. If so they are joined first, which copies
            them; if not each is normalised by itself, and the results, which share one, are joined.
    """

    def __init__(self, scale: np.ndarray, offset: np.ndarray, grid_tensor: GridTensor, shared: bool):
        super().__init__(scale, offset)
        self.grid_tensor, self.shared = grid_tensor, shared
        self.settle(np.zeros_like(self.scale), np.ones_like(self.scale))

    def settle(self, middle: np.ndarray, width: np.ndarray) -> None:
        """Read channels that are ``middle + width * x`` from now on, ``[C]``."""
        scale, offset = self.stretched(middle, width)
        (self.kernel, self.peak), self.bias = Kernel(scale[None]).int8(), half(offset)

    def __call__(self, tensors: list[Tensor]) -> Tensor:
        """The normalised tensors ``[B, H, W, *]``, joined."""
        if self.grid_tensor.tracing:
            return self.traced(joined(tensors))
        parts = [joined(tensors)] if self.shared else tensors
        ends = np.cumsum([part.shape[-1] for part in parts])
        return joined([self._normalize(x, slice(end - x.shape[-1], end)) for x, end in zip(parts, ends, strict=True)])

    def _normalize(self, x: Tensor, channels: slice) -> Tensor:
        import tensorflow as tf

        kernel = _weights(self.kernel[None, None, :, channels], self.peak[channels])
        y = tf.nn.depthwise_conv2d(x, tf.reshape(kernel, (1, 1, -1, 1)), (1, 1, 1, 1), "SAME")
        return self.grid_tensor(tf.nn.relu(y + self.bias[channels]))


def norm_of(
    variables: Sequence[Tensor], grid_tensor: GridTensor, kernel: Kernel, conv: TwinConv, tensors: GridTensors
) -> TwinNorm | MaximumNorm:
    """The normalisation and ReLU in front of a convolution: a MAXIMUM where the twin is asked for them."""
    norm: TwinNorm | MaximumNorm
    if tensors.maximum:
        norm = MaximumNorm(*batch_norm(*variables), grid_tensor, kernel.values, conv)
    else:
        norm = TwinNorm(*batch_norm(*variables), grid_tensor, tensors.shared)
    if not tensors.shared:  # a trained grid stays what it is
        tensors.norms.append(norm)
    return norm


def _weights(kernel: np.ndarray, peak: np.ndarray) -> Tensor:
    """The kernel as floats, marked so that the converter stores just these int8 values."""
    import tensorflow as tf

    values = (kernel * (peak.astype(np.float64) / WEIGHT_LIMIT)).astype(np.float32)
    return tf.quantization.fake_quant_with_min_max_vars_per_channel(values, -peak, peak, narrow_range=True)


def trained_kernel(layer: ConcatBNReLUConv) -> Kernel:
    """The kernel that the trained network computes with; of k-bit ones their integers too (ternary ones need none)."""
    quantizer = layer.kernel_quantizer
    if isinstance(quantizer, Uniform) and quantizer.bits > 2:
        integers, steps = (np.asarray(each, np.float64) for each in quantizer.integers(layer.kernel))
        return Kernel(integers * steps, steps.reshape(-1))
    kernel = layer.kernel if quantizer is None else quantizer(layer.kernel)
    return Kernel(np.asarray(keras.ops.convert_to_numpy(kernel), np.float64))


class DeployConv(keras.layers.Layer):
    """Twin of a :class:`~cunet_tf.models.concat_conv.ConcatBNReLUConv`, all its BN sets included.

    Args:
        layer: the trained one.
        grid_tensors: the network's tensors and their grids.
    """

    def __init__(self, layer: ConcatBNReLUConv, grid_tensors: GridTensors):
        super().__init__(name=layer.name, trainable=False)
        path = layer.path
        self.passes = []
        for index, variables in enumerate(layer.bn):
            mark = f"{path}#{index + 1}" if index else path
            grid_tensor = grid_tensors.get(f"{mark} input", layer.input_quantizer)
            kernel = trained_kernel(layer)
            conv = TwinConv(kernel, None, grid_tensors.get(f"{mark} output", layer.output_quantizer))
            self.passes.append((norm_of(variables, grid_tensor, kernel, conv, grid_tensors), conv))

    def call(self, inputs: Tensor, bn_set: int = 0) -> Tensor:
        """The convolution on one tensor or several ``[B, H, W, *]``."""
        norm, conv = self.passes[bn_set]
        return conv(norm(as_list(inputs)))


class DeployBlock(keras.layers.Layer):
    """Twin of a :class:`~cunet_tf.models.layers.SemanticBlock`; the BN behind the bottleneck is folded into it."""

    def __init__(self, block: SemanticBlock, grid_tensors: GridTensors):
        super().__init__(name=block.name, trainable=False)
        ends = [block.ahead] + ([block.skip] if block.skip is not None else [])
        self.ends = [DeployConv(end, grid_tensors) for end in ends]
        self.passes = []
        for index in range(block.bn_sets):
            mark = f"#{index + 1}" if index else ""
            first, second = block.bottleneck, block.features
            norm_tensor = grid_tensors.get(f"{first.path}{mark} input", first.input_quantizer)
            fold_tensor = grid_tensors.get(f"{second.path}{mark} input", second.input_quantizer)
            new_tensor = grid_tensors.get(f"{second.path}{mark} output", second.output_quantizer)
            scale, bias = batch_norm(*second.bn[index])
            kernel = trained_kernel(first).scaled(scale)
            bottleneck = TwinConv(kernel, bias, fold_tensor, relu=True)
            norm = norm_of(first.bn[index], norm_tensor, kernel, bottleneck, grid_tensors)
            self.passes.append((norm, bottleneck, TwinConv(trained_kernel(second), None, new_tensor)))

    def call(self, inputs: Tensor, bn_set: int = 0) -> list[Tensor]:
        """The block on its main inputs and the history, as the layer that it stands for."""
        parts = as_list(inputs)
        norm, bottleneck, features = self.passes[bn_set]
        new = features(bottleneck(norm(parts)))
        return [new, *(end([*parts, new], bn_set=bn_set) for end in self.ends)]


class DeployConvFirst(keras.layers.Layer):
    """Twin of a :class:`~cunet_tf.models.concat_conv.ConcatConvBNReLU`: a convolution for each BN set, which it holds.

    Args:
        layer: the trained one; a bare one has no BN.
        grid_tensors: the network's tensors and their grids.
        concatenated: others concatenate the result.
    """

    def __init__(self, layer: ConcatConvBNReLU, grid_tensors: GridTensors, concatenated: bool):
        super().__init__(name=layer.name, trainable=False)
        self.passes = []
        for index in range(max(len(layer.bn), 1)):
            scale, bias = batch_norm(*layer.bn[index]) if layer.bn else (np.ones(layer.filters), None)
            name = f"{layer.path}{f'#{index + 1}' if index else ''} output"
            tensor = grid_tensors.get(name, layer.output_quantizer, concatenated)
            self.passes.append(TwinConv(trained_kernel(layer).scaled(scale), bias, tensor, relu=layer.normalize))

    def call(self, inputs: Tensor, bn_set: int = 0) -> Tensor:
        """The convolution on one tensor or several ``[B, H, W, *]``."""
        return self.passes[bn_set if len(self.passes) > 1 else 0](joined(as_list(inputs)))


class DeployBlockConvFirst(keras.layers.Layer):
    """Twin of a :class:`~cunet_tf.models.layers.SemanticBlock` whose convolutions come first."""

    def __init__(self, block: SemanticBlock, grid_tensors: GridTensors):
        super().__init__(name=block.name, trainable=False)
        self.bottleneck, *self.others = (
            DeployConvFirst(layer, grid_tensors, layer is not block.bottleneck) for layer in block.convolutions
        )

    def call(self, inputs: Tensor, bn_set: int = 0) -> list[Tensor]:
        """The block on its main inputs and the history, as the layer that it stands for."""
        features, *ends = self.others
        parts = as_list(inputs)
        new = features(self.bottleneck(parts, bn_set=bn_set), bn_set=bn_set)
        return [new, *(end([*parts, new], bn_set=bn_set) for end in ends)]


class DeployStem(keras.layers.Layer):
    """Twin of the stem on blocks of 2x2 pixels (:mod:`cunet_tf.files.blocks`); the picture enters on its pixels' grid.

    The result's grid is chosen behind the pooling, and applied before it: max-pooling and
    rounding may change places, as both keep order.
    """

    def __init__(self, stem: ConvBNReLU, quantizer: Quantizer | None, grid_tensors: GridTensors, concatenated: bool):
        super().__init__(name=stem.name, trainable=False)
        scale, bias = batch_norm(*stem.bn[0])
        kernel = np.asarray(keras.ops.convert_to_numpy(stem.kernel), np.float64) * scale
        self.image = grid_tensors.fixed("image", PIXELS)
        on_blocks = np.moveaxis(to_blocks(np.moveaxis(kernel, -1, 0)), 0, -1)
        self.conv = TwinConv(
            Kernel(on_blocks), bias, grid_tensors.get("stem output", quantizer, concatenated), relu=True
        )

    def call(self, image: Tensor) -> Tensor:
        """``[B, H, W, 3] -> [B, H/4, W/4, m]``."""
        import tensorflow as tf

        blocks = tf.nn.space_to_depth(self.image(image), BLOCK)
        padded = tf.pad(blocks, ((0, 0), PADS, PADS, (0, 0)))  # right in front of its convolution: XNNPACK joins them
        return tf.nn.max_pool2d(self.conv(padded, 1, "VALID"), 2, 2, "VALID")


class Folded(keras.layers.Layer):
    """Twin of a layer whose work another one does."""

    def call(self, x: Tensor, **_: object) -> Tensor:
        """The tensor as it is."""
        return x
