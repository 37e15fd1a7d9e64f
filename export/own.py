"""The deploy twin of a model of one's own: every tensor that integer hardware computes on a grid."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from cunet_tf.aliases import Tensor
from cunet_tf.backend import tensorflow
from cunet_tf.errors import CUNetError
from cunet_tf.export.bake import bake_with_steps, rebuild
from cunet_tf.export.bake_layers import copied, is_fused
from cunet_tf.export.deploy import Deployed
from cunet_tf.export.grid_tensors import GridTensor, GridTensors
from cunet_tf.export.grids import HIGH, SMALLEST, WEIGHT_LIMIT, Grid
from cunet_tf.models.calls import COPIES, Call, Calls, calls_of, ends_of
from cunet_tf.models.layers import Upsample2x
from cunet_tf.models.quant_layers import QuantActivation
from cunet_tf.quantize.in_bytes import STEPS, InBytes
from cunet_tf.quantize.quantizers import Linear

_LAYERS = keras.layers
# What keeps a grid without keeping order and values.
SAME_GRID = (_LAYERS.ZeroPadding2D, _LAYERS.UpSampling2D, _LAYERS.AveragePooling2D, Upsample2x)
ENDS_OF_THEIR_OWN = ("softmax", "sigmoid", "tanh")  # the format fixes the grids of their results
JOINED = (_LAYERS.Conv2D, _LAYERS.DepthwiseConv2D, _LAYERS.Dense, _LAYERS.Add)  # have a ReLU built in


def deploy_own(model: keras.Model) -> Deployed:
    """The twin of a Sequential or functional model with one input, as int8 hardware computes it.

    It is :func:`~cunet_tf.export.bake.bake`'s twin; features lie on the grids of training, where a ``QuantActivation``
    gives one. All other tensors have no grid until :meth:`Deployed.calibrate`.

    Raises:
        CUNetError: several inputs, features of more than 8 bits, or what :func:`~cunet_tf.export.bake.bake` refuses.
    """
    if len(model.inputs) != 1:
        raise CUNetError(f"the model {model.name!r} has {len(model.inputs)} inputs: export takes models of one.")
    baked, steps = bake_with_steps(model)
    placer = _Placer(calls_of(baked), steps)
    image = keras.Input(baked.inputs[0].shape[1:], name=baked.inputs[0].name)
    outputs = rebuild(placer.calls, [placer.on_grid(placer.calls.inputs[0], image)], placer.run)
    return Deployed(
        keras.Model([image], outputs if len(outputs) > 1 else outputs[0]), placer.tensors, None, ends_of(model)
    )


@dataclass(frozen=True)
class Span:
    """Multiples of ``step`` from ``low`` to ``high``."""

    step: float
    low: float
    high: float

    @classmethod
    def of(cls, quantizer: Linear | InBytes) -> "Span":
        """That of a quantizer."""
        plain = Linear(quantizer.bits, quantizer.r, quantizer.signed, quantizer.narrow)
        return cls(plain.step, *plain.limits)

    @classmethod
    def around(cls, parts: "list[Span]") -> "Span | None":
        """The smallest one that holds all of several, ``None`` where a byte cannot hold it."""
        step, low, high = min(part.step for part in parts), min(p.low for p in parts), max(p.high for p in parts)
        return cls(step, low, high) if high - low <= STEPS * step else None

    @property
    def grid(self) -> Grid:
        """The int8 grid whose highest value is the span's."""
        return Grid(self.step, HIGH - round(self.high / self.step))


class OnGrid(keras.layers.Layer):
    """Rounds a tensor to a grid that is not known yet."""

    def __init__(self, grid_tensor: GridTensor, **kwargs: object):
        super().__init__(trainable=False, **kwargs)
        self.grid_tensor = grid_tensor

    def call(self, x: Tensor) -> Tensor:
        """The tensor on its grid."""
        return self.grid_tensor(x)


class SteppedConv2D(keras.layers.Conv2D):
    """A convolution whose kernel is marked by its steps ``[C]``, so that the converter stores its whole multiples."""

    steps: np.ndarray

    def convolution_op(self, inputs: Tensor, kernel: Tensor) -> Tensor:
        """Keras' own step, on the marked kernel."""
        peak = np.maximum(self.steps * WEIGHT_LIMIT, SMALLEST).astype(np.float32)
        mark = tensorflow().quantization.fake_quant_with_min_max_vars_per_channel
        return super().convolution_op(inputs, mark(kernel, -peak, peak, narrow_range=True))


class _Placer:
    """Copies the baked model's layers, with grids where they are needed."""

    def __init__(self, calls: Calls, steps: dict[str, np.ndarray]):
        self.calls, self.steps, self.tensors = calls, steps, GridTensors(shared=False, whole=True)
        self.made: dict[int, Any] = {}
        self.early: dict[int, Call] = {}  # tensor -> the grid behind it that is applied at once
        for tensor in [*calls.inputs, *(each for call in calls.calls for each in call.outputs)]:
            found = self._grid_behind(tensor)
            if found is not None:
                self.early[tensor] = found
        self.moved = {id(call) for tensor, call in self.early.items() if tensor not in call.inputs}

    def run(self, call: Call, values: dict[int, Any]) -> None:
        """Call the copy of a layer; its result lands on a grid."""
        if id(call) in self.moved:
            values[call.outputs[0]] = values[call.inputs[0]]
            return
        layer = call.layer
        if isinstance(layer, keras.layers.Layer):
            first = id(layer) not in self.made
            if first:
                self.made[id(layer)] = self._copied(layer)
            twin = self.made[id(layer)]
            call.run(twin, values)
            if first:
                twin.set_weights(layer.get_weights())
        else:
            call.run(layer, values)
        for tensor in call.outputs:
            values[tensor] = self.on_grid(tensor, values[tensor], call)

    def _copied(self, layer: keras.layers.Layer) -> keras.layers.Layer:
        if layer.name not in self.steps:
            return copied(layer)
        twin = SteppedConv2D.from_config(layer.get_config())
        twin.steps = self.steps[layer.name]
        return twin

    def on_grid(self, tensor: int, value: Tensor, maker: Call | None = None) -> Tensor:
        """The value on its grid: the one of a quantizer behind it, one to be measured, or none."""
        early = self.early.get(tensor)
        if early is not None:
            return QuantActivation(early.layer.quantizer)(value) if id(early) in self.moved else value
        if not self._needs_grid(tensor, maker):
            return value
        joined = self._span(tensor) if maker is not None and isinstance(maker.layer, _LAYERS.Concatenate) else None
        name = maker.path if maker else "input"
        grid = joined.grid if joined else None
        return OnGrid(self.tensors.get(name, None) if grid is None else self.tensors.fixed(name, grid))(value)

    def _span(self, tensor: int) -> "Span | None":
        """The values that a tensor on trained grids can have."""
        maker = self.calls.maker(tensor)
        grid = self.early.get(tensor) if maker is None or _kind(maker) != "grid" else maker
        if grid is not None and (grid is maker or id(grid) in self.moved):
            return Span.of(grid.layer.quantizer)
        if maker is None or not (_kind(maker) in ("copy", "same grid") or isinstance(maker.layer, _LAYERS.Concatenate)):
            return None
        parts = [self._span(index) for index in maker.inputs]
        return Span.around([part for part in parts if part]) if all(parts) else None

    def _needs_grid(self, tensor: int, maker: Call | None) -> bool:
        kind = _kind(maker) if maker else "input"
        if kind in ("grid", "copy", "same grid", "end"):
            return False
        if maker is not None and isinstance(maker.layer, _LAYERS.Concatenate):
            parts = [self._span(index) for index in maker.inputs]
            if None not in parts and len(set(parts)) == 1:
                return False  # a copy
        readers = self.calls.readers(tensor)
        joins = len(readers) == 1 and tensor not in self.calls.outputs and _kind(readers[0]) == "relu"
        if joins and maker is not None and isinstance(maker.layer, JOINED):
            return getattr(maker.layer, "activation", keras.activations.linear) is not keras.activations.linear
        return True

    def _grid_behind(self, tensor: int) -> Call | None:
        """The trained grid that the only reader of a tensor is, or that lies behind layers which could follow it."""
        relu, first = False, tensor
        maker = self.calls.maker(tensor)
        if maker is not None and _kind(maker) in ("grid", "copy", "same grid", "end"):
            return None
        while True:
            readers = self.calls.readers(tensor)
            if len(readers) != 1 or tensor in self.calls.outputs or len(readers[0].outputs) != 1:
                return None
            kind = _kind(readers[0])
            if kind == "grid":
                return None if relu and readers[0].layer.quantizer.signed else readers[0]
            if kind == "relu" and tensor == first and maker is not None and isinstance(maker.layer, JOINED):
                return None  # built in: the result of the ReLU is looked at by itself
            if kind not in ("copy", "relu"):
                return None
            relu = relu or kind == "relu"
            tensor = readers[0].outputs[0]


def _kind(call: Call) -> str:
    """What a call does to grids: ``grid``, ``copy``, ``same grid``, ``relu``, ``end``, or ``values`` of its own."""
    layer = call.layer
    if isinstance(layer, QuantActivation):
        return _require_bytes(call)
    if isinstance(layer, COPIES):
        return "copy"
    if isinstance(layer, SAME_GRID):
        return "same grid"
    activation = layer.activation if isinstance(layer, keras.layers.Activation) else None
    if isinstance(layer, keras.layers.Softmax) or getattr(activation, "__name__", "") in ENDS_OF_THEIR_OWN:
        return "end"
    plain = isinstance(layer, keras.layers.ReLU) and layer.max_value in (None, 6) and not (
        layer.negative_slope or layer.threshold
    )  # fmt: skip
    if activation is keras.activations.linear:
        return "copy"
    return "relu" if plain or (activation is not None and is_fused(activation)) else "values"


def _require_bytes(call: Call) -> str:
    """A grid that int8 can have.

    Raises:
        CUNetError: more than 8 bits, or a quantizer of another kind.
    """
    quantizer = call.layer.quantizer
    if not isinstance(quantizer, (Linear, InBytes)) or quantizer.bits > 8:
        raise CUNetError(
            f"layer {call.path}: {quantizer!r} does not fit into 8 bits: use another format, or fewer bits."
        )
    return "grid"
