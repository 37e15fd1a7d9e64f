"""The tensors of a deployed network that lie on a grid, each by name, and how ranges are measured."""

from typing import Any

import numpy as np

from cunet_tf.export.grids import Grid, range_grid, trained_grid


class GridTensor:
    """A place where a tensor is rounded to a grid.

    Attributes:
        name: such as ``unet0_up1/ahead input``.
        grid: ``None`` until it is known; then the tensor passes unchanged.
        trained: whether training fixed the grid.
        observing: whether ranges are being measured.
    """

    def __init__(self, name: str, grid: Grid | None):
        self.name, self.grid, self.trained = name, grid, grid is not None
        self.observing = False
        self.reset()

    def reset(self) -> None:
        """Forget what was seen."""
        self.count = self.beyond = 0
        self.lows: list[float] = []
        self.highs: list[float] = []

    def __call__(self, x: Any) -> Any:
        if self.observing:
            self._observe(np.asarray(x))
        return x if self.grid is None else self.grid.fake(x)

    def _observe(self, values: np.ndarray) -> None:
        self.lows.append(float(values.min()))
        self.highs.append(float(values.max()))
        if self.grid is not None:
            low, high = self.grid.limits
            half_step = self.grid.scale / 2
            self.count += values.size
            self.beyond += int(((values < low - half_step) | (values >= high + half_step)).sum())

    def range(self) -> tuple[float, float]:
        """Lowest and highest value seen."""
        return min(self.lows), max(self.highs)

    def usual_range(self) -> tuple[float, float]:
        """Lowest and highest value of a picture, means over the pictures.

        The extremes of all pictures would cost all the others their resolution.
        """
        return float(np.mean(self.lows)), float(np.mean(self.highs))

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
        whole: whether a measured grid covers all pictures, and not the usual one: classes have different ranges.
    """

    def __init__(self, shared: bool, whole: bool = False):
        self.tensors: dict[str, GridTensor] = {}
        self.shared, self.whole = shared, whole

    def get(self, name: str, quantizer: Any) -> GridTensor:
        """The tensor of this name, on the grid that training gave it, if any."""
        return self._add(name, trained_grid(quantizer))

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

    def settle(self) -> None:
        """Give each open tensor the grid of what was seen; drop those that no picture passes.

        (In the last pass of a refined network the first pass's heads are dead ends.)
        """
        for tensor in self.open():
            if tensor.lows:
                tensor.grid = range_grid(*(tensor.range() if self.whole else tensor.usual_range()))
            else:
                del self.tensors[tensor.name]

    def rows(self) -> list[dict[str, Any]]:
        """Of each tensor that was seen."""
        return [tensor.row() for tensor in self.tensors.values() if tensor.lows]
