"""Packs a ``.tflite`` file into a ``.cunet`` container. Layout: ``docs/packed-format.md``."""

import hashlib
import zlib
from collections import defaultdict

import numpy as np

from cunet_tf.errors import CUNetError
from cunet_tf.export.packed.vectors import Piece, Vectors
from cunet_tf.files.blocks import BLOCK_KERNEL, from_blocks
from cunet_tf.files.packed.expand import expand
from cunet_tf.files.packed.layout import (
    COPY,
    GROUP,
    HEAD,
    MARK,
    MAX_SIZE,
    MAX_SMALL,
    MIB,
    PEAK,
    SECTION_COUNTS,
    SECTIONS,
    SIZES,
    Op,
)
from cunet_tf.files.tflite import IDENTIFIER

SHARED = 4  # a description that fewer tables refer to is not worth its links
STRATEGIES = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY)


def pack(tflite: bytes) -> bytes:
    """A container that expands to just these bytes, which is checked.

    Any model can be packed; int8 ones of a deploy twin shrink most.

    Raises:
        CUNetError: not a TensorFlow Lite model, a damaged one, or one that is too large.
    """
    if tflite[4:8] != IDENTIFIER:
        raise CUNetError(f"not a TensorFlow Lite model (no {IDENTIFIER.decode()} mark): export it again.")
    if len(tflite) > MAX_SIZE:
        raise CUNetError(f"a model of {len(tflite)} bytes cannot be packed, the limit is {MAX_SIZE // MIB} MiB.")
    data = np.frombuffer(tflite, np.uint8)
    try:
        pieces = Vectors(data).pieces()
    except Exception as error:  # the generated reader raises whatever a damaged offset leads to
        raise CUNetError(f"damaged TensorFlow Lite model: {type(error).__name__}: {error}") from None
    ways = (False, True) if any(piece.op is Op.LEVELS for piece in pieces) else (False,)
    digest = hashlib.sha256(tflite).digest()
    container = min(
        (assemble(_Sections(data, pieces, at_bits).sections(), len(tflite), digest) for at_bits in ways), key=len
    )
    try:
        same = expand(container) == tflite
    except CUNetError:
        same = False
    if not same:
        raise CUNetError("this model does not survive packing byte for byte: use the .tflite file, and report it.")
    return container


def assemble(sections: dict[str, bytes], size: int, digest: bytes) -> bytes:
    """Header, sections and checksum, in the earliest version from 2 on that has all that is needed.

    Args:
        sections: plain bytes; those that are absent are empty.
        size: of the expanded file.
        digest: its SHA-256.
    """
    version = 3 if sections.get("levels") else 2
    plain = [sections.get(name, b"") for name in SECTIONS[: SECTION_COUNTS[version]]]
    stored = [deflated(data) for data in plain]
    head = HEAD.pack(MARK, version, len(plain), size, digest)
    sizes = (SIZES.pack(len(short), len(data)) for short, data in zip(stored, plain, strict=True))
    return with_crc(b"".join((head, *sizes, *stored)))


def with_crc(body: bytes) -> bytes:
    """A container's bytes with their checksum behind them."""
    return body + zlib.crc32(body).to_bytes(4, "little")


def deflated(data: bytes) -> bytes:
    """The shortest zlib stream of a few attempts, or the bytes themselves where none is shorter."""
    best = data
    for strategy in STRATEGIES:
        packer = zlib.compressobj(9, memLevel=9, strategy=strategy)
        short = packer.compress(data) + packer.flush()
        best = short if len(short) < len(best) else best
    return best


def varint(number: int) -> bytes:
    """7 bits in a byte, lowest first, the top bit set on all but the last."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes((*out, number))


class _Sections:
    """Turns pieces into the plain bytes of the sections.

    Args:
        data: the model, uint8.
        pieces: of it.
        at_bits: k-bit kernels at their bits; else a byte a weight, which the section's entropy coding shortens.
    """

    def __init__(self, data: np.ndarray, pieces: list[Piece], at_bits: bool = False):
        self.data, self.pieces, self.at_bits = data.copy(), pieces, at_bits
        self.parts: dict[str, list[bytes]] = defaultdict(list)
        self.group = 0
        self.groups = list(dict.fromkeys(piece.group for piece in pieces if piece.group is not None))
        self.numbers = {group: number for number, group in enumerate(self.groups)}

    def sections(self) -> dict[str, bytes]:
        """All sections that are not empty, inflated."""
        self._link(self._gaps())
        for start, stop, piece in self._steps():
            if piece is None:
                self._emit(Op.COPY, stop - start)
                self._copy(start, stop)
            else:
                getattr(self, "_" + piece.op.name.lower())(piece, self.data[piece.start : piece.stop])
        self._write_groups()
        return {name: b"".join(parts) for name, parts in self.parts.items()}

    def _steps(self) -> list[tuple[int, int, Piece | None]]:
        """The whole file from front to back: pieces, and ``None`` for what lies between them."""
        steps: list[tuple[int, int, Piece | None]] = []
        end = 0
        for piece in self.pieces:
            if piece.start > end:
                steps.append((end, piece.start, None))
            steps.append((piece.start, piece.stop, piece))
            end = piece.stop
        if len(self.data) > end:
            steps.append((end, len(self.data), None))
        return steps

    def _gaps(self) -> np.ndarray:
        """Numbers of the words that are copied as a whole."""
        spans = [np.arange(-(-start // 4), stop // 4) for start, stop, piece in self._steps() if piece is None]
        return np.concatenate([np.zeros(0, np.int64), *spans])

    def _link(self, words: np.ndarray) -> None:
        """Tables begin with the distance to their description: store where it is, for all alike."""
        values = self.data[: len(self.data) // 4 * 4].view("<u4")
        targets = words * 4 - values[words].view("<i4")
        inside = (targets > 0) & (targets < len(self.data))
        words, targets = words[inside], targets[inside]
        _, index, counts = np.unique(targets, return_inverse=True, return_counts=True)
        words = words[counts[index] >= SHARED]
        links = b"".join(varint(int(move)) for move in np.diff(words, prepend=0))
        if len(links) <= MAX_SMALL:
            values[words] -= (words * 4).astype(np.uint32)
            self.parts["links"].append(links)

    def _emit(self, op: Op, *numbers: int) -> None:
        self.parts["program"].append(b"".join(map(varint, (op, *numbers))))

    def _copy(self, start: int, stop: int) -> None:
        for place in range(start, min(stop, start + 4)):
            self.parts[COPY[place % 4]].append(self.data[place:stop:4].tobytes())

    def _words(self, piece: Piece, data: np.ndarray) -> None:
        words = data.view("<u4")
        words[1:] -= words[:-1].copy()
        self._emit(Op.WORDS, len(words))
        self._copy(piece.start, piece.stop)

    def _fill(self, piece: Piece, data: np.ndarray) -> None:
        self._emit(Op.FILL, len(data), int(data[0]))

    def _spec(self, piece: Piece, data: np.ndarray) -> None:
        self._emit(Op.SPEC)
        self.parts["spec"] = [data.tobytes()]

    def _bits(self, piece: Piece, data: np.ndarray) -> None:
        self._emit(Op.BITS, len(data))
        self.parts["bits"].append(np.packbits(data == PEAK, bitorder="little").tobytes())

    def _trits(self, piece: Piece, data: np.ndarray) -> None:
        self._emit(Op.TRITS, len(data))
        digits = np.sign(data.view(np.int8)) + 1
        fives = np.pad(digits, (0, -len(digits) % 5)).reshape(-1, 5)
        self.parts["trits"].append((fives @ 3 ** np.arange(5)).astype(np.uint8).tobytes())

    def _raw(self, piece: Piece, data: np.ndarray) -> None:
        self._emit(Op.RAW, len(data))
        self.parts["raw"].append(data.tobytes())

    def _levels(self, piece: Piece, data: np.ndarray) -> None:
        if not self.at_bits:
            self._emit(Op.LEVELS, len(data))
            self.parts["levels"].append(data.tobytes())
            return
        k = int(np.abs(data.view(np.int8)).max()).bit_length() + 1
        self._emit(Op.LEVEL_BITS, k, len(data))
        bits = data[:, None] >> np.arange(k, dtype=np.uint8) & 1
        self.parts["levels"].append(np.packbits(bits, bitorder="little").tobytes())

    def _blocks(self, piece: Piece, data: np.ndarray) -> None:
        kernel = from_blocks(data.reshape(-1, *BLOCK_KERNEL))
        assert kernel is not None, "a kernel on blocks has its zeros"
        self._emit(Op.BLOCKS, len(kernel))
        self.parts["raw"].append(kernel.tobytes())

    def _scales(self, piece: Piece, data: np.ndarray) -> None:
        assert piece.group is not None, "scales and biases belong to a group"
        number = self.numbers[piece.group]
        step, self.group = number - self.group, number
        self._emit(piece.op, step << 1 if step >= 0 else ~(step << 1))

    _bias_scales = _scales

    def _biases(self, piece: Piece, data: np.ndarray) -> None:
        assert piece.halves is not None, "biases are stored as float16"
        self._scales(piece, data)
        self._halves("bias", piece.halves)

    def _halves(self, name: str, bits: np.ndarray) -> None:
        self.parts[f"{name}_low"].append((bits & 255).astype(np.uint8).tobytes())
        self.parts[f"{name}_high"].append((bits >> 8).astype(np.uint8).tobytes())

    def _write_groups(self) -> None:
        records = np.array([(len(group.halves), group.step) for group in self.groups], GROUP)
        self.parts["groups"].append(records.tobytes())
        for group in self.groups:
            self._halves("scale", group.halves)
