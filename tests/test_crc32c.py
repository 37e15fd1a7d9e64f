import pytest
from hypothesis import given
from hypothesis import strategies as st

from cunet_tf.data.crc32c import BLOCK, _plain, crc32c, masked


# RFC 3720, B.4, and the check value of the catalogue of checksums.
@pytest.mark.parametrize(
    "data, expected",
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
    ],
)
def test_published_values(data, expected):
    assert crc32c(data) == expected
    assert masked(data) == ((expected >> 15 | expected << 17) + 0xA282EAD8) % (1 << 32)


@given(st.integers(0, 4 * BLOCK), st.integers(0, 255), st.binary(max_size=200))
def test_blocks_give_what_a_loop_over_bytes_gives(count, value, end):
    data = bytes([value]) * count + end
    assert crc32c(data) == _plain(data)
