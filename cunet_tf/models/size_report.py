"""What a quantization saves: bits of each layer, bytes, memory and operations.

Counted from the configurations alone, as in :mod:`cunet_tf.models.counts`; nothing here is
measured. Ratios called ideal are the paper's (bits / 32); ``honest_size_ratio`` also counts
what stays in float32.
"""

import math
from typing import Any

from cunet_tf.config import NetworkConfig
from cunet_tf.errors import CUNetError
from cunet_tf.models.counts import ConvCount, count, list_convs
from cunet_tf.quantize.names import QuantConfig

FLOAT_BITS = 32
WORD = 64  # binary operations of one instruction, XNOR-Net's L
TERNARY_IN_BYTE = 5  # 3^5 = 243 fits in a byte: 1.6 bits for each value


def report(config: NetworkConfig, quant: QuantConfig) -> dict[str, Any]:
    """Bits for each convolution, and what follows from them.

    Returns:
        ``quant``: the name. ``layers``: one row for each convolution, in the order in which
        they run, with ``layer`` (path), ``bits`` of a weight, ``feature_bits`` of an input,
        ``weights``, ``filters`` and ``operation_ratio`` (theoretical, see
        :func:`operation_ratio`). ``ideal_bytes``, ``packed_bytes``, ``float32_bytes``: see the
        functions of these names and :func:`~cunet_tf.models.counts.count`.
        ``training_memory_ratio`` and ``model_size_ratio``: the paper's ideal TM and MS
        (Table 8), bits / 32. ``honest_size_ratio``: ideal_bytes / float32_bytes.

    Raises:
        CUNetError: the network cannot be quantized.

    Example:
        >>> report(cu.CUNetConfig(), cu.QuantConfig.parse("BW-a"))["model_size_ratio"]
        0.03125
    """
    quant.require(config)
    convs = list_convs(config)
    ideal, full = ideal_bytes(convs, quant), count(config)["float32_bytes"]
    return {
        "quant": str(quant),
        "layers": [_layer(conv, quant) for conv in convs],
        "ideal_bytes": ideal,
        "packed_bytes": packed_bytes(convs, quant),
        "float32_bytes": full,
        "training_memory_ratio": (quant.features or FLOAT_BITS) / FLOAT_BITS,
        "model_size_ratio": quant.weight_bits / FLOAT_BITS,
        "honest_size_ratio": ideal / full,
    }


def _layer(conv: ConvCount, quant: QuantConfig) -> dict[str, Any]:
    bits = _weight_bits(conv, quant)
    features = quant.features if quant.features and quant.covers(conv.layer) else FLOAT_BITS
    return {
        "layer": conv.layer,
        "bits": bits,
        "feature_bits": features,
        "weights": conv.weights,
        "filters": conv.outputs,
        "operation_ratio": operation_ratio(conv, bits, features),
    }


def ideal_bytes(convs: list[ConvCount], quant: QuantConfig) -> int:
    """Bytes of the model with every kernel at its bits and all else in float32.

    All else: one alpha (with ``-a``) or step (k-bit kernels) for each quantized filter, four vectors for each batch
    normalisation (gamma, beta, moving mean and variance), kernels that stay in float. Each
    kernel is rounded up to whole bytes.
    """
    total = 0
    for conv in convs:
        bits = _weight_bits(conv, quant)
        alphas = conv.outputs if quant.has_steps and bits < FLOAT_BITS else 0
        total += math.ceil(conv.weights * bits / 8) + 4 * alphas + 4 * 4 * conv.normalized * conv.passes
    return total


def packed_bytes(convs: list[ConvCount], quant: QuantConfig) -> int:
    """Estimated bytes of a packed file for deployment, without header or padding.

    Assumed: binary kernels 8 values in a byte, ternary ones (2 bits) 5 (base 3), others at their bits, without the
    entropy coding of the real file; float16 alphas and steps (binary and ternary kernels without ``-a`` have their
    scale from their shape); each batch normalisation folded into two float16 vectors, scale and offset; kernels that
    stay in float as int8, with one float32 scale for each filter.
    """
    total = 0
    for conv in convs:
        bits = _weight_bits(conv, quant)
        if bits == FLOAT_BITS:
            total += conv.weights + 4 * conv.outputs
        else:
            kernel = math.ceil(conv.weights / TERNARY_IN_BYTE if bits == 2 else conv.weights * bits / 8)
            total += kernel + (2 * conv.outputs if quant.has_steps else 0)
        total += 2 * 2 * conv.normalized * conv.passes
    return total


def operation_ratio(conv: ConvCount, weight_bits: int, feature_bits: int) -> float:
    r"""Theoretical speed-up over float32 by counting operations, as XNOR-Net does. Not a time.

    .. math:: \frac{64\,c N_W}{f w\,c N_W + 64}, \quad c N_W = kh \cdot kw \cdot cin

    One instruction does 64 binary operations; w-bit weights and f-bit features need w times f
    passes over them (bit-serial; f = w = 1 is XNOR-Net's own formula), and each output is
    scaled once. With float features, 1 or 2 bit weights only save the multiplications: 2; more bits
    save nothing: 1.
    Float weights: 1.

    Example:
        >>> round(operation_ratio(ConvCount("", "", 3, 256, 256, 14, 256), 1, 1), 2)
        62.27
    """
    if weight_bits == FLOAT_BITS or (feature_bits == FLOAT_BITS and weight_bits > 2):
        return 1.0
    if feature_bits == FLOAT_BITS:
        return 2.0
    products = conv.kernel**2 * conv.inputs
    return WORD * products / (feature_bits * weight_bits * products + WORD)


def balance_index(error: float, training_memory: float, model_size: float) -> float:
    r"""Balance of accuracy and cost (paper, eq. 8); less is better.

    .. math:: BI = E^2 \cdot TM \cdot MS

    Args:
        error: E in percent: NME, or 100 - PCKh.
        training_memory: TM, ratio to the float model.
        model_size: MS, ratio to the float model.

    Raises:
        CUNetError: the error is negative or no number.

    Example:
        >>> round(balance_index(4.30, 0.25, 0.03), 2)
        0.14
    """
    if not math.isfinite(error) or error < 0:
        raise CUNetError(f"error of {error} percent: give the NME, or 100 - PCKh, in percent, 0 or more.")
    return error**2 * training_memory * model_size


def _weight_bits(conv: ConvCount, quant: QuantConfig) -> int:
    return quant.weight_bits if quant.covers(conv.layer) else FLOAT_BITS
