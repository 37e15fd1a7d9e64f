"""From the bytes of a picture file to RGB pixels, upright, and what the decoder says of damage on the way."""

import os
import re

import cv2
import numpy as np

from cunet_tf.data.picture_header import END, JPEG, avif_turn, jpeg_header
from cunet_tf.quiet import native_stderr_hidden

# What libjpeg and libtiff write to stderr where pixels are wrong; unknown tags and odd colour profiles are no damage.
_DAMAGE = re.compile(
    r"Corrupt JPEG data: (?!bad ICC)[^\n]*|Premature end of JPEG file|Inconsistent progression sequence[^\n]*"
    r"|(?<=TIFF_Error )[^\n]*"
)
_PADDING = re.compile(r"Corrupt JPEG data: (\d+) extraneous bytes before marker 0xd9")
_LINES = re.compile(r"(?:Corrupt JPEG|Premature end|Inconsistent prog|Warning: |libpng |\[ ?(?:WARN|ERROR):)[^\n]*\n*")
_GREY = np.full(3, 128, np.uint8)  # what libjpeg puts where data are missing


def decode(data: bytes) -> np.ndarray | None:
    """The picture as RGB ``uint8 [H, W, 3]``, turned upright; ``None`` where OpenCV cannot read it.

    16 bits become 8, grey is repeated, CMYK and palettes are converted. Alpha is dropped, colours stay as they are
    stored; only of a TIFF, OpenCV lays them over black. Of several frames or pages the first counts.
    """
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # sides or pixels above OpenCV's own limits
        return None
    if image is None:
        return None
    image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)  # many times as fast as image[..., ::-1] made contiguous
    turns, axis = avif_turn(data)  # OpenCV turns the other formats
    image = np.rot90(image, turns)
    if axis is not None:
        image = image[:, ::-1] if axis else image[::-1]
    return np.ascontiguousarray(image)


def decode_strictly(data: bytes) -> tuple[np.ndarray | None, str]:
    """:func:`decode`, and the decoder's words where data are damaged, else an empty text.

    OpenCV returns what libjpeg could make of a damaged file; the warning goes to the process's stderr, which is
    caught meanwhile, in one thread at a time. What others write there in the meantime is passed on.
    """
    with native_stderr_hidden() as log:
        image = decode(data)
        text = log.read_text(errors="replace")
    if not text:
        return image, ""
    others = _LINES.sub("", text)
    if others:
        os.write(2, others.encode())
    found = next((each[0] for each in _DAMAGE.finditer(text) if not _is_padding(each[0], data)), "")
    return image, found.strip()


def ends_grey(data: bytes, image: np.ndarray) -> bool:
    """Whether a JPEG may break off before its end marker: the rest of such a picture is mid grey.

    After turning upright the last pixel is in one of the corners.
    """
    return data[:2] == JPEG and bool((image[:: len(image) - 1 or 1, :: image.shape[1] - 1 or 1] == _GREY).all(-1).any())


def _is_padding(words: str, data: bytes) -> bool:
    """Whether the bytes between the last pixel and the end marker are filling, as some cameras write it."""
    found = _PADDING.fullmatch(words)
    if not found:
        return False
    end = data.find(END, jpeg_header(data).scan)
    return len(set(data[end - int(found[1]) : end])) == 1
