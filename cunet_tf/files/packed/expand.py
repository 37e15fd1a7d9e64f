"""Runs the program of a ``.cunet`` file: its sections to the bytes of the ``.tflite`` file.

Needs numpy and the standard library only. Layout: ``docs/packed-format.md``.
"""

import hashlib
import math
from collections.abc import Callable

import numpy as np

from cunet_tf.files.blocks import BLOCK_KERNEL, PIXEL_KERNEL, PLACES
from cunet_tf.files.packed.layout import COPY, EXPONENT, GROUP, LAST_OPS, LEVEL_BITS, PEAK, TRIT_BYTES, Op
from cunet_tf.files.packed.numbers import LIMIT, TRITS, bias_steps, float16_values, kernel_scales, whole_biases
from cunet_tf.files.packed.reader import damaged, read_header, read_section

FIRST = ("spec", "program", "groups", "links")  # read as a whole
KEPT = ("scale_low", "scale_high")  # sections that are read by group, in no order
CHUNK = 1 << 16  # weights that are unpacked at a time, a multiple of 8


def expand(container: bytes) -> bytes:
    """The ``.tflite`` file that was packed, byte for byte.

    Takes memory for about three times the expanded file (at most 64 MiB), whatever the bytes say.

    Raises:
        CUNetError: not a container, a newer version, or damaged.
    """
    header = read_header(container)
    sections = {name: np.frombuffer(read_section(container, header, name), np.uint8) for name in header.sections}
    expansion = Expansion(sections, header.size, header.version)
    expansion.run()
    expansion.link()
    if hashlib.sha256(expansion.out.data).digest() != header.digest:
        raise damaged("the expanded model has another SHA-256 than the header says")
    return expansion.out.tobytes()


def varints(data: bytes) -> list[int]:
    """All numbers of a byte string: 7 bits in a byte, lowest first, the top bit set on all but the last.

    Raises:
        CUNetError: the last number is cut off, or one is above 2^32 - 1.
    """
    numbers, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            if value >> 32:
                raise damaged("a number is above 32 bits")
            numbers.append(value)
            value = shift = 0
        elif shift == 35:
            raise damaged("a number is above 32 bits")
    if shift:
        raise damaged("a section ends inside a number")
    return numbers


class Expansion:
    """A file in the making.

    Args:
        sections: name -> plain bytes, uint8.
        size: of the file.
        version: of the layout.
    """

    def __init__(self, sections: dict[str, np.ndarray], size: int, version: int):
        self.last_op = LAST_OPS[version]
        self.sections, self.places = sections, dict.fromkeys(sections, 0)
        self.out, self.at = np.empty(size, np.uint8), 0
        self.group = 0
        self._read_groups()

    def _read_groups(self) -> None:
        low, high = (self.sections[name] for name in KEPT)
        if len(low) != len(high) or len(self.sections["groups"]) % np.dtype(GROUP).itemsize:
            raise damaged("section groups or scale_high has a wrong length")
        records = self.sections["groups"].view(GROUP)
        self.ends = np.cumsum(records["n"], dtype=np.int64)
        self.counts, self.steps = records["n"].astype(np.int64), records["s"]
        if len(low) != self.counts.sum() or (self.counts < 1).any():
            raise damaged("the filters of section groups are not those of scale_low")
        bits, self.peaks = float16_values(low, high)
        if (bits - 1 >= EXPONENT - 1).any():  # zero, negative, infinite or no number
            raise damaged("a filter's scale is not a positive number")
        if not (np.isfinite(self.steps) & (self.steps > 0)).all():
            raise damaged("an input's step in section groups is not a positive number")

    def run(self) -> None:
        """Carry out the program.

        Raises:
            CUNetError: an operation is unknown, leaves the file or a section, or something is left over.
        """
        numbers = iter(varints(self.sections["program"].tobytes()))
        for code in numbers:
            if code not in OPERATIONS or code > self.last_op:
                raise damaged(f"operation {code} is unknown")
            method, arguments = OPERATIONS[code]
            values = [next(numbers, None) for _ in range(arguments)]
            if None in values:
                raise damaged("the program ends inside an operation")
            method(self, *values)
        if self.at != len(self.out):
            raise damaged(f"the program writes {self.at} of {len(self.out)} bytes")
        for name, data in self.sections.items():
            if name not in (*FIRST, *KEPT) and self.places[name] != len(data):
                raise damaged(f"section {name} is not used up by the program")

    def link(self) -> None:
        """Add positions to the words that ``links`` names.

        Raises:
            CUNetError: a word is outside the file or named twice.
        """
        moves = np.asarray(varints(self.sections["links"].tobytes()), np.int64)
        places = np.cumsum(moves)
        if len(moves) and ((moves[1:] < 1).any() or (places[-1] + 1) * 4 > len(self.out)):
            raise damaged("section links names a word twice or outside the file")
        words = self.out[: len(self.out) // 4 * 4].view("<u4")
        words[places] += (places * 4).astype(np.uint32)

    def _room(self, n: int) -> np.ndarray:
        """The next n bytes of the file."""
        if not 1 <= n <= len(self.out) - self.at:
            raise damaged(f"an operation writes {n} bytes at {self.at} of {len(self.out)}")
        self.at += n
        return self.out[self.at - n : self.at]

    def _take(self, name: str, n: int) -> np.ndarray:
        """The next n bytes of a section."""
        start = self.places[name]
        if n > len(self.sections[name]) - start:
            raise damaged(f"section {name} is shorter than the program needs")
        self.places[name] = start + n
        return self.sections[name][start : start + n]

    def copy(self, n: int) -> None:
        """Bytes of the four ``copy`` sections, by position modulo 4."""
        start, room = self.at, self._room(n)
        for index in range(min(n, 4)):
            part = room[index::4]
            part[:] = self._take(COPY[(start + index) % 4], len(part))

    def words(self, n: int) -> None:
        """32-bit words from their differences."""
        start = self.at
        if start % 4:
            raise damaged("a list of words does not start at a multiple of 4")
        self.copy(4 * n)
        words = self.out[start : self.at].view("<u4")
        np.cumsum(words, dtype=np.uint32, out=words)

    def fill(self, n: int, value: int) -> None:
        """One value n times."""
        if value > 255:
            raise damaged(f"{value} is no byte to fill with")
        self._room(n)[:] = value

    def spec(self) -> None:
        """The self-description."""
        self._room(len(self.sections["spec"]))[:] = self.sections["spec"]

    def bits(self, n: int) -> None:
        """A binary kernel: +-127."""
        room = self._room(n)
        signs = np.unpackbits(self._take("bits", (n + 7) // 8), count=n, bitorder="little")
        np.left_shift(signs, 1, out=room)
        np.subtract(256 - PEAK, room, out=room)  # 1 to 127, 0 to 129 = -127

    def trits(self, n: int) -> None:
        """A ternary kernel: +-127 and 0."""
        room, packed = self._room(n), self._take("trits", (n + 4) // 5)
        if packed.max() >= TRIT_BYTES:
            raise damaged(f"section trits has a byte above {TRIT_BYTES - 1}")
        room[:] = TRITS[packed].reshape(-1)[:n]

    def raw(self, n: int) -> None:
        """An int8 kernel as it is."""
        self._room(n)[:] = self._take("raw", n)

    def blocks(self, n: int) -> None:
        """An int8 kernel on blocks of pixels, from what it is on pixels."""
        filters = self._room(n * math.prod(BLOCK_KERNEL)).reshape(n, -1)
        filters[:] = 0
        filters[:, PLACES] = self._take("raw", n * math.prod(PIXEL_KERNEL)).reshape(n, -1)

    def levels(self, n: int) -> None:
        """A k-bit kernel, a byte for each weight."""
        self._room(n)[:] = self._take("levels", n)

    def level_bits(self, k: int, n: int) -> None:
        """A k-bit kernel at its bits: two's complement."""
        if k not in LEVEL_BITS:
            raise damaged(f"weights of {k} bits")
        room, packed = self._room(n), self._take("levels", (n * k + 7) // 8)
        for start in range(0, n, CHUNK):
            part = room[start : start + CHUNK]
            bits = np.unpackbits(packed[start * k // 8 :], count=len(part) * k, bitorder="little").reshape(-1, k)
            part[:] = bits @ (1 << np.arange(k)).astype(np.uint8) - (bits[:, -1].astype(np.uint8) << k if k < 8 else 0)

    def scales(self, step: int) -> None:
        """The steps of a group's filters."""
        self._floats(kernel_scales(self._select(step)[0]))

    def bias_scales(self, step: int) -> None:
        """The steps of a group's biases."""
        peaks, step_in = self._select(step)
        with np.errstate(all="ignore"):
            self._floats(bias_steps(step_in, peaks).astype("<f4"))

    def biases(self, step: int) -> None:
        """The biases of a group as multiples of their steps, halves away from zero."""
        peaks, step_in = self._select(step)
        bits, values = float16_values(*(self._take(name, len(peaks)) for name in ("bias_low", "bias_high")))
        wholes = whole_biases(bits, values, bias_steps(step_in, peaks))
        if not (np.abs(wholes) < LIMIT).all():
            raise damaged("a bias is above 32 bits")
        self._room(4 * len(wholes))[:] = wholes.astype("<i4").view(np.uint8)

    def _select(self, step: int) -> tuple[np.ndarray, float]:
        """Move to another group; its filters' largest values and its input's step."""
        self.group += (step >> 1) ^ -(step & 1)
        if not 0 <= self.group < len(self.counts):
            raise damaged(f"the program names group {self.group} of {len(self.counts)}")
        end = self.ends[self.group]
        return self.peaks[end - self.counts[self.group] : end], float(self.steps[self.group])

    def _floats(self, singles: np.ndarray) -> None:
        if not (np.isfinite(singles) & (singles > 0)).all():
            raise damaged("a scale does not fit into 32 bits")
        self._room(4 * len(singles))[:] = singles.view(np.uint8)


OPERATIONS: dict[int, tuple[Callable[..., None], int]] = {
    Op.COPY: (Expansion.copy, 1),
    Op.FILL: (Expansion.fill, 2),
    Op.SPEC: (Expansion.spec, 0),
    Op.BITS: (Expansion.bits, 1),
    Op.TRITS: (Expansion.trits, 1),
    Op.RAW: (Expansion.raw, 1),
    Op.SCALES: (Expansion.scales, 1),
    Op.BIAS_SCALES: (Expansion.bias_scales, 1),
    Op.BIASES: (Expansion.biases, 1),
    Op.WORDS: (Expansion.words, 1),
    Op.BLOCKS: (Expansion.blocks, 1),
    Op.LEVELS: (Expansion.levels, 1),
    Op.LEVEL_BITS: (Expansion.level_bits, 2),
}  # fmt: skip
