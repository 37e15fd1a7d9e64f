"""The tensors of a deployed network that lie on a grid, each by name, and how ranges are measured."""

from typing import Any

import numpy as np

from cunet_tf.aliases import Tensor
from cunet_tf.export.grids import Grid, range_grid, trained_grid

# Where channels are stretched (channel_grids), what is left between normalisation and convolution has no wide channel
# and gains by a wider grid; other networks lose by it.
SPREAD = 1.0


class GridTensor:
    """A place where a tensor is rounded to a grid.

    Attributes:
        name: such as ``unet0_up1/ahead input``.
        grid: ``None`` until it is known; then the tensor passes unchanged.
        trained: whether training fixed the grid.
        observing: whether ranges are being measured.
        tracing: whether every channel passes its number, see :meth:`GridTensors.trace`.
        cut: whether what lies below the grid matters to nobody, so that it does not count as clipped.
        writer: the convolution whose result it is, if it is one's.
        joined: whether all tensors of this kind take one grid, as they are concatenated as they are.
    """

    def __init__(self, name: str, grid: Grid | None):
        self.name, self.grid, self.trained = name, grid, grid is not None
        self.observing = self.tracing = self.cut = self.joined = False
        self.number = 0
        self.writer: Tensor  # = None
        self.reset()

    def reset(self) -> None:
        """Forget what was seen."""
        self.count = self.beyond = 0
        self.lows: list[np.ndarray] = []  # of each picture, for each channel
        self.highs: list[np.ndarray] = []

    def __call__(self, x: Tensor) -> Tensor:
        """The tensor on its grid; while the twin is traced or watched, noted."""
        if self.tracing:
            return np.zeros(x.shape, np.float32) + np.float32(self.number + np.arange(x.shape[-1]))
        if self.observing:
            self._observe(np.asarray(x))
        return x if self.grid is None else self.grid.fake(x)

    def _observe(self, values: np.ndarray) -> None:
        but_channels = tuple(range(values.ndim - 1))
        self.lows.append(values.min(but_channels))
        self.highs.append(values.max(but_channels))
        if self.grid is not None:
            low, high = self.grid.limits
            half_step = self.grid.scale / 2
            self.count += values.size
            below = False if self.cut else values < low - half_step
            self.beyond += int((below | (values >= high + half_step)).sum())

    def range(self) -> tuple[float, float]:
        """Lowest and highest value seen."""
        return float(min(map(np.min, self.lows))), float(max(map(np.max, self.highs)))

    def usual_range(self, spread: float = 0.0) -> tuple[float, float]:
        """Lowest and highest value of a picture: means over the pictures, and so many standard deviations beyond.

        The extremes of all pictures would cost all the others their resolution.
        """
        lows, highs = np.array([low.min() for low in self.lows]), np.array([high.max() for high in self.highs])
        return (
            float(max(lows.min(), lows.mean() - spread * lows.std())),
            float(min(highs.max(), highs.mean() + spread * highs.std())),
        )

    def channel_range(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest value of each channel, ``[C]``."""
        return np.min(self.lows, 0), np.max(self.highs, 0)

    def row(self) -> dict[str, Any]:
        """The grid, the range seen and the share of values beyond the grid."""
        assert self.grid is not None, "a tensor's row is made when its grid is settled"
        low, high = self.range()
        return {
            "tensor": self.name, "scale": self.grid.scale, "zero_point": self.grid.zero_point,
            "trained": self.trained, "low": low, "high": high, "clipped": self.beyond / max(self.count, 1),
        }  # fmt: skip


class GridTensors:
    """All tensors of a network that lie on a grid.

    Args:
        shared: whether all tensors that others concatenate lie on one grid, as in training with
            quantized features.
        maximum: whether normalisations become a MAXIMUM.
        whole: whether a measured grid covers all pictures, and not the usual one: classes have different ranges.

    Attributes:
        norms: normalisations that undo a stretch, see :mod:`cunet_tf.export.channel_grids`.
    """

    PITCH = 4096  # numbers for the channels of a tensor; 4096 tensors have float32 numbers

    def __init__(self, shared: bool, maximum: bool = False, whole: bool = False):
        self.tensors: dict[str, GridTensor] = {}
        self.shared, self.maximum, self.whole = shared, maximum, whole
        self.norms: list[Tensor] = []

    def get(self, name: str, quantizer: object, joined: bool = False) -> GridTensor:
        """The tensor of this name, on the grid that training gave it, if any; ``joined``: else with its kind."""
        tensor = self._add(name, trained_grid(quantizer))
        tensor.joined = joined
        return tensor

    def fixed(self, name: str, grid: Grid) -> GridTensor:
        """The tensor of this name on a given grid."""
        return self._add(name, grid)

    def _add(self, name: str, grid: Grid | None) -> GridTensor:
        return self.tensors.setdefault(name, GridTensor(name, grid))

    def open(self) -> list[GridTensor]:
        """Those whose grid is still unknown."""
        return [tensor for tensor in self.tensors.values() if tensor.grid is None]

    def observe(self, on: bool) -> None:
        """Start to watch all tensors afresh, or stop."""
        for tensor in self.tensors.values():
            tensor.observing = on
            if on:
                tensor.reset()

    def trace(self, on: bool) -> None:
        """Let every channel pass its own number: whoever reads it sees where it comes from; or stop.

        Pooling, upsampling and concatenation leave constants what they are.
        """
        for index, tensor in enumerate(self.tensors.values()):
            tensor.tracing, tensor.number = on, index * self.PITCH

    def numbered(self, number: int) -> GridTensor:
        """The tensor whose channels had the numbers from ``number * PITCH`` on."""
        return list(self.tensors.values())[number]

    def settle(self) -> None:
        """Give each open tensor the grid of what was seen; drop those that no picture passes.

        (In the last pass of a refined network the first pass's heads are dead ends.)
        """
        spread = SPREAD if self.norms else 0.0
        ranges = {}
        for tensor in self.open():
            if tensor.lows:
                ranges[tensor.name] = tensor.range() if self.whole else tensor.usual_range(spread)
            else:
                del self.tensors[tensor.name]
        joined = [ends for name, ends in ranges.items() if self.tensors[name].joined]
        for name, (low, high) in ranges.items():
            if self.tensors[name].joined:
                low, high = min(ends[0] for ends in joined), max(ends[1] for ends in joined)
            self.tensors[name].grid = range_grid(low, high)

    def rows(self) -> list[dict[str, Any]]:
        """Of each tensor that was seen."""
        return [tensor.row() for tensor in self.tensors.values() if tensor.lows]
