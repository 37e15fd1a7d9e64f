import struct

import numpy as np
import pytest

from cunet_tf.errors import CUNetError
from cunet_tf.files import flatbuffer
from cunet_tf.files.flatbuffer import Table

# A root table at 12 with three fields: the number 7, two half-words, and a vector of tables.
VTABLE = struct.pack("<HHHHH", 10, 16, 4, 8, 12) + b"\0\0"


def file(entries=(0,), vector=None) -> bytes:
    """Root offset, vtable at 4, root at 16; the vector behind it, whose entries lead to the root."""
    root = 16
    start = root + 16
    table = struct.pack("<iIII", root - 4, 7, start - (root + 8), start - (root + 12))
    data = struct.pack("<I", root) + VTABLE + table
    data += struct.pack("<I", len(entries) if vector is None else vector)
    return data + b"".join(struct.pack("<I", each) for each in entries)


def test_fields():
    table = Table.root(file((1, 2)))
    assert table.number(0, "<I") == 7 and table.number(9, "<I", 5) == 5
    np.testing.assert_array_equal(table.numbers(1, "<i4"), [1, 2])
    assert len(table.numbers(9, "<i4")) == 0 and table.table(9) is None and table.tables(9) == []
    assert table.text(1)[0] == "\1"


@pytest.mark.parametrize(
    "data", [b"", b"\0\0", struct.pack("<I", 2**32 - 1), struct.pack("<II", 4, 2**31), file((1,), 2**32 - 1)]
)
def test_what_lies_outside_is_refused(data):
    with pytest.raises(CUNetError, match="damaged TensorFlow Lite model"):
        Table.root(data).numbers(1, "<i4")


def test_tables_count_as_often_as_they_are_named(monkeypatch):
    inner = struct.pack("<HHi", 4, 4, 4)  # vtable and table of nothing
    data = file([4 * (5 - index) + 4 for index in range(5)]) + inner
    assert len(Table.root(data).tables(2)) == 5
    monkeypatch.setattr(flatbuffer, "MOST_TABLES", 5)
    source = flatbuffer.Source(data, 5)
    with pytest.raises(CUNetError, match="more than 5 tables"):
        Table(source, 16).tables(2)
