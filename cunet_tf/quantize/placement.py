"""Where the quantizers of a network stand, and on which grid."""

from __future__ import annotations

from typing import Any

from cunet_tf.quantize.names import UNIFORM, QuantConfig
from cunet_tf.quantize.quantizers import Binary, Linear, Quantizer, Ternary, Uniform


def output_grid(quant: QuantConfig, conv_first: bool = False) -> Linear | None:
    """The grid of every tensor that enters a concatenation: one for the whole network.

    It stands once, at the producer: on the new features, ahead, skip, U-Net inputs and the
    stem's output, so that a concatenation is a copy. It is signed; where convolutions come first
    (``conv_first``) all of these are results of a ReLU, and it is not.
    """
    return _grid(quant, quant.unsigned if conv_first else quant.signed, signed=not conv_first)


def conv_quantizers(
    quant: QuantConfig, path: str, concatenated: bool = True, conv_first: bool = False
) -> dict[str, Any]:
    """Quantizers of the :class:`~cunet_tf.models.concat_conv.ConcatBNReLUConv` with this path, or of a
    :class:`~cunet_tf.models.concat_conv.ConcatConvBNReLU`, which reads what is on a grid already.

    Args:
        quant: what is quantized.
        path: of the layer, such as ``unet0_up1/ahead``.
        concatenated: others concatenate its output; else only one BN reads it (the
            bottleneck), folds into it, and needs no grid in between.
        conv_first: of the second kind.

    Returns:
        ``input_quantizer``, ``kernel_quantizer``, ``output_quantizer``; a convolution that stays
        in float keeps its output grid, for its readers' sake.
    """
    output = output_grid(quant, conv_first) if concatenated else None
    if not quant.covers(path):
        return {"output_quantizer": output}
    return {
        "input_quantizer": None if conv_first else _grid(quant, quant.unsigned, signed=False),
        "kernel_quantizer": _kernel(quant),
        "output_quantizer": output,
    }


def _grid(quant: QuantConfig, r: float, signed: bool) -> Linear | None:
    if quant.features is None:
        return None
    gradients = quant.gradients if quant.gradients != 32 else None
    return Linear(quant.features, r, signed, signed and quant.narrow, gradients, quant.nearest)


def _kernel(quant: QuantConfig) -> Quantizer | None:
    if quant.weights == "FW":
        return None
    bits = quant.weight_gradients or None
    if quant.weights in UNIFORM:
        bound = quant.bound if quant.features else 0.0  # float features have no range to stay in
        return Uniform(quant.weight_bits, quant.centered, bits, bound)
    kind = Binary if quant.weights == "BW" else Ternary
    return kind(quant.alpha, quant.centered, shift=True, gradient_bits=bits, bound=quant.bound)
