"""Bits, bytes and operations of any Keras model, layer by layer."""

import math
from collections.abc import Iterator
from typing import Any

import keras

from cunet_tf.aliases import Shape
from cunet_tf.compat import inner_layers
from cunet_tf.errors import CUNetError
from cunet_tf.models.calls import COPIES, Call, calls_of
from cunet_tf.models.convolution import ConvBNReLU, NormalizedConv
from cunet_tf.models.layers import SemanticBlock, Upsample2x
from cunet_tf.models.quant_layers import QuantActivation
from cunet_tf.models.residual import Residual
from cunet_tf.models.size_report import FLOAT_BITS
from cunet_tf.quantize.quantizers import Uniform
from cunet_tf.rows import table

ONE_GRID = (SemanticBlock, Residual)  # all of whose convolutions have outputs of the same height and width
KEEPING = (
    *COPIES, keras.layers.UpSampling2D, keras.layers.ZeroPadding2D, keras.layers.Concatenate, Upsample2x,
)  # fmt: skip
TOTALS = ("parameters", "float32_bytes", "ideal_bytes", "macs")
_LAYERS = keras.layers


def summary(model: keras.Model, show: bool = True) -> list[dict[str, Any]]:
    """Print bits, bytes and operations of each layer, and their sums.

    Args:
        model: any Keras model. Of a subclassed one nobody knows shapes and order: its operations are not counted.
        show: print the table; else only return its rows.

    Returns:
        A row for each layer that computes with variables or rounds: ``layer`` (path), ``kind`` (class), ``output``
        (shape without the number of pictures), ``bits`` of a kernel value, ``input_bits`` of what it multiplies,
        ``output_bits``; ``parameters``, moving statistics among them; ``float32_bytes``; ``ideal_bytes``: the kernel at
        its bits, all else in float32; ``macs``: multiply-accumulates for one picture. What a layer does not have, or
        nobody knows, is ``None``. The sums are those of ``cunet info``.

    Example:
        >>> model = keras.Sequential([keras.Input((4, 4, 3)), cu.QuantConv2D(8, 3, padding="same", use_bias=False)])
        >>> [(row["bits"], row["ideal_bytes"], row["macs"]) for row in summary(model, show=False)]
        [(1, 59, 3456)]
    """
    try:
        rows = _rows(calls_of(model).calls)
    except CUNetError:
        rows = [
            _row(each, each.path) for each in inner_layers(model) if _counts(each) and not isinstance(each, keras.Model)
        ]
    if show:
        print(_text(rows))
    return rows


def totals(rows: list[dict[str, Any]]) -> dict[str, int | None]:
    """Sums of the rows of :func:`summary`; ``None`` where a part is not known."""
    columns = {name: [row[name] for row in rows] for name in TOTALS}
    return {name: None if None in column else sum(column) for name, column in columns.items()}


def _rows(calls: list[Call]) -> list[dict[str, Any]]:
    bits: dict[int, int] = {}
    rows: dict[int, dict[str, Any]] = {}
    for call in calls:
        given = max((bits.get(index, FLOAT_BITS) for index in call.inputs), default=FLOAT_BITS)
        for layer, path in _parts(call):
            macs = _macs(layer, call)
            if id(layer) in rows:
                known = rows[id(layer)]["macs"]
                rows[id(layer)]["macs"] = None if None in (known, macs) else known + macs
                continue
            kernel, shape = getattr(layer, "kernel", None), call.shapes[0]
            if kernel is not None and layer is not call.layer:
                shape = (*shape[:-1], kernel.shape[-1])
            rows[id(layer)] = _row(layer, path, given, macs, shape)
        bits |= dict.fromkeys(call.outputs, _output_bits(call, given))
    return list(rows.values())


def _parts(call: Call) -> Iterator[tuple[keras.layers.Layer, str]]:
    """The layers inside a layer that hold its variables, or it itself, each with its path."""
    if not isinstance(call.layer, keras.layers.Layer):
        return
    prefix = call.path.removesuffix(call.layer.name)
    for layer in [*inner_layers(call.layer), call.layer]:
        if _counts(layer):
            yield layer, call.path if layer is call.layer else prefix + layer.path


def _counts(layer: keras.layers.Layer) -> bool:
    """Whether a layer has variables of its own, or rounds."""
    return bool(_own_weights(layer)) or isinstance(layer, QuantActivation)


def _own_weights(layer: keras.layers.Layer) -> list[keras.Variable]:
    """Those that no layer inside holds."""
    inside = {id(weight) for each in inner_layers(layer) for weight in each.weights}
    return [weight for weight in layer.weights if id(weight) not in inside]


def _row(
    layer: keras.layers.Layer, path: str, given: int | None = None, macs: int | None = None, shape: Shape | None = None
) -> dict[str, Any]:
    quantizer = getattr(layer, "kernel_quantizer", None)
    kernel = getattr(layer, "kernel", None)
    size = 0 if kernel is None else math.prod(kernel.shape)
    bits = None if kernel is None else getattr(quantizer, "bits", FLOAT_BITS)
    parameters = sum(math.prod(weight.shape) for weight in _own_weights(layer))
    scaled = getattr(quantizer, "alpha", False) or isinstance(quantizer, Uniform)
    steps = 0 if kernel is None or not scaled else kernel.shape[-1]
    inputs = getattr(
        getattr(layer, "input_quantizer", None), "bits", FLOAT_BITS if isinstance(layer, NormalizedConv) else given
    )
    outputs = getattr(getattr(layer, "output_quantizer", getattr(layer, "quantizer", None)), "bits", FLOAT_BITS)
    return {
        "layer": path, "kind": type(layer).__name__, "output": shape, "bits": bits, "input_bits": inputs,
        "output_bits": outputs, "parameters": parameters, "float32_bytes": 4 * parameters,
        "ideal_bytes": math.ceil(size * (bits or 0) / 8) + 4 * steps + 4 * (parameters - size), "macs": macs,
    }  # fmt: skip


def _output_bits(call: Call, given: int) -> int:
    """Bits of a layer's results."""
    layer = call.layer.ahead if isinstance(call.layer, SemanticBlock) else call.layer  # its results share a grid
    quantizer = getattr(layer, "quantizer" if isinstance(layer, QuantActivation) else "output_quantizer", None)
    return getattr(quantizer, "bits", given if isinstance(layer, KEEPING) else FLOAT_BITS)


def _macs(layer: keras.layers.Layer, call: Call) -> int | None:
    """Multiply-accumulates of one call; ``None`` where the layer's own output is not known."""
    if layer is not call.layer and not isinstance(call.layer, ONE_GRID):
        return None if hasattr(layer, "kernel") else 0
    shape, taken = call.shapes[0], call.taken[0] if call.taken else ()
    if isinstance(layer, (_LAYERS.SeparableConv1D, _LAYERS.SeparableConv2D)):
        kernels = [layer.depthwise_kernel, layer.pointwise_kernel]
    elif getattr(layer, "kernel", None) is None:
        return 0
    else:
        kernels = [layer.kernel]
    if isinstance(layer, (_LAYERS.Conv1DTranspose, _LAYERS.Conv2DTranspose, _LAYERS.Conv3DTranspose)):
        shape = taken
    positions = shape[:-1]
    if None in positions:
        return None
    pooled = 4 if isinstance(layer, ConvBNReLU) and layer.pool else 1
    return sum(math.prod(kernel.shape) for kernel in kernels) * math.prod(positions) * pooled


def _text(rows: list[dict[str, Any]]) -> str:
    columns = ("layer", "kind", "output", "bits", "input_bits", "output_bits", *TOTALS)
    lines = [tuple(name.replace("_", " ") for name in columns)]
    lines += [tuple(_cell(row[name]) for name in columns) for row in rows]
    sums = totals(rows)
    lines.append(("total", "", "", "", "", "", *(_cell(sums[name]) for name in TOTALS)))
    return table(lines)


def _cell(value: object) -> str:
    if isinstance(value, tuple):
        return " x ".join(map(str, value))
    return "-" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
