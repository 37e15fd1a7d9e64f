"""Normalisations of a calibrated float network as MAXIMUM, which integer hardware computes sooner than a convolution.

With s above 0, ``ReLU(s x + o) = s (max(x, t) - t)``, t = -o / s. A 1x1 convolution that reads it takes s into its
kernel and t into its bias; what is left is a MAXIMUM. That needs all channels of a concatenation on one grid: each is
shifted and stretched to the grid's own range by the convolution that writes it, which is exact, and undone in s and o.
Filters of a kernel then hold weights that differ by s and the stretch, and lose a little of their int8 precision.
"""

from typing import Any

import numpy as np

from cunet_tf.aliases import Tensor
from cunet_tf.errors import CUNetError
from cunet_tf.export.channel_grids import COMMON, FIRST, LAST, TINY, TracedNorm
from cunet_tf.export.fold import Kernel
from cunet_tf.export.grid_tensors import GridTensor
from cunet_tf.export.grids import HIGH, LOW, WEIGHT_LIMIT
from cunet_tf.models.concat_conv import joined


class MaximumNorm(TracedNorm):
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

    def __init__(self, scale: Tensor, offset: Tensor, grid_tensor: GridTensor, kernel: np.ndarray, conv: Any):
        if kernel.shape[:2] != (1, 1):
            raise CUNetError(
                f"--norms=maximum: {grid_tensor.name} enters a convolution of {kernel.shape[0]}x{kernel.shape[1]}, "
                "which pads it with zeros: take --norms=depthwise."
            )
        super().__init__(scale, offset)
        self.grid_tensor, self.kernel, self.conv = grid_tensor, np.asarray(kernel, np.float64)[0, 0], conv
        self.limits: list[tuple[str, np.ndarray]] | None = None  # TensorFlow's function, its constant

    def __call__(self, tensors: list[Tensor]) -> Tensor:
        """The joined tensors, cut off; while the twin is traced, the numbers of their channels."""
        import tensorflow as tf

        x = joined(tensors)
        if self.grid_tensor.tracing:
            return self.traced(x)
        if self.limits is None:
            return self.grid_tensor(tf.nn.relu(x * np.float32(self.scale) + np.float32(self.offset)))
        for name, limit in self.limits:
            x = self.grid_tensor(getattr(tf, name)(x, COMMON.fake(limit)))
        return x

    def settle(self, middle: np.ndarray, width: np.ndarray) -> None:
        """Become a MAXIMUM, and hand the rest on to the convolution; channels are ``middle + width * x``, ``[C]``."""
        scale, offset = self.stretched(middle, width)
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
