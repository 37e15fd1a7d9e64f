"""Normalisations of a calibrated float network as MAXIMUM, which integer hardware computes sooner than a convolution.

With s above 0, ``ReLU(s x + o) = s (max(x, t) - t)``, t = -o / s. A 1x1 convolution that reads it takes s into its
kernel and t into its bias; what is left is a MAXIMUM. That needs all channels of a concatenation on one grid: each is
shifted and stretched to the grid's own range by the convolution that writes it, which is exact, and undone in s and o.
Filters of a kernel then hold weights that differ by s and the stretch, and lose a little of their int8 precision.
"""

from typing import Any

import numpy as np

from cunet_tf.errors import CUNetError
from cunet_tf.export.fold import Kernel
from cunet_tf.export.grid_tensors import GridTensor, GridTensors
from cunet_tf.export.grids import HIGH, LOW, SMALLEST, WEIGHT_LIMIT, Grid, half
from cunet_tf.models.concat_conv import joined

COMMON = Grid(2.0**-7)  # of all joined tensors; their channels are stretched to -1..127/128
FIRST, LAST = COMMON.limits
TINY = 1e-9  # a slope that is none


class MaximumNorm:
    """``grid(max(x, t))`` of joined tensors, in the place of a normalisation and ReLU.

    Until :meth:`settle` it is those, in float.

    Args:
        scale, offset: float ``[C]``, of all joined channels.
        grid_tensor: where the result lands.
        kernel: float ``[1, 1, C, F]`` of the convolution that reads it.
        conv: that convolution, a :class:`~cunet_tf.export.deploy_layers.TwinConv`.

    Raises:
        CUNetError: a kernel of 3x3, whose padding with zeros is none behind a MAXIMUM.
    """

    def __init__(self, scale: Any, offset: Any, grid_tensor: GridTensor, kernel: np.ndarray, conv: Any):
        if kernel.shape[:2] != (1, 1):
            raise CUNetError(
                f"--norms=maximum: {grid_tensor.name} enters a convolution of {kernel.shape[0]}x{kernel.shape[1]}, "
                "which pads it with zeros: take --norms=depthwise."
            )
        self.scale, self.offset = np.asarray(scale, np.float64), np.asarray(offset, np.float64)
        self.grid_tensor, self.kernel, self.conv = grid_tensor, np.asarray(kernel, np.float64)[0, 0], conv
        self.sources = np.empty(0, np.int64)
        self.limits: list[tuple[str, np.ndarray]] | None = None  # TensorFlow's function, its constant

    def __call__(self, tensors: list[Any]) -> Any:
        """The joined tensors, cut off; while the twin is traced, the numbers of their channels."""
        import tensorflow as tf

        x = joined(tensors)
        if self.grid_tensor.tracing:
            self.sources = np.asarray(x)[0, 0, 0].astype(np.int64)
            return x
        if self.limits is None:
            return self.grid_tensor(tf.nn.relu(x * np.float32(self.scale) + np.float32(self.offset)))
        for name, limit in self.limits:
            x = self.grid_tensor(getattr(tf, name)(x, COMMON.fake(limit)))
        return x

    def turns(self) -> np.ndarray:
        """``[C]``: below them nothing changes; lowest of all where a channel does not rise."""
        rising = self.scale > TINY
        return np.where(rising, -self.offset / np.where(rising, self.scale, 1.0), -np.inf)

    def settle(self, middle: np.ndarray, width: np.ndarray) -> None:
        """Become a MAXIMUM, and hand the rest on to the convolution; channels are ``middle + width * x``, ``[C]``."""
        scale, offset = self.scale * width, self.scale * middle + self.offset
        flat = np.abs(scale) < TINY  # such a channel is constant
        rising = ~flat & (scale > 0)
        turn = -offset / np.where(flat, 1.0, scale)
        limit = np.clip(np.rint(turn / COMMON.scale), LOW, HIGH) * COMMON.scale
        self.limits = [("maximum", np.where(rising, limit, FIRST).astype(np.float32))]
        if (~rising & ~flat).any():
            self.limits.append(("minimum", np.where(rising | flat, LAST, limit).astype(np.float32)))
        # What stands for zero: the limit itself, so that a channel that is off gives nothing; one that is on
        # everywhere keeps its own. Kernel and constant are those after rounding.
        beyond = np.where(rising, turn < FIRST, turn > LAST)
        origin = np.where(beyond, turn, limit)
        kernel = self.kernel * np.where(flat, 0.0, scale)[:, None]
        self.conv.kernel, self.conv.peak = Kernel(kernel[None, None]).int8()
        taken = self.conv.kernel[0, 0] * (self.conv.peak.astype(np.float64) / WEIGHT_LIMIT)
        constant = np.where(flat, np.maximum(offset, 0.0), 0.0) @ self.kernel - origin @ taken
        self.conv.bias = np.float32(constant if self.conv.bias is None else self.conv.bias + constant)
        self.grid_tensor.grid = COMMON


def settle_maxima(grid_tensors: GridTensors) -> None:
    """Make every normalisation a MAXIMUM, once the twin was traced and watched."""
    floors: dict[int, float] = {}  # of each channel, below which no reader looks
    for norm in grid_tensors.maxima:
        for source, turn in zip(norm.sources.tolist(), norm.turns().tolist(), strict=True):
            floors[source] = min(turn, floors.get(source, np.inf))
    stretches = {}
    for number in {source // grid_tensors.PITCH for source in floors}:
        tensor = grid_tensors.numbered(number)
        first = number * grid_tensors.PITCH
        floor = [floors[first + channel] for channel in range(len(tensor.lows[0]))]
        stretches[number] = _stretch(tensor, np.array(floor))
    for norm in grid_tensors.maxima:
        places = [divmod(source, grid_tensors.PITCH) for source in norm.sources.tolist()]
        norm.settle(*np.transpose([[part[channel] for part in stretches[number]] for number, channel in places]))
    for number, (middle, width) in stretches.items():
        tensor = grid_tensors.numbered(number)
        conv = tensor.writer
        conv.peak = half(np.maximum(conv.peak / width, SMALLEST))
        conv.bias = np.float32(((0.0 if conv.bias is None else conv.bias) - middle) / width)
        conv.relu, tensor.grid, tensor.cut = False, COMMON, True  # the grid's own end is the ReLU's zero


def _stretch(tensor: GridTensor, floor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Middle and width of each channel: ``middle + width * x`` covers its range for x on the grid.

    Args:
        floor: ``[C]``, below which no reader looks.
    """
    low, high = tensor.channel_range()
    low = np.maximum(np.zeros_like(low) if tensor.writer.relu else low, floor)
    width = np.maximum(high - low, SMALLEST) / (LAST - FIRST)
    return low - FIRST * width, width
