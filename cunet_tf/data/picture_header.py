"""Width and height of a picture file, read before anything is decoded; and how much of a JPEG its header is.

Every ``_size`` function takes the first bytes of a file and gives (width, height) as stored, not turned upright.
"""

import re
import struct
from dataclasses import dataclass

JPEG, END = b"\xff\xd8", b"\xff\xd9"  # how a JPEG begins and ends
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})  # JPEG markers without a segment behind them
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # segments that hold width and height
_SCAN, _TABLES = 0xDA, 0xC4
_BASELINE = (0xC0, 0xC1)
_ZEROS = bytes(64)


@dataclass(frozen=True)
class JpegHeader:
    """What stands before the first scan of a JPEG.

    Attributes:
        size: (width, height), or ``None``.
        scan: offset of the first scan's data, where the end marker may be looked for: thumbnails, which have
            end markers of their own, are in segments before it. ``None`` where the bytes end earlier.
        dense: whether no picture gives a long run of zero bytes with its codes. So it is with one scan, not
            progressive, in which a row of zero bits in the luminance says other things than "end of block".
    """

    size: tuple[int, int] | None
    scan: int | None
    dense: bool = False


def jpeg_header(data: bytes) -> JpegHeader:
    """Walk the segments of a JPEG up to its first scan."""
    size, place, frame, components, first = None, 2, 0, 0, 0
    while (place := data.find(b"\xff", place)) >= 0 and place + 4 <= len(data):
        marker = data[place + 1]
        if marker == 0xFF:  # fill byte
            place += 1
        elif marker == END[1]:
            return JpegHeader(size, place)
        elif marker == 0 or marker in _ALONE:
            place += 2
        else:
            if marker in _FRAMES and place + 9 <= len(data):
                frame, components = marker, data[place + 9] if place + 9 < len(data) else 0
                height, width = struct.unpack_from(">HH", data, place + 5)
                size = (width, height) if width and height else None
            if marker == _TABLES:
                first = _first_symbol(data, place, first)
            dense = marker == _SCAN and first > 0 and _is_plain(data[place + 4 : place + 7], frame, components)
            place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
            if marker == _SCAN:
                return JpegHeader(size, place if place <= len(data) else None, dense)
    return JpegHeader(size, place if data[place : place + 2] == END else None)


def zero_run(data: bytes) -> bool:
    """Whether a JPEG has a run of zero bytes where its codes allow none: a lost part of a disk or of a download."""
    header = jpeg_header(data) if data.startswith(JPEG) else None
    if header is None or header.scan is None or not header.dense:
        return False
    return data.find(_ZEROS, header.scan, data.find(END, header.scan)) >= 0


def _is_plain(scan: bytes, frame: int, components: int) -> bool:
    """Whether a scan holds all components of a picture that is not progressive, the first one by the AC table 0."""
    return frame in _BASELINE and len(scan) > 2 and scan[0] == components and scan[2] & 15 == 0


def _first_symbol(data: bytes, place: int, otherwise: int) -> int:
    """What the shortest code, all zeros, says in the AC table 0 of a segment, where that is in it."""
    end = place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    place += 4
    while place + 17 < min(end, len(data)):
        if data[place] == 0x10:
            return data[place + 17]
        place += 17 + sum(data[place + 1 : place + 17])
    return otherwise


def picture_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) that the header of a JPEG, PNG, WebP, AVIF, TIFF, GIF, BMP, JPEG 2000, PPM or PGM file says.

    Args:
        data: the file, or its first 64 KB, which suffice in nearly all cases.

    Returns:
        ``None`` for other files and where the header is cut short or damaged.
    """
    try:
        return next((size(data) for begins, size in _FORMATS if begins.match(data)), None)
    except (struct.error, IndexError, ValueError):
        return None


def avif_turn(data: bytes) -> tuple[int, int | None]:
    """Quarter turns anticlockwise, and the axis of a mirror image after them (0: upside down, 1: left to right).

    AVIF says with these how a picture stands upright; EXIF does not count in it. The first such properties of the file
    are taken: files with several pictures, each turned in another way, are not told apart. ``None``: no mirror image.
    """
    if not _AVIF.match(data):
        return 0, None
    turn = re.search(rb"\0\0\0\x09irot(.)", data, re.DOTALL)
    mirror = re.search(rb"\0\0\0\x09imir(.)", data, re.DOTALL)
    return turn[1][0] & 3 if turn else 0, mirror[1][0] & 1 if mirror else None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    return jpeg_header(data).size


def _png_size(data: bytes) -> tuple[int, int]:
    return struct.unpack_from(">II", data, 16)


def _gif_size(data: bytes) -> tuple[int, int]:
    return struct.unpack_from("<HH", data, 6)


def _bmp_size(data: bytes) -> tuple[int, int]:
    old = data[14] == 12  # the header of OS/2
    width, height = struct.unpack_from("<HH" if old else "<ii", data, 18)
    return abs(width), abs(height)  # a negative height: rows from top to bottom


def _webp_size(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if kind == b"VP8X":
        wide, wider, high, higher = struct.unpack_from("<HBHB", data, 24)  # of three bytes each
        return 1 + wide + (wider << 16), 1 + high + (higher << 16)
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _tiff_size(data: bytes) -> tuple[int, int] | None:
    order = "<" if data[:2] == b"II" else ">"
    (place,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, place)
    sides = {}
    for entry in range(place + 2, place + 2 + 12 * count, 12):
        tag, kind = struct.unpack_from(f"{order}HH", data, entry)
        if tag in (256, 257):
            (sides[tag],) = struct.unpack_from(f"{order}{'H' if kind == 3 else 'I'}", data, entry + 8)
    return (sides[256], sides[257]) if len(sides) == 2 else None


def _jp2_size(data: bytes) -> tuple[int, int]:
    if data[:4] == b"\xff\x4f\xff\x51":  # bare codestream: extent of the grid and where the picture begins on it
        right, bottom, left, top = struct.unpack_from(">IIII", data, 8)
        return right - left, bottom - top
    height, width = struct.unpack_from(">II", data, data.index(b"ihdr") + 4)
    return width, height


def _avif_size(data: bytes) -> tuple[int, int] | None:
    sizes = [struct.unpack(">II", each[1]) for each in re.finditer(rb"ispe\0\0\0\0(.{8})", data, re.DOTALL)]
    return max(sizes, key=lambda size: size[0] * size[1], default=None)  # a thumbnail and tiles have theirs, too


def _pnm_size(data: bytes) -> tuple[int, int] | None:
    found = re.match(rb"P[1-6](?:\s|#[^\n]*\n)+(\d{1,9})(?:\s|#[^\n]*\n)+(\d{1,9})\s", data)
    return (int(found[1]), int(found[2])) if found else None


_AVIF = re.compile(rb"....ftyp(?:avif|avis|mif1|msf1)", re.DOTALL)
_FORMATS = [
    (re.compile(JPEG), _jpeg_size),
    (re.compile(rb"\x89PNG\r\n\x1a\n....IHDR", re.DOTALL), _png_size),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), _webp_size),
    (re.compile(rb"GIF8[79]a"), _gif_size),
    (re.compile(rb"BM"), _bmp_size),
    (re.compile(rb"II\*\0|MM\0\*"), _tiff_size),
    (re.compile(rb"\xff\x4f\xff\x51|\0\0\0\x0cjP  "), _jp2_size),
    (re.compile(rb"P[1-6]\s"), _pnm_size),
    (_AVIF, _avif_size),
]
