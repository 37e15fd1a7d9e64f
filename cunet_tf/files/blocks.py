"""The kernel of a stem, 7x7 with stride 2, for pictures whose 2x2 pixels lie behind one another as channels.

``SPACE_TO_DEPTH`` makes such a picture; its channels are in the order row, column, colour. There the kernel is one of
4x4 with stride 1 and four times the channels, which integer hardware computes sooner: 3 channels do not fill a vector.
An output reads 3 pixels on each side of its own, so two blocks ahead and one behind, and a row and a column of zeros
stand in front of the kernel.

Needs numpy only.
"""

import numpy as np

BLOCK = 2  # side of a block, the stride
PADS = (2, 1)  # blocks around a picture, ahead and behind, that do what 3 pixels on each side do
PIXEL_KERNEL, BLOCK_KERNEL = (7, 7, 3), (4, 4, 12)  # shapes of a filter
_ROW, _COLUMN, _COLOUR = np.indices(PIXEL_KERNEL).reshape(3, -1) + [[1], [1], [0]]  # behind the zeros
# Where the weights of a filter on pixels stand in the one on blocks.
PLACES = 48 * (_ROW // 2) + 12 * (_COLUMN // 2) + 6 * (_ROW % 2) + 3 * (_COLUMN % 2) + _COLOUR


def to_blocks(kernel: np.ndarray) -> np.ndarray:
    """Filters ``[F, 7, 7, 3]`` as ``[F, 4, 4, 12]``."""
    filters = np.zeros((len(kernel), *BLOCK_KERNEL), kernel.dtype)
    filters.reshape(len(kernel), -1)[:, PLACES] = kernel.reshape(len(kernel), -1)
    return filters


def from_blocks(kernel: np.ndarray) -> np.ndarray | None:
    """Inverse of :func:`to_blocks`; ``None`` where the row and the column are not zeros."""
    flat = kernel.reshape(len(kernel), -1)
    return None if np.delete(flat, PLACES, 1).any() else flat[:, PLACES].reshape(-1, *PIXEL_KERNEL)
