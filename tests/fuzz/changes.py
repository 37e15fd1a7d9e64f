"""Damage that fits any format: bytes set, flipped, cut out, doubled or put in."""

from random import Random

NUMBERS = (0, 1, 2, 3, 4, 5, 7, 10, 127, 128, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1)
FLOATS = (0.0, -0.0, 1.0, -1.0, 5e-324, 1e-45, 1e308, 1e39, float("nan"), float("inf"), -float("inf"))


def bytes_changed(data: bytes, rng: Random) -> bytes:
    """A few places changed."""
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        place, length = rng.randrange(len(data) + 1), rng.choice((1, 1, 2, 4, 8, rng.randrange(64)))
        part = bytes(data[place : place + length])
        kind = rng.randrange(5)
        if kind == 0:
            data[place : place + length] = rng.randbytes(len(part))
        elif kind == 1 and part:
            data[place] ^= 1 << rng.randrange(8)
        elif kind == 2:
            del data[place : place + length]
        elif kind == 3:
            data[place:place] = part
        else:
            data[place : place + length] = rng.choice((b"\0", b"\xff", b"\x80")) * length
    return bytes(data)


def cut(data: bytes, rng: Random) -> bytes:
    """The beginning of a file, or a file with something behind it."""
    if rng.random() < 0.2:
        return data + rng.randbytes(rng.randrange(1, 64))
    return data[: rng.randrange(len(data))]
