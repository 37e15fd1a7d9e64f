"""Packed ``.cunet`` files: damage in the header, in each section and in the program, with checksums that fit again."""

import functools
import random
import struct
import zlib
from pathlib import Path

from cunet_tf.errors import CUNetError
from cunet_tf.export.packed.report import size_report
from cunet_tf.export.packed.writer import deflated, varint, with_crc
from cunet_tf.files.packed.expand import expand, varints
from cunet_tf.files.packed.layout import CRC_BYTES, HEAD, LAST_OPS, MAX_SIZE, MIB, SIZES, header_bytes
from cunet_tf.files.packed.reader import read_header, read_section, read_spec
from cunet_tf.files.shipped import shipped_models
from tests.fuzz import changes
from tests.fuzz.changes import FLOATS, bytes_changed
from tests.fuzz.target import Target
from tests.packed_cases import example

NUMBERS = (*changes.NUMBERS, MIB, MAX_SIZE, MAX_SIZE + 1)
HALVES = (0x0000, 0x8000, 0x0001, 0x7BFF, 0x7C00, 0x7C01, 0x7E00, 0xFC00, 0xFFFF, 0xBC00)
ENTRY = "model.cunet"
BOMB_BYTES = 80 * MIB


class Source:
    """A sound container, taken apart."""

    def __init__(self, container: bytes):
        self.container, self.expanded = container, expand(container)
        header = read_header(container)
        self.header_bytes = header_bytes(header.version)
        self.plain = {name: read_section(container, header, name) for name in header.sections}
        self.stored = {name: deflated(data) for name, data in self.plain.items()}

    def rebuilt(self, sizes: dict[str, int] | None = None, **stored: bytes) -> bytes:
        """The container with some sections replaced as stored, and their plain sizes as told."""
        sections = {**self.stored, **stored}
        plain = {**{name: len(data) for name, data in self.plain.items()}, **(sizes or {})}
        table = (SIZES.pack(len(sections[name]), min(plain[name], 2**32 - 1)) for name in self.plain)
        return with_crc(b"".join((self.container[: HEAD.size], *table, *sections.values())))


def anywhere(source: Source, rng: random.Random) -> bytes:
    """The file itself, mostly with a checksum that fits again."""
    body = bytes_changed(source.container[:-CRC_BYTES], rng)
    return with_crc(body) if rng.random() < 0.8 else body + source.container[-CRC_BYTES:]


def cut(source: Source, rng: random.Random) -> bytes:
    """The beginning of the file, or the file with something behind it."""
    body = changes.cut(source.container, rng)
    return with_crc(body) if rng.random() < 0.5 else body


def in_header(source: Source, rng: random.Random) -> bytes:
    """A number of the header."""
    body = bytearray(source.container[:-CRC_BYTES])
    for _ in range(rng.choice((1, 1, 2))):
        place = rng.choice((8, 10, 12, *range(HEAD.size, source.header_bytes, 4)))
        old = struct.unpack_from("<I", body, place)[0]
        new = rng.choice((*NUMBERS, old + 1, old - 1, old * 2, old ^ 1 << rng.randrange(32)))
        struct.pack_into("<H" if place < 12 else "<I", body, place, new % (2**16 if place < 12 else 2**32))
    return with_crc(bytes(body))


def in_section(source: Source, rng: random.Random) -> bytes:
    """The inflated bytes of a section, its sizes made to fit."""
    name = rng.choice([name for name in source.plain if source.plain[name]])
    return with_plain(source, name, bytes_changed(source.plain[name], rng))


def with_plain(source: Source, name: str, plain: bytes) -> bytes:
    """Another content of a section, well packed."""
    return source.rebuilt({name: len(plain)}, **{name: deflated(plain)})


def in_numbers(source: Source, rng: random.Random) -> bytes:
    """A number of the program or of the links: another one, one more, one less, two exchanged."""
    name = rng.choice(("program", "program", "program", "links"))
    numbers = varints(source.plain[name])
    for _ in range(rng.choice((1, 1, 2, 3))):
        place = rng.randrange(len(numbers) or 1)
        kind = rng.randrange(5) if numbers else 1
        if kind == 0:
            numbers[place] = max(numbers[place] + rng.choice((-1, 1, 3, 5, 8)), 0)
        elif kind == 1:
            numbers[place : place + 1] = [rng.choice((*NUMBERS, 2**35, 2**63))]
        elif kind == 2:
            numbers[place:place] = [rng.randrange(15), rng.choice(NUMBERS)]
        elif kind == 3:
            del numbers[place : place + rng.choice((1, 2))]
        else:
            other = rng.randrange(len(numbers))
            numbers[place], numbers[other] = numbers[other], numbers[place]
    return with_plain(source, name, b"".join(map(varint, numbers)))


def in_groups(source: Source, rng: random.Random) -> bytes:
    """Counts and steps that no convolution has."""
    if not source.plain["groups"]:
        return in_header(source, rng)
    groups = bytearray(source.plain["groups"])
    start = 12 * rng.randrange(len(groups) // 12)
    if rng.random() < 0.5:
        struct.pack_into("<I", groups, start, rng.choice(NUMBERS))
    else:
        struct.pack_into("<d", groups, start + 4, rng.choice(FLOATS))
    return with_plain(source, "groups", bytes(groups))


def in_halves(source: Source, rng: random.Random) -> bytes:
    """16-bit floats that are no numbers, or extreme ones."""
    kind = rng.choice(("scale", "bias"))
    low, high = (bytearray(source.plain[f"{kind}_{part}"]) for part in ("low", "high"))
    if not low:
        return in_header(source, rng)
    place = rng.randrange(len(low))
    low[place], high[place] = rng.choice(HALVES).to_bytes(2, "little")
    parts = {f"{kind}_low": bytes(low), f"{kind}_high": bytes(high)}
    return source.rebuilt(**{name: deflated(data) for name, data in parts.items()})


@functools.cache
def packed_zeros() -> bytes:
    """80 MiB of zeros in 80 kB."""
    return zlib.compress(bytes(BOMB_BYTES), 9)


def bomb(source: Source, rng: random.Random) -> bytes:
    """A section that inflates to 80 MiB, whatever size is declared; and a file that large."""
    name, packed = rng.choice(list(source.plain)), packed_zeros()
    declared = rng.choice((len(source.plain[name]), MIB, 4 * MIB, len(packed), len(packed) + 1, BOMB_BYTES, 2**32 - 1))
    body = bytearray(source.rebuilt({name: declared}, **{name: packed})[:-CRC_BYTES])
    if rng.random() < 0.5:
        struct.pack_into("<I", body, 12, rng.choice((MAX_SIZE, MAX_SIZE - 1, MIB)))
    return with_crc(bytes(body))


KINDS = {anywhere: 8, cut: 4, in_header: 12, in_section: 20, in_numbers: 30, in_groups: 6, in_halves: 6, bomb: 0.05}


def mutated(source: Source, rng: random.Random) -> bytes:
    """A damaged copy, now and then one damaged twice."""
    kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
    data = kind(source, rng)
    if rng.random() < 0.1 and len(data) > CRC_BYTES:
        data = with_crc(bytes_changed(data[:-CRC_BYTES], rng))
    return data


def read(path: Path) -> None:
    """All that reads containers; what is accepted is the model that was packed.

    Raises:
        CUNetError: refused.
        AssertionError: it was accepted and gave other bytes, or its report does not add up.
    """
    data = path.read_bytes()
    for reader in (read_spec, size_report):
        try:
            result = reader(data)
        except CUNetError:
            continue
        assert reader is read_spec or sum(result.values()) == len(data), "the size report does not add up"
    result = expand(data)
    assert any(result == source.expanded for source in sources()), "another model came out, without an error"


@functools.cache
def sources() -> tuple[Source, ...]:
    """Sound containers; those written by hand, one of each version, serve 99 of 100 times."""
    small = [Source(example(version)) for version in LAST_OPS]
    return (*small, *(Source(file.read_bytes()) for file in shipped_models().values()))


def write(rng: random.Random, folder: Path) -> None:
    """A damaged container."""
    small, large = sources()[: len(LAST_OPS)], sources()[len(LAST_OPS) :]
    source = rng.choice(small if rng.randrange(100) else large)
    (folder / ENTRY).write_bytes(mutated(source, rng))


TARGET = Target("cunet", 300, ENTRY, write=write, read=read, memory=4 * MAX_SIZE)
