"""Write a source as records: pre-cut crops with their annotations, in files of bounded size."""

import collections
import hashlib
import itertools
import os
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import msgspec
import numpy as np

from cunet_tf.data.picture_header import JPEG
from cunet_tf.data.record_cut import Cut, Place, place_of, require_box
from cunet_tf.data.records import Crop, read_columns, read_index
from cunet_tf.data.records_schema import VERSION, WHOSE, Record, Shard, ShardIndex, SplitIndex, stem_of
from cunet_tf.data.sample import Sample, Source, read_bytes
from cunet_tf.data.tfrecord import FRAME, framed
from cunet_tf.errors import CUNetError
from cunet_tf.outputs import claim, json_text
from cunet_tf.reading import fitting
from cunet_tf.spec_schema import SkeletonFields
from cunet_tf.writing import TEMPORARY, replace_file, replace_text, replacing, writing

THREADS = min(os.cpu_count() or 1, 8)  # OpenCV works without Python's lock
AHEAD = 4 * THREADS  # records that are made before they are asked for
FORMATS = ("jpeg", "png")
MB = 1_000_000
Show = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Packing:
    """How records are written.

    Attributes:
        cut: how crops are cut.
        format: ``jpeg`` with whole colour resolution (a JPEG file all of which is kept stays as it is), or ``png``,
            which loses nothing.
        quality: of JPEG, 1 to 100.
        shard_mb: from so many megabytes on a file is full.
    """

    cut: Cut
    format: str = "jpeg"
    quality: int = 95
    shard_mb: float = 100.0

    def encoded(self, image: np.ndarray) -> bytes:
        """A crop ``uint8 [H, W, 3]``, RGB, as the bytes of a file."""
        options = [cv2.IMWRITE_JPEG_QUALITY, self.quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
                   cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]  # fmt: skip
        ending, chosen = (".jpg", options) if self.format == "jpeg" else (".png", [])
        return cv2.imencode(ending, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), chosen)[1].tobytes()


def pack(source: Source, folder: Path, packing: Packing, digest: str, command: str, show: Show) -> SplitIndex:
    """Write a source into a folder; files that an earlier call has finished are kept.

    Args:
        source: whose name and split the records get.
        folder: is made; it may hold other splits.
        packing: how.
        digest: of the source, by which a packing that goes on knows it again.
        command: for the index.
        show: called with samples done and in all.

    Raises:
        CUNetError: a picture cannot be read, the folder holds files of others or another packing of this split, or
            cannot be written.
    """
    stem = stem_of(source.split)
    file = folder / f"{stem}.json"
    claim([file, *folder.glob(f"{stem}-[0-9]*.tfrecord"), *folder.glob(f"{stem}-[0-9]*.index")], "--out")
    index = _begun(file, _plan(source, packing, digest, command))
    for left in folder.glob(f"{TEMPORARY}*-{stem}-[0-9]*"):  # of a killed process
        left.unlink(missing_ok=True)
    done = sum(shard.records for shard in index.shards)
    records = _shown(_records(source, packing, done), done, len(source), show)
    for first in records:
        target = folder / f"{stem}-{len(index.shards):05d}.tfrecord"
        index.shards.append(_write_shard(target, itertools.chain([first], records), packing.shard_mb * MB))
        index.finished = sum(shard.records for shard in index.shards) == len(source)
        replace_text(file, json_text(msgspec.to_builtins(index), indent=1))
    return index


def _plan(source: Source, packing: Packing, digest: str, command: str) -> SplitIndex:
    """The index of a split of which nothing is written."""
    skeleton = fitting(source.skeleton.to_dict(), SkeletonFields, "the skeleton")
    return SplitIndex(
        version=VERSION, data=source.name, split=source.split, samples=len(source), digest=digest, skeleton=skeleton,
        box=source.box, missing=list(source.missing), margin=float(packing.cut.margin),
        detail=float(packing.cut.detail),
        format=packing.format, quality=packing.quality, shard_mb=float(packing.shard_mb), finished=False, shards=[],
        command=command,
    )  # fmt: skip


def _begun(file: Path, plan: SplitIndex) -> SplitIndex:
    """The index of what is there already, as far as it is whole."""
    if not file.exists():
        return plan
    index = read_index(file)
    old, new = index.settings(), plan.settings()
    for name, value in new.items():
        if old[name] != value:
            what = f"{old[name]!r:.60}, not {value!r:.60}"
            raise CUNetError(f"{file}: holds this split packed otherwise ({name} is {what}): remove it and its files, "
                             "or choose another --out.")  # fmt: skip
    whole = list(itertools.takewhile(lambda shard: _is_whole(file.with_name(shard.file), shard), index.shards))
    return msgspec.structs.replace(index, shards=whole, finished=index.finished and len(whole) == len(index.shards))


def _is_whole(file: Path, shard: Shard) -> bool:
    try:
        read_columns(file.with_suffix(".index"), shard)
        return file.stat().st_size == shard.bytes
    except (CUNetError, OSError):
        return False


def _records(source: Source, packing: Packing, start: int) -> Iterator[Record]:
    """Records in order from sample ``start`` on, made by threads a little ahead."""
    origins = _origins(source)
    waiting: collections.deque[Future[Record]] = collections.deque()
    with ThreadPoolExecutor(THREADS) as pool:
        try:
            for sample, origin in itertools.islice(zip(source, origins, strict=True), start, None):
                waiting.append(pool.submit(_record, sample, origin, packing))
                if len(waiting) > AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _shown(records: Iterator[Record], done: int, total: int, show: Show) -> Iterator[Record]:
    for count, record in enumerate(records, done + 1):
        show(count, total)
        yield record


def _origins(source: Source) -> list[str]:
    """Where each picture lies below the folder that all have in common; empty for drawn ones."""
    files = [sample.picture for sample in source if isinstance(sample.picture, Path)]
    common = os.path.commonpath([file.absolute().parent for file in files]) if files else ""

    def origin(sample: Sample) -> str:
        if isinstance(sample.picture, Path):
            return sample.picture.absolute().relative_to(common).as_posix()
        return sample.picture.origin if isinstance(sample.picture, Crop) else ""

    return [origin(sample) for sample in source]


def _record(sample: Sample, origin: str, packing: Packing) -> Record:
    require_box(sample)
    image = sample.load()
    height, width = image.shape[:2]
    place = place_of(packing.cut, sample.box, width, height)
    whole = _whole_file(sample, packing) if place == Place((0, 0), (width, height), 1) else None
    x0, y0, x1, y1 = place.to_crop(sample.box.reshape(2, 2)).ravel().tolist()
    return Record(
        name=sample.name, subset=sample.subset, points=place.to_crop(sample.points).astype("<f4").tobytes(),
        mask=sample.mask.astype("<f4").tobytes(), box=(x0, y0, x1, y1),
        image=whole or packing.encoded(place.cut(image)), size=place.size, picture=origin, picture_size=(width, height),
        corner=place.corner, factor=place.factor, head=None if sample.head is None else sample.head / place.factor,
    )  # fmt: skip


def _whole_file(sample: Sample, packing: Packing) -> bytes | None:
    """The bytes of a JPEG file all of which is kept: encoding it again would only lose."""
    if packing.format != "jpeg" or not isinstance(sample.picture, Path):
        return None
    data = read_bytes(sample.picture)
    return data if data.startswith(JPEG) else None


def _write_shard(file: Path, records: Iterator[Record], limit: float) -> Shard:
    """Write records until the file is full, and their places and annotations beside it."""
    written: list[Record] = []
    ends, checks = [0], []
    with replacing(file) as temporary, writing(file), temporary.open("wb") as stream:
        for record in records:
            record.mark = "" if written else WHOSE
            payload = msgspec.msgpack.encode(record)
            ends.append(ends[-1] + stream.write(framed(payload)))
            checks.append(zlib.crc32(payload))
            written.append(msgspec.structs.replace(record, image=b""))
            if ends[-1] >= limit:
                break
    columns = msgspec.msgpack.encode(_columns(written, np.array(ends), checks))
    replace_file(file.with_suffix(".index"), lambda place: place.write_bytes(columns))
    reduced = sum(record.factor > 1 for record in written)
    return Shard(file.name, len(written), ends[-1], hashlib.sha256(columns).hexdigest(), reduced)


def _columns(records: list[Record], ends: np.ndarray, checks: list[int]) -> ShardIndex:
    heads = [float("nan") if record.head is None else record.head for record in records]
    return ShardIndex(
        names=[record.name for record in records], subsets=[record.subset for record in records],
        pictures=[record.picture for record in records], offsets=ends[:-1].astype("<i8").tobytes(),
        lengths=(np.diff(ends) - FRAME).astype("<i8").tobytes(), checks=np.array(checks, "<u4").tobytes(),
        points=b"".join(record.points for record in records),
        masks=b"".join(record.mask for record in records),
        boxes=np.array([record.box for record in records], "<f8").tobytes(), heads=np.array(heads, "<f8").tobytes(),
    )  # fmt: skip
