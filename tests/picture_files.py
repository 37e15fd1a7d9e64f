"""Bytes of small picture files, and parts of them, written by hand."""

import struct
import zlib


def exif(orientation: int, order: str = ">") -> bytes:
    """EXIF data, a TIFF header and one entry, that say how a picture is turned."""
    mark = b"MM" if order == ">" else b"II"
    return mark + struct.pack(f"{order}HIHHHIHHI", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def exif_segment(orientation: int, order: str = ">") -> bytes:
    """The same as a segment of a JPEG."""
    body = b"Exif\0\0" + exif(orientation, order)
    return b"\xff\xe1" + struct.pack(">H", 2 + len(body)) + body


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG with its checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises a size and holds nearly nothing."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(b"0")) + png_chunk(b"IEND", b"")


def webp_with_exif(webp: bytes, width: int, height: int, data: bytes) -> bytes:
    """A simple WebP file in the extended layout, with EXIF data."""
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBP" + b"VP8X" + struct.pack("<I", 10) + bytes([8, 0, 0, 0]) + sides + webp[12:]
    body += b"EXIF" + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def tiff(rgb: bytes, width: int, height: int, orientation: int, order: str = "<") -> bytes:
    """An uncompressed TIFF of three bytes a pixel."""
    bits = 8 + 2 + 12 * 10 + 4
    entries = [(256, 3, 1, width), (257, 3, 1, height), (258, 3, 3, bits), (259, 3, 1, 1), (262, 3, 1, 2),
               (273, 4, 1, bits + 6), (274, 3, 1, orientation), (277, 3, 1, 3), (278, 3, 1, height),
               (279, 4, 1, len(rgb))]  # fmt: skip
    rows = b"".join(
        struct.pack(f"{order}HHIHH", *entry, 0)
        if entry[1] == 3 and entry[2] == 1
        else struct.pack(f"{order}HHII", *entry)
        for entry in entries
    )
    mark = b"II" if order == "<" else b"MM"
    head = mark + struct.pack(f"{order}HIH", 42, 8, len(entries))
    return head + rows + bytes(4) + struct.pack(f"{order}HHH", 8, 8, 8) + rgb
