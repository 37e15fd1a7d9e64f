"""Parameters and multiply-accumulates of a network, counted from its configuration alone.

The paper's "# parameters" are convolution weights, all heads counted; batch normalisation
adds two trainable and two moving values for each normalised channel.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

from cunet_tf.config import CUNetConfig, NetworkConfig
from cunet_tf.config_baselines import DenseUNetConfig, HourglassConfig
from cunet_tf.models.conv_count import DENSE_CONVS, ConvCount
from cunet_tf.models.counts_baselines import dense_unet_convs, hourglass_convs


def list_convs(config: NetworkConfig) -> list[ConvCount]:
    """Every convolution of a network, in the order in which they run."""
    return _CONVS[type(config)](config)


def cunet_convs(config: CUNetConfig) -> list[ConvCount]:
    """Every convolution of a CU-Net, in the order in which they run."""
    m = config.main_channels
    stem = ConvCount("stem", "stem", 7, 3, m, config.input_size // 2, m)
    unets = [dataclasses.replace(conv, passes=config.passes) for conv in _unets(config)]
    return [stem, *unets, *(_refinement(config) if config.refinement else [])]


def _normalized(config: CUNetConfig, inputs: int, outputs: int) -> int:
    """Channels of the normalisation in front of a convolution, or behind it."""
    return outputs if config.conv_first else inputs


def _refinement(config: CUNetConfig) -> list[ConvCount]:
    """The dense aggregation block between two passes (section 3.4)."""
    m, g, side = config.main_channels, config.refinement, config.heatmap_size
    widths = [2 * m + index * g for index in range(DENSE_CONVS + 1)]
    shapes = [(f"refine{i}", 3, widths[i], g) for i in range(DENSE_CONVS)] + [("refine_input", 1, widths[-1], m)]
    return [
        ConvCount(name, "refinement", kernel, inputs, outputs, side, _normalized(config, inputs, outputs))
        for name, kernel, inputs, outputs in shapes
    ]


def _unets(config: CUNetConfig) -> list[ConvCount]:
    m = config.main_channels
    side = config.heatmap_size
    convs = []
    for index in range(config.stacks):
        if index > 0:
            channels = (1 + config.coupled(index)) * m
            normalized = _normalized(config, channels, m)
            convs.append(ConvCount(f"unet{index}_input", "input adapter", 1, channels, m, side, normalized))
        for level in range(config.levels):
            convs += _block(config, index, f"down{level}", "down", side // 2**level)
        convs += _block(config, index, "neck", "neck", side // 2**config.levels)
        for level in reversed(range(config.levels)):
            convs += _block(config, index, f"up{level}", "up", side // 2**level)
        if index in config.supervised:
            normalized = 0 if config.conv_first else m
            convs.append(ConvCount(config.head_name(index), "heads", 1, m, config.landmarks, side, normalized))
    return convs


def _block(config: CUNetConfig, index: int, position: str, part: str, side: int) -> list[ConvCount]:
    """The convolutions of one semantic block."""
    m, n = config.main_channels, config.growth
    z = (2 * m if part == "up" else m) + config.coupled(index) * n

    def conv(name: str, label: str, kernel: int, inputs: int, outputs: int) -> ConvCount:
        path = f"unet{index}_{position}/{name}"
        normalized = _normalized(config, inputs, outputs)
        return ConvCount(path, f"{part} {label}", kernel, inputs, outputs, side, normalized)

    convs = [
        conv("bottleneck", "1x1", 1, z, 4 * n),
        conv("features", "3x3", 3, 4 * n, n),
        conv("ahead", "ahead", 1, z + n, m),
    ]
    return [*convs, conv("skip", "skip", 1, z + n, m)] if part == "down" else convs


_CONVS: dict[type[NetworkConfig], Callable[[Any], list[ConvCount]]] = {
    CUNetConfig: cunet_convs,
    DenseUNetConfig: dense_unet_convs,
    HourglassConfig: hourglass_convs,
}


def count(config: NetworkConfig) -> dict[str, Any]:
    """Totals and breakdown.

    Returns:
        ``conv_parameters`` (as the paper counts), ``trainable_parameters``,
        ``total_parameters`` (with moving statistics), ``float32_bytes`` (4 x total),
        ``macs`` for one picture, heads run, and ``parts``: part -> parameters and MACs.
    """
    convs = list_convs(config)
    weights = sum(conv.weights for conv in convs)
    normalized = sum(conv.normalized * conv.passes for conv in convs)
    parts: dict[str, dict[str, int]] = {}
    for conv in convs:
        row = parts.setdefault(conv.part, {"conv_parameters": 0, "macs": 0})
        row["conv_parameters"] += conv.weights
        row["macs"] += conv.macs
    return {
        "conv_parameters": weights,
        "trainable_parameters": weights + 2 * normalized,
        "total_parameters": weights + 4 * normalized,
        "float32_bytes": 4 * (weights + 4 * normalized),
        "macs": sum(conv.macs for conv in convs),
        "heatmap_size": config.heatmap_size,
        "parts": parts,
    }
