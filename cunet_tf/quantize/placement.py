"""Where the quantizers of a network stand, and on which grid."""

from __future__ import annotations

from typing import Any

from cunet_tf.quantize.names import UNIFORM, QuantConfig
from cunet_tf.quantize.quantizers import Binary, Linear, Ternary, Uniform


def output_grid(quant: QuantConfig) -> Linear | None:
    """The signed grid of every tensor that enters a concatenation: one for the whole network.

    It stands once, at the producer: on the new features, ahead, skip, U-Net inputs and the
    stem's output, so that a concatenation is a copy.
    """
    return _grid(quant, quant.signed, signed=True)


def conv_quantizers(quant: QuantConfig, path: str, concatenated: bool = True) -> dict[str, Any]:
    """Quantizers of the :class:`~cunet_tf.models.layers.ConcatBNReLUConv` with this path.

    Args:
        quant: what is quantized.
        path: of the layer, such as ``unet0_up1/ahead``.
        concatenated: others concatenate its output; else only one BN reads it (the
            bottleneck), folds into it, and needs no grid in between.

    Returns:
        ``input_quantizer``, ``kernel_quantizer``, ``output_quantizer``; a convolution that stays
        in float keeps its output grid, for its readers' sake.
    """
    output = output_grid(quant) if concatenated else None
    if not quant.covers(path):
        return {"output_quantizer": output}
    return {
        "input_quantizer": _grid(quant, quant.unsigned, signed=False),
        "kernel_quantizer": _kernel(quant),
        "output_quantizer": output,
    }


def _grid(quant: QuantConfig, r: float, signed: bool) -> Linear | None:
    if quant.features is None:
        return None
    gradients = quant.gradients if quant.gradients != 32 else None
    return Linear(quant.features, r, signed, signed and quant.narrow, gradients, quant.nearest)


def _kernel(quant: QuantConfig) -> Any:
    if quant.weights == "FW":
        return None
    bits = quant.weight_gradients or None
    if quant.weights in UNIFORM:
        bound = quant.bound if quant.features else 0.0  # float features have no range to stay in
        return Uniform(quant.weight_bits, quant.centered, bits, bound)
    kind = Binary if quant.weights == "BW" else Ternary
    return kind(quant.alpha, quant.centered, shift=True, gradient_bits=bits, bound=quant.bound)
