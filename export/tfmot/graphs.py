"""The small graphs that our quantizers and tfmot both compute: conv 3x3 - BN - ReLU, 16 to 8 channels.

NumPy only, so that both processes of :mod:`cunet_tf.export.tfmot.reference` can use it.
Input: 8 bits, signed, r = 1. Output: 8 bits, unsigned, r = 4.
"""

from dataclasses import dataclass

import numpy as np

from cunet_tf.config import CUNetConfig
from cunet_tf.errors import CUNetError

INPUT_STEP, OUTPUT_STEP = 1.0 / 128.0, 4.0 / 256.0
INPUT_LIMITS = (-1.0, 127.0 / 128.0)
OUTPUT_LIMITS = (0.0, 255.0 * OUTPUT_STEP)
EPSILON = 1e-5  # of the batch normalisation
NAMES = ("int8", "binary-a", "binary-shift")
SHIFT = 2.0**-5  # scale of the kernel in binary-shift
NETWORK = CUNetConfig(stacks=2, main_channels=8, growth=4, input_size=64, levels=1)  # for pruning
CHANNELS, FILTERS, SIDE, PICTURES = 16, 8, 16, 64


@dataclass(frozen=True)
class Graph:
    """A convolution without bias, its batch normalisation, and how its kernel is quantized.

    Attributes:
        name: ``"int8"`` (8 bits, a scale per filter), ``"binary-a"`` (alpha * sign) or
            ``"binary-shift"`` (sign times a power of two, with a BN that changes nothing,
            so that results lie exactly between two steps of the output again and again).
        kernel: float32 ``[3, 3, 16, 8]``, some of it exactly 0.
        gamma, beta, mean, variance: float32 ``[8]``.
    """

    name: str
    kernel: np.ndarray
    gamma: np.ndarray
    beta: np.ndarray
    mean: np.ndarray
    variance: np.ndarray

    @property
    def factor(self) -> np.ndarray:
        """Factor per filter of the batch normalisation, folded into the kernel."""
        return (self.gamma / np.sqrt(self.variance + np.float32(EPSILON))).astype(np.float32)

    @property
    def bias(self) -> np.ndarray:
        """Bias per filter of the folded batch normalisation."""
        return self.beta - self.mean * self.factor


def make_graph(name: str) -> Graph:
    """A graph of :data:`NAMES` with its fixed weights.

    Raises:
        CUNetError: unknown name.
    """
    if name not in NAMES:
        raise CUNetError(f"graph {name!r}: use one of {', '.join(NAMES)}.")
    rng = np.random.default_rng(NAMES.index(name))
    kernel = rng.uniform(-0.3, 0.3, (3, 3, CHANNELS, FILTERS))
    kernel[0, 0, :4] = 0.0
    ranges = {"gamma": (0.5, 1.5), "beta": (-0.5, 0.5), "mean": (-0.5, 0.5), "variance": (1.0, 3.0)}
    norm = {key: rng.uniform(*limits, FILTERS) for key, limits in ranges.items()}
    if name == "binary-shift":
        norm = {"gamma": np.ones(FILTERS), "beta": np.zeros(FILTERS), "mean": np.zeros(FILTERS),
                "variance": np.full(FILTERS, 1.0 - EPSILON)}  # fmt: skip
    return Graph(name, kernel.astype(np.float32), **{key: value.astype(np.float32) for key, value in norm.items()})


def pictures() -> np.ndarray:
    """Inputs int8 ``[64, 16, 16, 16]``, in steps of the input's grid."""
    shape = (PICTURES, SIDE, SIDE, CHANNELS)
    return np.random.default_rng(100).integers(-128, 128, shape).astype(np.int8)


def input_values() -> np.ndarray:
    """Numbers for the input's quantizer, float32 ``[4096]``: random ones within +-1.5, and every half step."""
    spread = np.random.default_rng(101).uniform(-1.5, 1.5, 3583)
    return np.concatenate([spread, (np.arange(-256.0, 257.0) + 0.5) * INPUT_STEP]).astype(np.float32)


def integer_result(graph: Graph, kernel: np.ndarray) -> np.ndarray:
    """The int8 arithmetic of the phone's runtime: integers, and one rounding in float32.

    Args:
        graph: gives the folded batch normalisation.
        kernel: quantized kernel, before folding; +-127 steps per filter reach its largest value.

    Returns:
        Integers ``[64, 16, 16, 8]``, 0..255: steps of the output's grid.
    """
    step = np.abs(kernel).max(axis=(0, 1, 2)) / np.float32(127.0)
    whole = np.rint(kernel / step)
    unit = np.float64(INPUT_STEP) * step * graph.factor  # of the accumulator
    sums = convolve(pictures(), whole) + np.rint(graph.bias / unit)
    scaled = sums.astype(np.float32) * (unit / OUTPUT_STEP).astype(np.float32)
    return np.clip(np.rint(scaled), 0, 255).astype(np.int32)


def convolve(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Exact sums of a 3x3 convolution with zero padding: ``[B, H, W, C] -> [B, H, W, filters]``, float64."""
    padded = np.pad(x.astype(np.float64), ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return np.tensordot(windows, kernel.astype(np.float64), axes=([4, 5, 3], [0, 1, 2]))
