"""Names of the arrays and values that the parts hand to each other, for annotations."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

# The tensors of TensorFlow, of JAX and of Keras' graphs have no type in common, and their packages carry no types.
Tensor: TypeAlias = Any
# A backward pass, from the gradients of an operation's results to those of what it was given.
Backward: TypeAlias = Callable[..., Any]
Shape: TypeAlias = tuple[Any, ...]  # whole numbers, None where a side is not known yet, such as that of the batch
Shapes: TypeAlias = Shape | Sequence[Shape]  # of one input, or of each of several

Picture: TypeAlias = npt.NDArray[np.uint8]  # [height, width, 3], RGB
Batch: TypeAlias = npt.NDArray[np.float32]  # crops [B, height, width, 3], RGB in 0..1
HeatMaps: TypeAlias = npt.NDArray[np.float32]  # [B, h, w, landmarks]
Points: TypeAlias = npt.NDArray[np.floating]  # [..., landmarks, 2], (x, y), pixel centres on integers
Mask: TypeAlias = npt.NDArray[np.bool_ | np.floating]  # [..., landmarks], 1 for what is labelled or shown
Box: TypeAlias = npt.NDArray[np.floating]  # [4], x0, y0, x1, y1 in a picture's pixels
BoxLike: TypeAlias = Sequence[float] | np.ndarray  # what reads as a box
Affine: TypeAlias = npt.NDArray[np.float64]  # [2, 3], from (x, y, 1) to (x, y)
