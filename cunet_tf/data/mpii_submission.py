"""MPII's result file for the test part, ``pred_keypoints_mpii.mat``.

The official evaluation takes the test pictures' entries of ``RELEASE.annolist`` with the
predicted joints written into them: a struct array ``pred``, one entry for each test
picture, also for those without people. It finds a person by place and skips those without
``objpos``: order, places and ``objpos`` must be the release's own.
"""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cunet_tf.data.mpii import find
from cunet_tf.data.mpii_release import RELEASE, Picture, centre, number, read_release
from cunet_tf.errors import CUNetError
from cunet_tf.outputs import MARK
from cunet_tf.skeletons import MPII16
from cunet_tf.writing import replace_file

Key = tuple[str, int]
HEADER_TEXT = 116  # bytes of a MAT-file that may hold any text
EMPTY = np.zeros((0, 0))


def write_submission(file: Path | str, results: Mapping[Key, np.ndarray], root: Path | str) -> None:
    """Write the predicted joints of the test people.

    Args:
        file: the ``.mat`` file to write.
        results: (image name, person index) -> points ``[16, 2]``, 0-based picture pixels;
            the index is the 0-based place in ``annorect``, see :func:`person_key`.
        root: MPII's folder, with the official ``.mat`` file.

    Raises:
        CUNetError: no official file, a key that is nobody of the test part, points of
            another shape or not finite, or no points for somebody whom MPII scores.
    """
    from scipy.io import savemat

    release = find(Path(root), RELEASE)
    if release is None:
        raise CUNetError(f"{root}: no {RELEASE} in it or in annot/: a submission needs the official annotations.")
    pictures = [picture for picture in read_release(release) if not picture.training]
    _check(results, pictures)
    entries = [{"image": {"name": picture.name}, "annorect": _people(picture, results)} for picture in pictures]
    path = Path(file)
    stream = io.BytesIO()
    savemat(stream, {"pred": struct_array(entries, ("image", "annorect"))}, do_compression=True)
    text = f"MATLAB 5.0 MAT-file, {{{MARK}}}".encode().ljust(HEADER_TEXT)
    replace_file(path, lambda target: target.write_bytes(text + stream.getvalue()[HEADER_TEXT:]))


def person_key(sample_name: str) -> Key:
    """The key of a sample of ``load_mpii(root, "test")``, read from the official file."""
    image, _, index = sample_name.rpartition("/")
    return image, int(index)


def struct_array(rows: list[dict[str, Any]], fields: tuple[str, ...]) -> np.ndarray:
    """A 1 x N MATLAB struct array; a field that a row lacks is empty."""
    if not rows:
        return EMPTY
    array = np.empty((1, len(rows)), [(field, object) for field in fields])
    for place, row in enumerate(rows):
        array[0, place] = tuple(row.get(field, EMPTY) for field in fields)
    return array


def _check(results: Mapping[Key, np.ndarray], pictures: list[Picture]) -> None:
    people = {(p.name, i): centre(person) for p in pictures for i, person in enumerate(p.people)}
    for (image, index), points in results.items():
        if people.get((image, index)) is None:
            raise CUNetError(
                f"results: {image}, person {index} is nobody of MPII's test part: "
                "the index counts from 0 in annorect, and the person needs objpos."
            )
        shape = np.shape(points)
        if shape != (MPII16.size, 2) or not np.isfinite(points).all():
            raise CUNetError(f"results: {image}, person {index}: finite points [16, 2] are needed, got {list(shape)}.")
    scored = [(p.name, i) for p in pictures for i in sorted(p.single) if people.get((p.name, i)) is not None]
    missing = [key for key in scored if key not in results]
    if missing:
        (image, index), *_ = missing
        raise CUNetError(
            f"results: no points for {len(missing)} of the {len(scored)} people whom MPII scores, "
            f"the first is {image}, person {index}: predict the whole test split."
        )


def _people(picture: Picture, results: Mapping[Key, np.ndarray]) -> np.ndarray:
    """``annorect`` of one picture, as long as the release's."""
    rows = []
    for index, person in enumerate(picture.people):
        row: dict[str, Any] = {}
        middle, scale = centre(person), number(person, "scale")
        if middle:
            row["objpos"] = {"x": middle[0], "y": middle[1]}
        if scale is not None:
            row["scale"] = scale
        if (picture.name, index) in results:
            row["annopoints"] = {"point": _points(results[picture.name, index])}
        rows.append(row)
    return struct_array(rows, ("scale", "objpos", "annopoints"))


def _points(points: np.ndarray) -> np.ndarray:
    """``point(j).{x, y, id}`` in 1-based pixels; ids are 0-based, as in the release."""
    rows = [{"x": float(x) + 1.0, "y": float(y) + 1.0, "id": float(i)} for i, (x, y) in enumerate(points)]
    return struct_array(rows, ("x", "y", "id"))
