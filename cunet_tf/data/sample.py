"""The one sample type of all data sources."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from cunet_tf.errors import CUNetError
from cunet_tf.skeletons import Skeleton

PICTURE_ENDINGS = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".jp2", ".avif", ".ppm", ".pgm", ".gif"}
)  # of formats that OpenCV reads, whatever the case
TAIL = 4096  # bytes at the end of a JPEG in which its end marker is looked for


class FaultyFile(CUNetError):
    """One file of a data set is missing or damaged; the others may be sound.

    Attributes:
        kind: what is wrong, in a few words, the same for all faults of a kind.
        file: the file.
        text: the message without the file.
        sample, subset: the sample it belongs to, where a loader knows it.
    """

    def __init__(self, kind: str, file: Path | str, text: str):
        super().__init__(f"{file}: {text}")
        self.kind, self.file, self.text = kind, str(file), text
        self.sample = self.subset = ""


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
        box: which boxes the samples carry: ``"tight"``, ``"given"``, ``"official"``, or how many of each.
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

    def subset(self, indices: Sequence[int] | np.ndarray) -> "Source":
        """The same source with only some samples, in the given order."""
        chosen = [self.samples[int(index)] for index in indices]
        return Source(self.name, self.split, self.skeleton, chosen, self.box, self.missing)


def is_note(name: str) -> bool:
    """Whether a file's name is that of macOS' notes about another file."""
    return name.startswith("._")


def files_below(folder: Path, recursive: bool = True) -> list[Path]:
    """Files of a folder and of its folders, also behind links, each folder once, in order; none hidden but ``._NAME``.

    macOS writes those beside each file on foreign disks (:func:`is_note`).

    Args:
        folder: to be searched.
        recursive: its folders too.
    """
    found: list[Path] = []
    been: set[str] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        fresh = recursive and real not in been
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if fresh else []
        if real not in been:
            found += [Path(place, name) for name in names if not name.startswith(".") or is_note(name)]
        been.add(real)  # links may lead round in a circle
    return sorted(found)


def read_image(path: Path | str) -> np.ndarray:
    """Read a picture file as RGB ``uint8 [H, W, 3]``.

    Raises:
        FaultyFile: the file is missing, cut short, or not a picture.
    """
    return decode_image(path, read_bytes(path))


def read_bytes(path: Path | str, ends_only: bool = False) -> bytes:
    """The bytes of a picture file; with ``ends_only`` the first two and the last ``TAIL`` at most.

    Raises:
        FaultyFile: the file is missing, empty, or a JPEG cut short.
    """
    try:
        with open(path, "rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(0)
            data = stream.read(2 if ends_only and size > TAIL else -1)
            if len(data) < size:
                stream.seek(-TAIL, 2)
                data += stream.read()
    except OSError as error:
        raise FaultyFile("missing picture", path, f"cannot be read ({error.strerror}).") from None
    if not size:
        raise FaultyFile("unreadable picture", path, "not a picture, the file is empty: replace or remove it.")
    # OpenCV fills the rest of a cut JPEG with grey and only warns: look for the end marker.
    if data[:2] == b"\xff\xd8" and b"\xff\xd9" not in data[-TAIL:]:
        raise FaultyFile("truncated picture", path, f"the JPEG is truncated ({size} bytes): fetch it again.")
    return data


def decode_image(path: Path | str, data: bytes) -> np.ndarray:
    """The picture that ``data``, the bytes of ``path``, hold: RGB ``uint8 [H, W, 3]``.

    Raises:
        FaultyFile: not a picture.
    """
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise FaultyFile("unreadable picture", path, "not a picture that OpenCV can read: replace or remove it.")
    return np.ascontiguousarray(image[..., ::-1])
