"""What folders of records hold, checked by msgspec on reading.

A split is ``NAME.json``, shards ``NAME-00000.tfrecord`` ... and beside each the places and annotations of its records,
``NAME-00000.index``. Payloads and ``.index`` files are MessagePack; arrays in them are little-endian bytes.
"""

import re
from typing import Annotated, Any

from msgspec import Meta, Struct

from cunet_tf.data.schema import FileName, Word
from cunet_tf.outputs import MARK
from cunet_tf.spec_schema import SkeletonFields

VERSION = 1
WHOSE = f"{{{MARK}}}"  # in all binary files, near their beginning
MOST_SAMPLES = 100_000_000
Count = Annotated[int, Meta(ge=0, le=1 << 50)]
Side = Annotated[float, Meta(gt=0, le=1e6)]


class Record(Struct, kw_only=True, omit_defaults=True):
    """The payload of a record: one object, and its part of the picture.

    Coordinates are (x, y) in the crop's pixels, pixel centres on integers; point p of the picture is
    ``(p - corner + 0.5) / factor - 0.5`` there.

    Attributes:
        mark: in the first record of a file, whose the file is.
        name, subset: of the sample.
        points: float32 ``[C, 2]``.
        mask: float32 ``[C]``, 1 where annotated.
        box: ``[x0, y0, x1, y1]``.
        image: the crop, a JPEG or PNG file.
        size: width and height of the crop.
        head: MPII's head size in the crop's pixels.
        picture: file, relative to the folder that all have in common; empty for drawn ones.
        picture_size: width and height of the picture.
        corner, factor: where the crop lies in it, and how many of its pixels make one.
    """

    mark: str = ""
    name: str
    subset: str
    points: bytes
    mask: bytes
    box: tuple[float, float, float, float]
    image: bytes
    size: tuple[int, int]
    picture: str
    picture_size: tuple[int, int]
    corner: tuple[int, int]
    factor: int
    head: float | None = None


class ShardIndex(Struct, kw_only=True):
    """Places and annotations of the N records of a shard, as columns.

    Attributes:
        mark: whose the file is.
        names, subsets, pictures: of each.
        offsets, lengths: int64 ``[N]``, bytes before a record, and of its payload.
        checks: uint32 ``[N]``, the payload's CRC-32 as of zlib, which is sooner computed than TFRecord's own.
        points, masks, boxes, heads: float32 ``[N, C, 2]``, float32 ``[N, C]``, float64 ``[N, 4]``, float64 ``[N]`` (NaN
            where there is none).
    """

    mark: str = WHOSE
    names: list[str]
    subsets: list[str]
    pictures: list[str]
    offsets: bytes
    lengths: bytes
    checks: bytes
    points: bytes
    masks: bytes
    boxes: bytes
    heads: bytes


class Shard(Struct):
    """A file of records in the index of a split."""

    file: FileName
    records: Annotated[int, Meta(ge=1, le=MOST_SAMPLES)]
    bytes: Count
    sha256_of_index: Annotated[str, Meta(min_length=64, max_length=64)]
    reduced: Count


class SplitIndex(Struct):
    """``NAME.json``: one split.

    Attributes:
        version: of this form.
        data, split: what was packed.
        samples: in all.
        digest: of the annotations and picture files that were packed.
        box, missing: see :class:`cunet_tf.data.sample.Source`.
        margin, detail: see :class:`cunet_tf.data.record_cut.Cut`.
        format, quality: of the crops.
        shard_mb: from which size on a file is full.
        finished: whether all samples are there.
        command: that wrote it.
    """

    version: int
    data: Word
    split: Annotated[str, Meta(max_length=10_000)]
    samples: Annotated[int, Meta(ge=1, le=MOST_SAMPLES)]
    digest: Annotated[str, Meta(min_length=64, max_length=64)]
    skeleton: SkeletonFields
    box: Word
    missing: list[Word]
    margin: Side
    detail: Side
    format: Word
    quality: Annotated[int, Meta(ge=1, le=100)]
    shard_mb: Side
    finished: bool
    shards: list[Shard]
    command: str = ""

    def settings(self) -> dict[str, Any]:
        """What must be equal where a packing goes on."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in fields.items() if name not in ("finished", "shards", "command")}


def stem_of(split: str) -> str:
    """The part of file names that stands for a split; what may not stand in them becomes ``_``."""
    return re.sub(r"[^A-Za-z0-9@.,-]+", "_", split).strip("._-")[:100] or "all"
