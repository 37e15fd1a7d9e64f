"""Write a data set, or a few landmarks of one, as a folder of pictures with ``landmarks.json``."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2

from cunet_tf.data.sample import Sample, Source, raw_bytes
from cunet_tf.errors import CUNetError, did_you_mean
from cunet_tf.outputs import claim, json_text
from cunet_tf.skeletons import Skeleton
from cunet_tf.writing import replace_file, replace_text

ANNOTATIONS = "landmarks.json"
Landmarks = Mapping[str, Sequence[int]]


def write_folder(
    source: Source, folder: Path | str, landmarks: Landmarks | Sequence[str] | None = None,
    flip_pairs: Sequence[tuple[str, str]] | None = None, normalizer: tuple[str, str] | None = None,
    name: str = "custom", split: str | None = None,
) -> Path:  # fmt: skip
    """Pictures and points in the form of :func:`cunet_tf.data.folder.load_folder`.

    Args:
        source: whose samples are written, each with a picture of its own.
        folder: is made; files of ours in it are replaced.
        landmarks: names of those that are kept, all by default; or name -> places in the source's skeleton whose mean
            is the new landmark. A mean counts where all its points are annotated.
        flip_pairs: names that a mirror image swaps; by default those of the source that are kept.
        normalizer: the two names whose distance divides errors.
        name: of the new skeleton.
        split: of every entry; ``None`` leaves the field out.

    Returns:
        The file with the annotations. Boxes are left out: the tight box of the new points is the default.

    Raises:
        CUNetError: the folder holds a ``landmarks.json`` that is not ours, a name is not the source's, or a picture
            cannot be read.
    """
    file = Path(folder, ANNOTATIONS)
    claim([file], "the folder")
    landmarks = _places(source.skeleton, landmarks)
    skeleton: dict[str, object] = {"name": name, "names": list(landmarks)}
    pairs = _kept_pairs(source.skeleton, landmarks) if flip_pairs is None else flip_pairs
    skeleton["flip_pairs"] = [list(pair) for pair in pairs]
    if normalizer is not None:
        skeleton["normalizer"] = list(normalizer)
    images = []
    for index, sample in enumerate(source):
        entry = {"file": _write_picture(sample, Path(folder), index), "points": _points(sample, landmarks)}
        images.append({**entry, "split": split} if split else entry)
    replace_text(file, json_text({"skeleton": skeleton, "images": images}))
    return file


def _places(skeleton: Skeleton, landmarks: Landmarks | Sequence[str] | None) -> Landmarks:
    """Name -> places in the skeleton."""
    if isinstance(landmarks, Mapping):
        return landmarks
    wanted = skeleton.names if landmarks is None else landmarks
    unknown = next((name for name in wanted if name not in skeleton.names), None)
    if unknown is not None:
        raise CUNetError(f"{skeleton.name} has no landmark {unknown!r}. {did_you_mean(unknown, skeleton.names)}")
    return {name: (skeleton.names.index(name),) for name in wanted}


def _kept_pairs(skeleton: Skeleton, landmarks: Landmarks) -> list[tuple[str, str]]:
    """Mirror pairs of which both landmarks are kept as they are."""
    named = [(skeleton.names[left], skeleton.names[right]) for left, right in skeleton.mirror_pairs]
    return [
        pair for pair in named if all(tuple(landmarks.get(name, ())) == (skeleton.names.index(name),) for name in pair)
    ]


def _points(sample: Sample, landmarks: Landmarks) -> list[list[float] | None]:
    """Means of the sample's points, ``None`` where one of them is not annotated."""
    means = [sample.points[list(places)].mean(axis=0) for places in landmarks.values()]
    known = [bool((sample.mask[list(places)] > 0).all()) for places in landmarks.values()]
    return [
        [round(float(value), 3) for value in mean] if there else None for mean, there in zip(means, known, strict=True)
    ]


def _write_picture(sample: Sample, folder: Path, index: int) -> str:
    """A copy of the file, or the drawn picture as PNG; returns its name."""
    ending = sample.picture.suffix if isinstance(sample.picture, Path) else ".png"
    target = folder / f"{index:05d}{ending}"
    if isinstance(sample.picture, Path):
        data = raw_bytes(sample.picture)
    else:
        data = cv2.imencode(".png", sample.load()[..., ::-1])[1].tobytes()
    replace_file(target, lambda place: place.write_bytes(data))
    return target.name
