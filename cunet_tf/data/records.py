"""``--data=packed``: samples from the records of ``cunet pack``, each picture read when it is asked for."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from cunet_tf.data.records_schema import VERSION, Record, Shard, ShardIndex, SplitIndex, stem_of
from cunet_tf.data.sample import Sample, Source, decode_image
from cunet_tf.data.tfrecord import DAMAGED, FRAME, read_record
from cunet_tf.errors import CUNetError, FaultyFile, did_you_mean
from cunet_tf.outputs import KEY, OURS
from cunet_tf.reading import MIB, fitting, misfit, read_bytes, read_json, require_plain, why_unfit
from cunet_tf.skeletons import Skeleton

AGAIN = "copy it again, or pack again"
MOST_BYTES = 1 << 50  # of a file of records; only a part is ever read


@dataclass(frozen=True, slots=True)
class Crop:
    """The picture of a record; called, it is read and decoded.

    Attributes:
        shard: file of records.
        number: of the record in it, from 0.
        offset, length: bytes before the record, and of its payload.
        check: CRC-32 of the payload.
        name: of the sample.
        origin: the picture that it was cut from, relative to the folder that all have in common; empty for drawn ones.
    """

    shard: Path
    number: int
    offset: int
    length: int
    check: int
    name: str
    origin: str

    def __str__(self) -> str:
        return f"{self.shard}, record {self.number} ({self.name})"

    def read(self) -> Record:
        """The whole record.

        Raises:
            FaultyFile: it is damaged, or another sample's.
        """
        payload = read_record(self.shard, self.offset, self.length, str(self), self.check)
        try:
            record = msgspec.msgpack.decode(payload, type=Record)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise FaultyFile(DAMAGED, str(self), f"no record of cunet pack ({error}): {AGAIN}.") from None
        if record.name != self.name:
            raise FaultyFile(DAMAGED, str(self), f"holds {record.name}, not {self.name}: {AGAIN}.")
        return record

    def __call__(self) -> np.ndarray:
        """The crop, RGB ``uint8 [H, W, 3]``.

        Raises:
            FaultyFile: the record or its picture is damaged.
        """
        return decode_image(str(self), self.read().image)


def load_records(root: str | Path, split: str) -> Source:
    """The samples of a packed split; points, boxes and head sizes are in the pixels of their crops.

    Args:
        root: folder that ``cunet pack`` has filled.
        split: as it was named to ``cunet pack``.

    Raises:
        CUNetError: no such folder or split, an unfinished packing, or a file that is missing, damaged, or of another
            version.
    """
    file = _index_file(Path(root), split)
    index = read_index(file)
    if not index.finished:
        raise CUNetError(f"{file}: packing was stopped: give the same cunet pack command again, which goes on.")
    skeleton = Skeleton.from_dict(msgspec.to_builtins(index.skeleton))
    samples: list[Sample] = []
    for shard in index.shards:
        samples += _samples(file.with_name(shard.file), shard, skeleton.size)
    if len(samples) != index.samples:
        raise CUNetError(f"{file}: {index.samples:,} samples are said and {len(samples):,} are there: {AGAIN}.")
    detail = index.detail if any(shard.reduced for shard in index.shards) else None
    name = f"{index.data} {index.split}"
    return Source("packed", name, skeleton, samples, index.box, tuple(index.missing), index.margin, detail)


def read_index(file: Path) -> SplitIndex:
    """What ``NAME.json`` says.

    Raises:
        CUNetError: no such file of ``cunet pack``, of another version, or damaged.
    """
    content = read_json(file)
    if not isinstance(content, dict) or content.get(KEY) != OURS or "shards" not in content:
        raise CUNetError(f"{file}: no index of records that cunet pack wrote: name another --root or --split.")
    if content.get("version") != VERSION:
        raise CUNetError(f"{file}: version {content.get('version')!r} of the records, this cunet reads {VERSION}: pack "
                         "again, or use the cunet that packed them.")  # fmt: skip
    index = fitting(content, SplitIndex, str(file))
    require_plain([*index.skeleton.names, index.split], str(file))
    if any(Path(shard.file).name != shard.file for shard in index.shards):
        raise CUNetError(f"{file}: records of another folder are named: {AGAIN}.")
    return index


def splits_in(root: Path) -> Iterator[str]:
    """Names of the splits that are packed in a folder."""
    for file in sorted(root.glob("*.json")):
        try:
            yield read_index(file).split
        except CUNetError:
            continue


def _index_file(root: Path, split: str) -> Path:
    if not root.is_dir():
        raise CUNetError(f"--root={root}: no such folder: give the one that cunet pack has filled (its --out).")
    file = root / f"{stem_of(split)}.json"
    if not file.exists() or read_index(file).split != split:
        known = list(splits_in(root))
        hint = did_you_mean(split, known) if known else "No split is packed there."
        raise CUNetError(f"--root={root}: split {split!r} is not packed there. {hint}")
    return file


def _samples(file: Path, shard: Shard, landmarks: int) -> Iterator[Sample]:
    """Samples of one shard, from the columns beside it."""
    fault = why_unfit(file, MOST_BYTES)
    if fault:
        raise CUNetError(f"{file}: {fault} Copy this file of records too, or pack again.")
    size = os.stat(file).st_size
    if size != shard.bytes:
        raise CUNetError(f"{file}: {size:,} bytes, the index says {shard.bytes:,}: {AGAIN}.")
    columns = read_columns(file.with_suffix(".index"), shard)
    count = shard.records

    def column(name: str, kind: str, *shape: int) -> np.ndarray:
        data = getattr(columns, name)
        if len(data) != count * int(np.prod(shape)) * np.dtype(kind).itemsize:
            raise CUNetError(f"{file.with_suffix('.index')}, {name}: {len(data):,} bytes do not fit: {AGAIN}.")
        return np.frombuffer(data, kind).reshape(count, *shape)

    offsets, lengths = column("offsets", "<i8").tolist(), column("lengths", "<i8").tolist()
    checks = column("checks", "<u4").tolist()
    points, masks = column("points", "<f4", landmarks, 2), column("masks", "<f4", landmarks)
    boxes, heads = column("boxes", "<f8", 4), column("heads", "<f8").tolist()
    texts = zip(columns.names, columns.subsets, columns.pictures, strict=True)
    for number, (name, subset, picture) in enumerate(texts):
        offset, length = offsets[number], lengths[number]
        if not 0 <= offset <= offset + length + FRAME <= size:
            raise CUNetError(f"{file.with_suffix('.index')}, record {number}: lies outside of its file: {AGAIN}.")
        crop = Crop(file, number, offset, length, checks[number], name, picture)
        head = None if np.isnan(heads[number]) else heads[number]
        yield Sample(name, subset, points[number], masks[number], boxes[number], crop, head)


def read_columns(file: Path, shard: Shard) -> ShardIndex:
    """The columns beside a shard.

    Raises:
        CUNetError: they are missing or damaged.
    """
    data = read_bytes(file, 4096 * MIB)
    if hashlib.sha256(data).hexdigest() != shard.sha256_of_index:
        raise CUNetError(f"{file}: not the file that was written with {shard.file}: {AGAIN}.")
    try:
        columns = msgspec.msgpack.decode(data, type=ShardIndex)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        what = " ".join(misfit(error)) if isinstance(error, msgspec.ValidationError) else str(error)
        raise CUNetError(f"{file}: not readable ({what}): {AGAIN}.") from None
    if not len(columns.names) == len(columns.subsets) == len(columns.pictures) == shard.records:
        raise CUNetError(f"{file}, names: not {shard.records:,} of them: {AGAIN}.")
    return columns
