"""The layers of a baked model: what stands in the place of each trained one."""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from cunet_tf.aliases import Tensor
from cunet_tf.compat import inner_layers
from cunet_tf.errors import CUNetError
from cunet_tf.export.fold import batch_norm
from cunet_tf.models.calls import Call, Calls
from cunet_tf.models.concat_conv import ConcatBNReLUConv
from cunet_tf.models.layers import SemanticBlock, Upsample2x
from cunet_tf.models.quant_layers import QuantActivation, QuantConv2D
from cunet_tf.quantize.in_bytes import InBytes
from cunet_tf.quantize.names import QuantConfig
from cunet_tf.quantize.quantizers import Linear, Uniform

BYTE = 8  # bits
FUSED = (keras.activations.linear, keras.activations.relu, keras.activations.relu6)  # a convolution has them built in
FOLDING = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.Dense)


def copied(layer: keras.layers.Layer, **changes: object) -> keras.layers.Layer:
    """A fresh layer of the same kind, in float32, whose configuration is changed; it has no variables yet."""
    config = {**layer.get_config(), **changes}
    if layer.compute_dtype != layer.variable_dtype:
        config["dtype"] = layer.variable_dtype
    return type(layer).from_config(config)


def is_fused(activation: Callable[[Tensor], Tensor]) -> bool:
    """Whether a convolution has this activation built in."""
    return activation in FUSED


class Baker:
    """Makes the twin's layers, each once, however often it is called."""

    def __init__(self, calls: Calls):
        self.calls = calls
        self.made: dict[int, list[Any]] = {}
        self.names: set[str] = set()
        self.steps: dict[str, np.ndarray] = {}
        self.times: dict[int, int] = {}
        for call in calls.calls:
            self.times[id(call.layer)] = self.times.get(id(call.layer), 0) + 1
        pairs = [(call, self._folded_into(call)) for call in calls.calls]
        self.folded = {id(norm): conv for norm, conv in pairs if conv is not None}
        self.norms = {id(conv): norm for norm, conv in pairs if conv is not None}

    def changes(self, call: Call) -> bool:
        """Whether the twin differs from the model here."""
        layer = call.layer
        if not isinstance(layer, keras.layers.Layer):
            return False
        mixed = layer.compute_dtype != layer.variable_dtype
        norm = isinstance(layer, keras.layers.BatchNormalization) and id(call) in self.folded
        grid = isinstance(layer, QuantActivation) and _baked_grid(layer) is not layer.quantizer
        other = isinstance(layer, (QuantConv2D, keras.layers.SeparableConv2D)) or _is_doubling(layer)
        return mixed or norm or grid or other or _is_affine(call) or bool(quantized(layer)) or not _plain(layer)

    def run(self, call: Call, values: dict[int, Any]) -> None:
        """Call the twin."""
        if not isinstance(call.layer, keras.layers.Layer):
            call.run(call.layer, values)
        elif id(call) in self.folded:
            values[call.outputs[0]] = values[call.inputs[0]]
        else:
            first, *others = self._twins(call)
            call.run(first, values)
            for layer in others:
                values[call.outputs[0]] = layer(values[call.outputs[0]])
            if id(call.layer) not in self.made:
                self.made[id(call.layer)] = [first, *others]
                self._fill(call, [first, *others])

    def _twins(self, call: Call) -> list[keras.layers.Layer]:
        """The twin of a layer: it and what stands behind it, called one after the other."""
        layer = call.layer
        if id(layer) in self.made:
            return self.made[id(layer)]
        name = self._name(call)
        if isinstance(layer, QuantActivation):
            return [QuantActivation(_baked_grid(layer), name=name)]
        if _is_affine(call):
            return [keras.layers.DepthwiseConv2D(1, name=name)]
        if _is_doubling(layer):
            return [Upsample2x(name=name)]
        if isinstance(layer, keras.layers.SeparableConv2D):
            return self._two_convolutions(layer, name)
        if isinstance(layer, SemanticBlock):
            return [copied(layer, name=name, quant=str(float_kernels(layer.quant)))]
        if isinstance(layer, ConcatBNReLUConv):
            return [copied(layer, name=name, kernel_quantizer=None)]
        if isinstance(layer, FOLDING):
            return self._convolution(call, name)
        if _hidden(layer):
            raise CUNetError(f"layer {call.path}: {type(layer).__name__} holds quantized layers of its own, which "
                             "cu.bake cannot follow: put them into a Sequential or functional model.")  # fmt: skip
        return [copied(layer, name=name)]

    def _convolution(self, call: Call, name: str) -> list[keras.layers.Layer]:
        layer = call.layer
        changes: dict[str, Any] = {"name": name, "use_bias": layer.use_bias or id(call) in self.norms}
        ends = (
            []
            if _plain(layer)
            else [keras.layers.Activation(layer.activation, name=self._unique(f"{name}_activation"))]
        )
        if ends:
            changes["activation"] = "linear"
        if not isinstance(layer, QuantConv2D):
            return [copied(layer, **changes), *ends]
        config = {**layer.get_config(), **changes, "kernel_constraint": None, "dtype": layer.variable_dtype}
        start = layer.input_quantizer
        del config["kernel_quantizer"], config["input_quantizer"]
        conv = keras.layers.Conv2D.from_config(config)
        if start is None:
            return [conv, *ends]
        return [QuantActivation(_in_bytes(start), name=self._unique(f"{name}_input")), conv, *ends]

    def _two_convolutions(self, layer: keras.layers.Layer, name: str) -> list[keras.layers.Layer]:
        """Depth and points apart: integers need a grid between them."""
        config = layer.get_config()
        windows = {key: config[key] for key in ("strides", "padding", "dilation_rate", "depth_multiplier")}
        deep = keras.layers.DepthwiseConv2D(layer.kernel_size, use_bias=False, name=name, **windows)
        points = keras.layers.Conv2D(layer.filters, 1, use_bias=layer.use_bias, name=self._unique(f"{name}_points"))
        if layer.activation is keras.activations.linear:
            return [deep, points]
        return [deep, points, keras.layers.Activation(layer.activation, name=self._unique(f"{name}_activation"))]

    def _fill(self, call: Call, twins: list[keras.layers.Layer]) -> None:
        """Give the twin the values of the layer's variables."""
        layer = call.layer
        twin = next((each for each in twins if not isinstance(each, QuantActivation)), twins[0])
        if _is_affine(call):
            scale, offset = _affine(layer, call.shapes[0][-1])
            twin.set_weights([scale[None, None, :, None], offset])
        elif isinstance(layer, keras.layers.SeparableConv2D):
            twins[0].set_weights([layer.depthwise_kernel])
            twins[1].set_weights([layer.pointwise_kernel] + ([layer.bias] if layer.use_bias else []))
        elif isinstance(layer, FOLDING):
            self._fill_convolution(call, twin)
        elif not isinstance(layer, QuantActivation):
            baked = {id(conv.kernel): conv.kernel_quantizer(conv.kernel) for conv in quantized(layer)}
            for ours, theirs in zip(layer.variables, twin.variables, strict=True):
                theirs.assign(baked.get(id(ours), ours))

    def _fill_convolution(self, call: Call, twin: keras.layers.Layer) -> None:
        layer = call.layer
        kernel, scale = np.asarray(kernel_of(layer), np.float64), np.ones(1)
        bias = np.asarray(layer.bias, np.float64) if layer.use_bias else 0.0
        norm = self.norms.get(id(call))
        if norm is not None:
            scale, offset = batch_norm(*_statistics(norm.layer))
            deep = isinstance(layer, keras.layers.DepthwiseConv2D)
            kernel, bias = kernel * (scale.reshape(kernel.shape[2:]) if deep else scale), bias * scale + offset
        twin.set_weights([kernel, bias] if twin.use_bias else [kernel])
        quantizer = getattr(layer, "kernel_quantizer", None)
        if isinstance(quantizer, Uniform):
            steps = quantizer.integers(keras.ops.convert_to_tensor(layer.kernel))[1]
            self.steps[twin.name] = np.asarray(steps, np.float64).reshape(-1) * np.abs(scale)

    def _folded_into(self, call: Call) -> Call | None:
        """The convolution that a batch normalisation becomes a part of."""
        if not isinstance(call.layer, keras.layers.BatchNormalization) or not _along_channels(call):
            return None
        tensor = call.inputs[0]
        maker = self.calls.maker(tensor)
        alone = len(self.calls.readers(tensor)) == 1 and tensor not in self.calls.outputs
        fits = maker is not None and isinstance(maker.layer, FOLDING) and len(maker.shapes[0]) == len(call.shapes[0])
        if not (alone and fits and maker and self.times[id(maker.layer)] == 1):
            return None
        return maker if maker.layer.activation is keras.activations.linear else None

    def _name(self, call: Call) -> str:
        return self._unique(call.path.replace("/", "_"))

    def _unique(self, name: str) -> str:
        while name in self.names:
            name += "_"
        self.names.add(name)
        return name


def kernel_of(layer: keras.layers.Layer) -> Tensor:
    """The kernel that a convolution or dense layer of any kind computes with, as a tensor."""
    quantizer = getattr(layer, "kernel_quantizer", None)
    return layer.kernel if quantizer is None else quantizer(keras.ops.convert_to_tensor(layer.kernel))


def quantized(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """The convolutions of a layer of ours, or it itself, that quantize their kernels."""
    convs = [layer] if hasattr(layer, "kernel_quantizer") else getattr(layer, "convolutions", [])
    return [conv for conv in convs if conv.kernel_quantizer is not None]


def float_kernels(quant: QuantConfig) -> QuantConfig:
    """The quantization of features alone."""
    return dataclasses.replace(quant, weights="FW", alpha=False, centered=False, bound=0.0, weight_gradients=0)


def _baked_grid(layer: QuantActivation) -> Callable[[Tensor], Tensor]:
    return _in_bytes(layer.settled())


def _in_bytes(quantizer: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    return InBytes.of(quantizer) if isinstance(quantizer, Linear) and quantizer.bits < BYTE else quantizer


def _plain(layer: keras.layers.Layer) -> bool:
    """Whether nothing stands behind a convolution that it does not have built in."""
    return not isinstance(layer, FOLDING) or is_fused(layer.activation)


def _hidden(layer: keras.layers.Layer) -> bool:
    """Whether a layer of somebody else's has quantized ones inside."""
    return any(isinstance(each, QuantActivation) or quantized(each) for each in inner_layers(layer))


def _along_channels(call: Call) -> bool:
    return call.layer.axis in (-1, len(call.shapes[0]))


def _is_affine(call: Call) -> bool:
    """Whether a call multiplies and shifts the channels of pictures."""
    if len(call.shapes[0]) != 3:
        return False
    norm = isinstance(call.layer, keras.layers.BatchNormalization)
    return _along_channels(call) if norm else isinstance(call.layer, keras.layers.Rescaling)


def _affine(layer: keras.layers.Layer, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Scale and offset ``[C]`` of such a call."""
    if isinstance(layer, keras.layers.BatchNormalization):
        return batch_norm(*_statistics(layer))
    return np.broadcast_to(layer.scale, channels), np.broadcast_to(layer.offset, channels)


def _is_doubling(layer: keras.layers.Layer) -> bool:
    """Whether a layer is what one operation can do, where Keras' own takes a chain of them."""
    return isinstance(layer, keras.layers.UpSampling2D) and (layer.size, layer.interpolation) == ((2, 2), "nearest")


def _statistics(norm: keras.layers.Layer) -> tuple[Tensor, ...]:
    """gamma, beta, moving mean and variance, float ``[C]``, and epsilon."""
    size = np.shape(norm.moving_mean)
    gamma = np.ones(size) if norm.gamma is None else norm.gamma
    beta = np.zeros(size) if norm.beta is None else norm.beta
    return gamma, beta, norm.moving_mean, norm.moving_variance, norm.epsilon
