"""MP4 files taken apart: boxes with their sizes, and the index moved to the front, as players on the web want it."""

import struct
from collections.abc import Iterator

HOLDERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"udta")


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int, bytes]]:
    """Place, size and name of each box, those inside others too."""
    end = len(data) if end is None else end
    while start + 8 <= end:
        size, name = struct.unpack_from(">I4s", data, start)
        size = size if 8 <= size <= end - start else end - start
        yield start, size, name
        if name in HOLDERS:
            yield from boxes(data, start + 8, start + size)
        start += size


def index_first(data: bytes) -> bytes:
    """The same film with ``moov`` before the frames: cut in half, it still opens."""
    tops = [(place, size, name) for place, size, name in boxes(data) if name in (b"ftyp", b"moov", b"mdat", b"free")]
    parts = {name: data[place : place + size] for place, size, name in tops}
    moov, media = bytearray(parts[b"moov"]), next(place for place, _, name in tops if name == b"mdat")
    moved = len(parts[b"ftyp"]) + len(moov) - media
    for place, _, name in boxes(bytes(moov)):
        if name == b"stco":
            (count,) = struct.unpack_from(">I", moov, place + 12)
            for index in range(count):
                (old,) = struct.unpack_from(">I", moov, place + 16 + 4 * index)
                struct.pack_into(">I", moov, place + 16 + 4 * index, old + moved)
    return parts[b"ftyp"] + bytes(moov) + parts[b"mdat"]
