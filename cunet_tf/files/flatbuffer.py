"""Reading a FlatBuffers file of unknown origin: every offset is looked at before it is followed.

LiteRT's generated Python reader follows whatever it finds, as often as a file says so: a few hundred kilobytes whose
vectors name the same table again and again would keep it busy for days. Here each table counts.
"""

import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cunet_tf.errors import CUNetError

MOST_TABLES = 200_000  # of a file, each counted as often as it is named; the shipped networks have about 1,500


def damaged(what: str) -> CUNetError:
    """The error of a file that cannot be what its writer wrote."""
    return CUNetError(f"damaged TensorFlow Lite model ({what}): export it again.")


@dataclass
class Source:
    """The bytes of a file, and the tables that may still be read of it."""

    data: bytes
    left: int = field(default=MOST_TABLES)

    def number(self, form: str, place: int) -> Any:
        """One number, in :mod:`struct`'s notation.

        Raises:
            CUNetError: it lies outside.
        """
        if not 0 <= place <= len(self.data) - struct.calcsize(form):
            raise damaged(f"an offset leads to byte {place:,} of {len(self.data):,}")
        return struct.unpack_from(form, self.data, place)[0]

    def behind(self, place: int) -> int:
        """Where the offset at a place leads."""
        return place + self.number("<I", place)


class Table:
    """One table; fields are counted from 0 in the order of the schema.

    Raises:
        CUNetError: it lies outside the file, or the file has too many.
    """

    __slots__ = ("_place", "_size", "_source", "_vtable")

    def __init__(self, source: Source, place: int):
        source.left -= 1
        if source.left < 0:
            raise damaged(f"more than {MOST_TABLES:,} tables")
        self._source, self._place = source, place
        self._vtable = place - source.number("<i", place)
        self._size = source.number("<H", self._vtable)

    @classmethod
    def root(cls, data: bytes) -> "Table":
        """The outermost table of a file."""
        source = Source(data)
        return cls(source, source.behind(0))

    def _field(self, index: int) -> int:
        """Place of a field, 0 where it is left out."""
        entry = 4 + 2 * index
        offset = self._source.number("<H", self._vtable + entry) if entry + 2 <= self._size else 0
        return self._place + offset if offset else 0

    def number(self, index: int, form: str, default: int = 0) -> Any:
        """A number, in :mod:`struct`'s notation."""
        place = self._field(index)
        return self._source.number(form, place) if place else default

    def table(self, index: int) -> "Table | None":
        """A table inside."""
        place = self._field(index)
        return Table(self._source, self._source.behind(place)) if place else None

    def tables(self, index: int) -> "list[Table]":
        """A vector of tables."""
        place, count = self._vector(index, 4)
        return [Table(self._source, self._source.behind(place + 4 * each)) for each in range(count)]

    def numbers(self, index: int, dtype: str) -> np.ndarray:
        """A vector of numbers, not copied."""
        kind = np.dtype(dtype)
        place, count = self._vector(index, kind.itemsize)
        return np.frombuffer(self._source.data, kind, count, place) if count else np.zeros(0, kind)

    def text(self, index: int) -> str:
        """A string, for messages and comparisons."""
        return self.numbers(index, "u1")[:1000].tobytes().decode("utf-8", "replace")

    def _vector(self, index: int, width: int) -> tuple[int, int]:
        """Where a vector's entries begin, and how many there are; none where the field is left out."""
        field = self._field(index)
        if not field:
            return 0, 0
        start = self._source.behind(field)
        count = self._source.number("<I", start)
        if count * width > len(self._source.data) - start - 4:
            raise damaged(f"a list of {count:,} entries runs past the end")
        return start + 4, count
