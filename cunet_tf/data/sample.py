"""The one sample type of all data sources."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from cunet_tf.errors import CUNetError
from cunet_tf.skeletons import Skeleton


@dataclass(frozen=True, eq=False)
class Sample:
    """One annotated object in one picture.

    Attributes:
        name: unique within its source; shown in messages.
        subset: part of the data set it belongs to, for per-subset figures.
        points: float32 ``[C, 2]``, (x, y) in picture pixels, 0-based.
        mask: float32 ``[C]``, 1 where the point is annotated.
        box: ``[x0, y0, x1, y1]``, tight box of the object in picture pixels.
        picture: a file, or a function that returns RGB ``uint8 [H, W, 3]``.
        head: MPII's head size in picture pixels, 0.6 times the diagonal of the head
            rectangle, for PCKh; ``None`` where there is none.
    """

    name: str
    subset: str
    points: np.ndarray
    mask: np.ndarray
    box: np.ndarray
    picture: Path | Callable[[], np.ndarray]
    head: float | None = None

    def load(self) -> np.ndarray:
        """The picture, RGB ``uint8 [H, W, 3]``."""
        return read_image(self.picture) if isinstance(self.picture, Path) else self.picture()


@dataclass(frozen=True, eq=False)
class Source:
    """A data set, or a part of one, ready to be read.

    Attributes:
        name: ``"300w"``, ``"synthetic"``, ...
        split: what was asked for.
        skeleton: the landmarks of every sample.
        samples: in a fixed order.
        box: which box the samples carry, ``"tight"`` or ``"official"``.
        missing: parts of the split that are not on disk (only with ``allow_missing``).
    """

    name: str
    split: str
    skeleton: Skeleton
    samples: list[Sample] = field(repr=False)
    box: str = "tight"
    missing: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.samples)

    def __iter__(self) -> Iterator[Sample]:
        return iter(self.samples)

    def subset(self, indices: list[int] | np.ndarray) -> "Source":
        """The same source with only some samples, in the given order."""
        chosen = [self.samples[int(index)] for index in indices]
        return Source(self.name, self.split, self.skeleton, chosen, self.box, self.missing)


def read_image(path: Path | str) -> np.ndarray:
    """Read a picture file as RGB ``uint8 [H, W, 3]``.

    Raises:
        CUNetError: the file is missing, cut short, or not a picture.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise CUNetError(f"{path}: cannot be read ({error.strerror}).") from None
    # OpenCV fills the rest of a cut JPEG with grey and only warns: look for the end marker.
    if data[:2] == b"\xff\xd8" and b"\xff\xd9" not in data[-4096:]:
        raise CUNetError(f"{path}: the JPEG is truncated ({len(data)} bytes): fetch it again.")
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if image is None:
        raise CUNetError(f"{path}: not a picture that OpenCV can read: replace or remove it.")
    return np.ascontiguousarray(image[..., ::-1])
