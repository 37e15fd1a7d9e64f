"""CRC-32C (Castagnoli), the checksum of TFRecord files, in NumPy.

The checksum is linear over bits: that of a block is the exclusive or of one number for each byte, which depends on the
byte and on how many follow. So a table of them serves all bytes of a block at once, and the state before a block, laid
over its first four bytes, carries on to the next.
"""

import functools

import numpy as np

POLYNOMIAL = 0x82F63B78  # reflected
BLOCK = 1024  # bytes
SHORT = 32  # up to so many bytes a plain loop is faster
MASK = 0xA282EAD8
_ONES = 0xFFFFFFFF


def crc32c(data: bytes) -> int:
    """The checksum of some bytes, 0 to 2^32 - 1."""
    if len(data) <= SHORT:
        return _plain(data)
    table, places, (first, second, third, fourth) = _tables()
    pad = -len(data) % BLOCK  # zeros in front change nothing while the state is zero
    padded = np.zeros(pad + len(data), np.uint8)
    padded[pad:] = np.frombuffer(data, np.uint8)
    padded[pad : pad + 4] ^= 0xFF  # the state at the beginning is all ones
    parts = np.bitwise_xor.reduce(table.take(padded.reshape(-1, BLOCK) + places), axis=1)
    state = 0
    for part in parts.tolist():
        ends = first[state & 0xFF] ^ second[state >> 8 & 0xFF] ^ third[state >> 16 & 0xFF] ^ fourth[state >> 24]
        state = part ^ ends
    return state ^ _ONES


def masked(data: bytes) -> int:
    """The checksum as TFRecord files hold it: turned by 15 bits, and a constant added."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + MASK) & _ONES


def _plain(data: bytes) -> int:
    state, table = _ONES, _byte_table()
    for byte in data:
        state = table[(state ^ byte) & 0xFF] ^ state >> 8
    return state ^ _ONES


@functools.cache
def _byte_table() -> list[int]:
    """What a byte adds to the state."""
    table = list(range(256))
    for _ in range(8):
        table = [value >> 1 ^ POLYNOMIAL * (value & 1) for value in table]
    return table


@functools.cache
def _tables() -> tuple[np.ndarray, np.ndarray, list[list[int]]]:
    """What each byte at each place of a block adds, flat; where a place's row begins; the first four rows as lists."""
    table = np.empty((BLOCK, 256), np.uint32)
    one = table[-1] = np.array(_byte_table(), np.uint32)
    for place in range(BLOCK - 2, -1, -1):  # one more byte follows: a zero
        table[place] = one[table[place + 1] & 0xFF] ^ table[place + 1] >> 8
    return table.ravel(), 256 * np.arange(BLOCK), table[:4].tolist()
