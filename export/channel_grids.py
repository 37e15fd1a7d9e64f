"""Every channel on its own range: stretched by the convolution that writes it, undone by normalisations that read it.

An int8 tensor has one grid for all channels, and in a float network one wide channel takes the steps of all others.
What only normalisations read may be moved: the writing convolution gives ``(x - middle) / width`` of each channel, and
``s x + o`` becomes ``(s width) x + (s middle + o)``. Both are exact, for pooling and upsampling keep it too. (Known as
cross-layer equalization; here with a shift, since a normalisation has an offset.)
"""

import numpy as np

from cunet_tf.aliases import Tensor
from cunet_tf.export.grid_tensors import GridTensor, GridTensors
from cunet_tf.export.grids import SMALLEST, Grid, half

COMMON = Grid(2.0**-7)  # of all stretched tensors; their channels lie in -1..127/128
FIRST, LAST = COMMON.limits
TINY = 1e-9  # a slope that is none
STEEPEST = 64.0  # a channel that hardly moves is not stretched further: XNNPACK takes factors below 256 alone


class TracedNorm:
    """A normalisation and ReLU behind a concatenation, which knows whose channels it reads.

    Args:
        scale, offset: float ``[C]``, of all joined channels.

    Attributes:
        sources: ``[C]``, see :meth:`cunet_tf.export.grid_tensors.GridTensors.trace`.
    """

    def __init__(self, scale: Tensor, offset: Tensor):
        self.scale, self.offset = np.asarray(scale, np.float64), np.asarray(offset, np.float64)
        self.sources = np.empty(0, np.int64)

    def traced(self, x: Tensor) -> Tensor:
        """Keep the numbers of the joined channels, and pass them on."""
        self.sources = np.asarray(x)[0, 0, 0].astype(np.int64)
        return x

    def turns(self) -> np.ndarray:
        """``[C]``: below them nothing changes; lowest of all where a channel does not rise."""
        rising = self.scale > TINY
        return np.where(rising, -self.offset / np.where(rising, self.scale, 1.0), -np.inf)

    def stretched(self, middle: np.ndarray, width: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scale and offset for channels that are ``middle + width * x``, ``[C]``."""
        return self.scale * width, self.scale * middle + self.offset

    def settle(self, middle: np.ndarray, width: np.ndarray) -> None:
        """Read channels that are ``middle + width * x`` from now on."""
        raise NotImplementedError


def settle_norms(grid_tensors: GridTensors) -> None:
    """Stretch every channel that normalisations read, once the twin was traced and watched."""
    norms = [norm for norm in grid_tensors.norms if len(norm.sources)]  # in a refined network some are dead ends
    floors: dict[int, float] = {}  # of each channel, below which no reader looks
    for norm in norms:
        for source, turn in zip(norm.sources.tolist(), norm.turns().tolist(), strict=True):
            floors[source] = min(turn, floors.get(source, np.inf))
    stretches = {}
    for number in {source // grid_tensors.PITCH for source in floors}:
        tensor = grid_tensors.numbered(number)
        first = number * grid_tensors.PITCH
        floor = [floors[first + channel] for channel in range(len(tensor.lows[0]))]
        stretches[number] = _stretch(tensor, np.array(floor))
    for norm in norms:
        places = [divmod(source, grid_tensors.PITCH) for source in norm.sources.tolist()]
        norm.settle(*np.transpose([[part[channel] for part in stretches[number]] for number, channel in places]))
    for number, (middle, width) in stretches.items():
        tensor = grid_tensors.numbered(number)
        conv = tensor.writer
        conv.peak = half(np.maximum(conv.peak / width, SMALLEST))
        conv.bias = half(((0.0 if conv.bias is None else conv.bias) - middle) / width)
        conv.relu, tensor.grid, tensor.cut = False, COMMON, True  # the grid's own end is the ReLU's zero


def _stretch(tensor: GridTensor, floor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Middle and width of each channel: ``middle + width * x`` covers its range for x on the grid.

    Args:
        floor: ``[C]``, below which no reader looks.
    """
    low, high = tensor.channel_range()
    low = np.maximum(np.zeros_like(low) if tensor.writer.relu else low, floor)
    width = np.maximum(np.maximum(high - low, SMALLEST) / (LAST - FIRST), tensor.writer.peak / STEEPEST)
    bias = 0.0 if tensor.writer.bias is None else tensor.writer.bias
    shifted = half((bias - low) / width + FIRST)  # what a packed file stores in two bytes
    return bias - shifted * np.float64(width), width
