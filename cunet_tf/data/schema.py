"""Types and ranges of what annotation files say, checked by msgspec before anything is made of it."""

from typing import Annotated

from msgspec import Meta, Struct

from cunet_tf.reading import FARTHEST
from cunet_tf.skeletons import MPII16
from cunet_tf.spec_schema import MOST_LANDMARKS

MOST_PAIRS = 100_000
Coordinate = Annotated[float, Meta(ge=-FARTHEST, le=FARTHEST)]
Word = Annotated[str, Meta(max_length=200)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Names = Annotated[list[Name], Meta(min_length=1, max_length=MOST_LANDMARKS)]
FileName = Annotated[str, Meta(min_length=1, max_length=1000)]
Box = tuple[Coordinate, Coordinate, Coordinate, Coordinate]
XY = tuple[Coordinate, Coordinate]
Landmark = Annotated[str, Meta(max_length=200)] | Annotated[int, Meta(ge=0, lt=MOST_LANDMARKS)]
Pairs = Annotated[list[tuple[Landmark, Landmark]], Meta(max_length=MOST_PAIRS)]
Point = Annotated[list[Coordinate | bool], Meta(min_length=2, max_length=3)]
Id = int | str


class FolderSkeleton(Struct):
    """The skeleton of ``landmarks.json``, see :mod:`cunet_tf.data.folder`."""

    names: Names
    name: Word = "custom"
    flip_pairs: Pairs | None = None
    edges: Pairs | None = None
    normalizer: tuple[Landmark, Landmark] | None = None


class FolderEntry(Struct):
    """An object in a picture, of ``landmarks.json`` or a row of ``landmarks.csv``."""

    file: FileName
    points: Annotated[list[Point | None], Meta(max_length=MOST_LANDMARKS)]
    split: Word | None = None
    box: Box | None = None


class CocoImage(Struct):
    """A picture, see :mod:`cunet_tf.data.coco`."""

    id: Id
    file_name: FileName


class CocoCategory(Struct):
    """A kind of object; most have no keypoints."""

    id: Id | None = None
    name: Word | None = None
    keypoints: Annotated[list[Name], Meta(max_length=MOST_LANDMARKS)] | None = None
    skeleton: Annotated[list[tuple[int, int]], Meta(max_length=MOST_PAIRS)] | None = None


class CocoAnnotation(Struct):
    """An object; ``keypoints`` holds x, y and v of each landmark."""

    image_id: Id
    category_id: Id | None = None
    iscrowd: int | bool | None = None
    keypoints: Annotated[list[Coordinate], Meta(max_length=3 * MOST_LANDMARKS)] | None = None
    bbox: Annotated[list[Coordinate], Meta(max_length=4)] | None = None


class MpiiPerson(Struct):
    """A person of the JSON excerpt, see :mod:`cunet_tf.data.mpii_json`."""

    image: FileName
    center: XY
    scale: Coordinate


class MpiiLabelled(MpiiPerson, kw_only=True):
    """One whose joints are told."""

    joints: Annotated[list[XY], Meta(min_length=MPII16.size, max_length=MPII16.size)]
    joints_vis: Annotated[list[Coordinate | bool], Meta(min_length=MPII16.size, max_length=MPII16.size)]


class YoloPlaces(Struct):
    """The fields of ``data.yaml`` that name files and folders, see :mod:`cunet_tf.data.yolo`."""

    path: FileName | None = None
    train: FileName | list[FileName] | None = None
    val: FileName | list[FileName] | None = None
    test: FileName | list[FileName] | None = None
