"""Data sets by name. A new source is one file with a loader, and one line here."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from cunet_tf.data.geometry import tight_box
from cunet_tf.data.sample import Source
from cunet_tf.errors import CUNetError, did_you_mean
from cunet_tf.skeletons import Skeleton

BOXES = ("tight", "given", "official")
USUAL_BOX = {"mpii": "official", "coco": "given", "yolo": "given"}  # without a wish; tight, where not named


@dataclass(frozen=True)
class Request:
    """What the command line asks of a source.

    Attributes:
        root: folder of the data set; drawn data needs none.
        split: a split's name, see each loader.
        skeleton: landmarks of the model, for sources that can serve several (drawn data).
        allow_missing: go on without absent parts and name them in the result.
        box: ``"tight"``, around the points, ``"given"`` by the data, or ``"official"``; ``None`` takes the data's own,
            else tight ones.
        problems: a list that takes the faults of single samples, which are then left out;
            without it the first fault is raised.
        allow_outside: pictures that the data set's files name may lie outside its folder.
    """

    root: str | None
    split: str
    skeleton: Skeleton | None
    allow_missing: bool = False
    box: str | None = None
    problems: list[CUNetError] | None = None
    allow_outside: bool = False


def _w300(request: Request) -> Source:
    from cunet_tf.data.w300 import load_300w

    if not request.root:
        raise CUNetError("--data=300w needs --root, the folder that holds afw/, helen/, lfpw/, ibug/.")
    return load_300w(request.root, request.split, request.allow_missing, official(request.box), request.problems)


def _lsp(request: Request, extended: bool) -> Source:
    from cunet_tf.data.lsp import load_lsp

    if not request.root:
        raise CUNetError("--data=lsp and lspet need --root, the folder that holds joints.mat and images/.")
    return load_lsp(request.root, request.split, extended, request.problems)


def _mpii(request: Request) -> Source:
    from cunet_tf.data.mpii import load_mpii

    if not request.root:
        raise CUNetError("--data=mpii needs --root, the folder that holds images/ and MPII's annotations.")
    return load_mpii(request.root, request.split, request.allow_outside)


def _folder(request: Request) -> Source:
    from cunet_tf.data.folder import load_folder

    if not request.root:
        raise CUNetError("--data=folder needs --root, the folder that holds landmarks.json or landmarks.csv.")
    return load_folder(request.root, request.split, request.allow_outside)


def _coco(request: Request) -> Source:
    from cunet_tf.data.coco import load_coco

    if not request.root:
        raise CUNetError("--data=coco needs --root, a COCO keypoints .json file, or the folder that holds it.")
    return load_coco(request.root, request.split, request.problems, request.allow_outside)


def _yolo(request: Request) -> Source:
    from cunet_tf.data.yolo import load_yolo

    if not request.root:
        raise CUNetError("--data=yolo needs --root, a data.yaml file, or the folder that holds it.")
    return load_yolo(request.root, request.split, request.problems, request.allow_outside)


def _packed(request: Request) -> Source:
    from cunet_tf.data.records import load_records

    if not request.root:
        raise CUNetError("--data=packed needs --root, the folder that cunet pack has filled (its --out).")
    source = load_records(request.root, request.split)
    if request.box not in (None, source.box):
        raise CUNetError(f"--box={request.box}: the records were cut around {source.box} boxes: leave --box out, or "
                         "pack again with it.")  # fmt: skip
    return source


def _synthetic(request: Request) -> Source:
    from cunet_tf.data.synthetic import load_synthetic

    assert request.skeleton is not None, "drawn data takes the model's landmarks"
    return load_synthetic(request.skeleton, request.split)


SOURCES: dict[str, Callable[[Request], Source]] = {
    "300w": _w300,
    "lsp": partial(_lsp, extended=False),
    "lspet": partial(_lsp, extended=True),
    "mpii": _mpii,
    "folder": _folder,
    "coco": _coco,
    "yolo": _yolo,
    "packed": _packed,
    "synthetic": _synthetic,
}


def load_source(data: str, request: Request) -> Source:
    """The samples of one data set.

    Raises:
        CUNetError: unknown name, or what the loader finds wrong.
    """
    if data not in SOURCES:
        raise CUNetError(f"--data={data}: {did_you_mean(data, SOURCES)}")
    if request.box not in (None, *BOXES):
        raise CUNetError(f"--box={request.box}: {did_you_mean(str(request.box), BOXES)}")
    source = SOURCES[data](request)
    if request.box in (None, source.box):
        return source
    if request.box == "tight":
        return tightened(source)
    raise CUNetError(f"--box={request.box}: {source.name} has {source.box} boxes here: leave --box out.")


def official(box: str | None) -> str:
    """What 300-W's loader knows: official boxes, or tight ones."""
    return "official" if box == "official" else "tight"


def tightened(source: Source) -> Source:
    """The same samples in the tight boxes of their points.

    Raises:
        CUNetError: the points of a sample span no box.
    """
    samples = []
    for sample in source:
        box = tight_box(sample.points, sample.mask) if sample.mask.any() else np.zeros(4)
        if not (box[2:] > box[:2]).any():
            count = int(sample.mask.sum())
            raise CUNetError(f"--box=tight: {sample.name}: {count} points that count make no box: leave --box out.")
        samples.append(replace(sample, box=box))
    return replace(source, samples=samples, box="tight")
