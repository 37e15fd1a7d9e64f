"""The kernel of a stem, 7x7 with stride 2, on pictures whose 2x2 pixels lie behind one another as channels.

``SPACE_TO_DEPTH`` makes such a picture, with channels in the order row, column, colour. There the kernel is one
of 4x4 with stride 1 and four times the channels, which integer hardware computes sooner: 3 channels fill no vector.
An output reads 3 pixels on either side of its own, two blocks ahead and one behind; so a row and a column of zeros
stand in front of the kernel.

Needs numpy only.
"""

import numpy as np

SIDE, COLOURS = 7, 3  # of the kernel on pixels
ZEROS = 1  # rows and columns in front of it
BLOCK = 2  # side of a block, the stride
BLOCKS = (SIDE + ZEROS) // BLOCK  # side of the kernel on blocks
CHANNELS = BLOCK**2 * COLOURS
PADS = (2, 1)  # blocks that pad a picture ahead and behind, as 3 pixels on either side do
PIXEL_KERNEL, BLOCK_KERNEL = (SIDE, SIDE, COLOURS), (BLOCKS, BLOCKS, CHANNELS)  # of a filter


def to_blocks(kernel: np.ndarray) -> np.ndarray:
    """Filters ``[F, 7, 7, 3]`` as ``[F, 4, 4, 12]``."""
    whole = np.pad(kernel, ((0, 0), (ZEROS, 0), (ZEROS, 0), (0, 0)))
    parts = whole.reshape(-1, BLOCKS, BLOCK, BLOCKS, BLOCK, COLOURS)
    return parts.transpose(0, 1, 3, 2, 4, 5).reshape(-1, *BLOCK_KERNEL)


def from_blocks(kernel: np.ndarray) -> np.ndarray | None:
    """Inverse of :func:`to_blocks`; ``None`` where the row and the column are not zeros."""
    parts = kernel.reshape(-1, BLOCKS, BLOCKS, BLOCK, BLOCK, COLOURS)
    whole = parts.transpose(0, 1, 3, 2, 4, 5).reshape(-1, BLOCKS * BLOCK, BLOCKS * BLOCK, COLOURS)
    pixels = whole[:, ZEROS:, ZEROS:]
    return None if whole[:, :ZEROS].any() or whole[:, :, :ZEROS].any() else pixels
