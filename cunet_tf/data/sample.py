"""The one sample type of all data sources."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from cunet_tf.aliases import Box, Mask, Picture, Points
from cunet_tf.data.decoder import decode, decode_strictly, ends_grey
from cunet_tf.data.picture_header import END, JPEG, jpeg_header, picture_size, zero_run
from cunet_tf.errors import FaultyFile
from cunet_tf.reading import MIB, why_unfit
from cunet_tf.skeletons import Skeleton

PICTURE_ENDINGS = frozenset(
    {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".jp2", ".avif", ".ppm", ".pgm", ".gif"}
)  # of formats that OpenCV reads, whatever the case
HEAD = 1 << 16  # bytes at the beginning of a file that are looked at before all of it is read
TAIL = 4096  # bytes at the end of a JPEG in which its end marker is looked for first
BYTES_PER_PIXEL = 8  # of a file at most; four channels of 16 bits
MEGAPIXELS = 100.0  # of a picture, unless limit_megapixels says otherwise
_megapixels = MEGAPIXELS


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
    points: Points
    mask: Mask
    box: Box
    picture: Path | Callable[[], Picture]
    head: float | None = None

    def load(self) -> Picture:
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
        reach: of records, the side of the square around a box's centre that they hold, in longer sides of the box;
            ``None`` where samples have whole pictures.
        detail: of records, the pixels of a box's longer side to which larger pictures were reduced; ``None`` where
            none was.
    """

    name: str
    split: str
    skeleton: Skeleton
    samples: list[Sample] = field(repr=False)
    box: str = "tight"
    missing: tuple[str, ...] = ()
    reach: float | None = None
    detail: float | None = None

    def __len__(self) -> int:
        return len(self.samples)

    def __iter__(self) -> Iterator[Sample]:
        return iter(self.samples)

    def subset(self, indices: Sequence[int] | np.ndarray) -> "Source":
        """The same source with only some samples, in the given order."""
        return replace(self, samples=[self.samples[int(index)] for index in indices])


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


def limit_megapixels(megapixels: float) -> None:
    """Refuse larger pictures from now on, in this process; ``--max_megapixels`` of the command line."""
    global _megapixels
    _megapixels = megapixels


def megapixel_limit() -> float:
    """The limit in force."""
    return _megapixels


def read_image(path: Path | str) -> Picture:
    """Read a picture file as RGB ``uint8 [H, W, 3]``, upright as its EXIF data say.

    Raises:
        FaultyFile: the file is missing, cut short, above the limit of megapixels, or not a picture.
    """
    return decode_image(path, read_bytes(path))


def read_bytes(path: Path | str) -> bytes:
    """The bytes of a picture file.

    Raises:
        FaultyFile: the file is missing, empty, or a JPEG cut short.
    """
    data = raw_bytes(path)
    _require_bytes(path, len(data))
    if data.startswith(JPEG):
        scan = jpeg_header(data).scan
        _require_end(path, len(data), scan is not None and data.find(END, scan) >= 0)
    return data


def raw_bytes(path: Path | str) -> bytes:
    """The bytes of a regular file, whatever they are.

    Raises:
        FaultyFile: there is none, or it is larger than any picture that is allowed.
    """
    with _opened(path) as stream:
        return stream.read()


def glance(path: Path | str) -> None:
    """Refuse what :func:`read_image` would refuse, as far as the beginning and the end of the file tell.

    Raises:
        FaultyFile: the file is missing, empty, a JPEG cut short, or above the limit of megapixels.
    """
    with _opened(path) as stream:
        head = stream.read(HEAD)
        size = stream.seek(0, 2)
        _require_bytes(path, size)
        if head.startswith(JPEG):
            scan = jpeg_header(head).scan
            if scan is not None:
                stream.seek(max(scan, size - TAIL))
            if scan is None or END not in stream.read():  # a large header, or other data behind the picture
                read_bytes(path)
    require_size(path, picture_size(head))


def decode_image(path: Path | str, data: bytes, strict: bool = False) -> Picture:
    """The picture that ``data``, the bytes of ``path``, hold: RGB ``uint8 [H, W, 3]``, upright.

    Args:
        path: for messages.
        data: of the file.
        strict: take every complaint of the decoder for damage; slower, and one picture at a time. Without it a
            JPEG that breaks off or holds zeros is still refused, while one with other wrong bytes in it is not.

    Raises:
        FaultyFile: above the limit of megapixels, damaged, or not a picture.
    """
    size = picture_size(data)
    require_size(path, size)
    image, damage = decode_strictly(data) if strict else (decode(data), "")
    if image is None:
        header = f", though its header says {size[0]:,} x {size[1]:,} pixels" if size else ""
        text = f"not a picture that OpenCV can read{header}: replace or remove it."
        raise FaultyFile("unreadable picture", path, text)
    if size is None:  # of a format whose header only OpenCV reads
        require_size(path, (image.shape[1], image.shape[0]))
    if not strict and ends_grey(data, image):
        damage = decode_strictly(data)[1]
    if not damage and zero_run(data):
        damage = "zeros in place of its data"
    if damage:
        raise FaultyFile("damaged picture", path, f"the picture is damaged inside ({damage}): fetch it again.")
    return image


@contextlib.contextmanager
def _opened(path: Path | str) -> Iterator[BinaryIO]:
    fault = why_unfit(path, max(MIB, int(_megapixels * 1e6 * BYTES_PER_PIXEL)))
    if fault:
        raise FaultyFile("missing picture", path, fault)
    try:
        with open(path, "rb") as stream:
            yield stream
    except OSError as error:
        raise FaultyFile("missing picture", path, f"cannot be read ({error.strerror}).") from None


def _require_bytes(path: Path | str, size: int) -> None:
    if not size:
        raise FaultyFile("unreadable picture", path, "not a picture, the file is empty: replace or remove it.")


def _require_end(path: Path | str, size: int, found: bool) -> None:
    # OpenCV fills the rest of a cut JPEG with grey and only warns.
    if not found:
        raise FaultyFile("truncated picture", path, f"the JPEG is truncated ({size} bytes): fetch it again.")


def require_size(path: Path | str, size: tuple[int, int] | None) -> None:
    """Refuse a picture or film by the width and height that its header says.

    Raises:
        FaultyFile: above the limit of megapixels.
    """
    width, height = size or (0, 0)
    if width * height > _megapixels * 1e6:
        text = (
            f"{width:,} x {height:,} pixels are {width * height / 1e6:,.4g} megapixels, above the limit of "
            f"{_megapixels:,g}: make it smaller, or raise the limit with --max_megapixels."
        )
        raise FaultyFile("oversized picture", path, text)
