"""Leeds Sports Pose and its extension: 14 joints in a joints.mat beside images/im%04d.jpg.

The two files look alike and differ in their third row: LSP's says *occluded* (a hidden joint
is annotated all the same), LSPET's says *labelled* (an unlabelled joint has no position).
"""

from pathlib import Path

import numpy as np

from cunet_tf.data.geometry import tight_box
from cunet_tf.data.matlab import read_matlab
from cunet_tf.data.sample import Sample, Source
from cunet_tf.errors import CUNetError, FaultyFile
from cunet_tf.reading import FARTHEST
from cunet_tf.skeletons import LSP14

# Named 1-based ranges, by data set and number of pictures in the file. LSPET has no official
# test part: the last 1,000 of the 8,054-picture edition are ours.
SPLITS = {
    ("lsp", 2000): {"train": (1, 1000), "test": (1001, 2000)},
    ("lspet", 8054): {"train": (1, 7054), "test": (7055, 8054)},
    ("lspet", 10000): {"train": (1, 10000)},
}


def load_lsp(
    root: str, split: str = "train", extended: bool = False, problems: list[CUNetError] | None = None
) -> Source:
    """LSP, or LSPET when ``extended``.

    Args:
        root: folder with ``joints.mat`` and ``images/``.
        split: ``train``, ``test``, ``all``, or a 1-based range such as ``7055-8054``.
        extended: read LSPET's file layout.
        problems: when given, a picture with faulty joints is left out and its fault
            appended here, instead of raised.

    Returns:
        Person-centric joints, 0-based; the box is the tight box of the annotated joints.

    Raises:
        CUNetError: files are missing, the array has another shape, or the range is empty.
    """
    name, base = ("lspet" if extended else "lsp"), Path(root)
    points, mask = read_joints(base / "joints.mat", extended, refuse_nan=problems is None)
    first, last = parse_split(name, split, len(points))
    names = _picture_names(base / "images", len(points))
    samples = []
    for index in range(first - 1, last):
        fault = _fault(base / "joints.mat", index, points[index], mask[index])
        if fault:
            if problems is None:
                raise fault
            fault.sample, fault.subset = names[index].stem, name
            problems.append(fault)
            continue
        box = tight_box(points[index], mask[index])
        samples.append(Sample(names[index].stem, name, points[index], mask[index], box, names[index]))
    return Source(name, split, LSP14, samples)


def _fault(file: Path, index: int, points: np.ndarray, mask: np.ndarray) -> FaultyFile | None:
    if not np.isfinite(points).all():
        return FaultyFile(
            "point not a number", file, f"picture {index + 1} has a joint that is NaN or farther out than any pixel."
        )
    if mask.sum() < 2:
        return FaultyFile("too few annotated points", file, f"picture {index + 1} has fewer than 2 annotated joints.")
    return None


def read_joints(file: Path, extended: bool, refuse_nan: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Points float32 ``[N, 14, 2]``, 0-based, and mask float32 ``[N, 14]``.

    Raises:
        CUNetError: no such file, not a ``.mat`` file, or an array of another shape.
    """
    if not file.is_file():
        raise CUNetError(f"{file}: not found. Give --root, the folder with joints.mat and images/.")
    try:
        joints = np.asarray(read_matlab(file, "joints"), np.float64)
    except (TypeError, ValueError) as error:
        raise CUNetError(f"{file}: no array 'joints' in it ({error}).") from None
    # LSP: 3 x 14 x N, LSPET: 14 x 3 x N.
    expected = (14, 3) if extended else (3, 14)
    if joints.ndim != 3 or joints.shape[:2] != expected:
        other = "lspet" if joints.shape[:2] == (14, 3) else "lsp"
        hint = f"is this {other}? " if joints.ndim == 3 and joints.shape[:2] in ((14, 3), (3, 14)) else ""
        raise CUNetError(
            f"{file}: joints has shape {joints.shape}, {expected} x N is needed: {hint}Use --data={other}."
        )
    stacked = joints.transpose(2, 0, 1) if extended else joints.transpose(2, 1, 0)
    mask = stacked[..., 2] if extended else np.ones(stacked.shape[:2])
    points = np.where(mask[..., None] > 0, stacked[..., :2] - 1.0, 0.0)
    points[~(np.abs(points) <= FARTHEST)] = np.nan
    if refuse_nan and not np.isfinite(points).all():
        raise CUNetError(f"{file}: picture {int(np.argwhere(~np.isfinite(points))[0, 0]) + 1} has a joint that is NaN "
                         "or farther out than any pixel.")  # fmt: skip
    return points.astype(np.float32), (mask > 0).astype(np.float32)


def parse_split(name: str, split: str, count: int) -> tuple[int, int]:
    """First and last picture, 1-based and inclusive.

    Raises:
        CUNetError: a name that this data set does not have, or a range outside 1..count.
    """
    named = SPLITS.get((name, count), {})
    if split in named:
        return named[split]
    if split == "all":
        return 1, count
    try:
        first, last = (int(part) for part in split.split("-"))
    except ValueError:
        known = ", ".join([*named, "all"])
        raise CUNetError(
            f"{name} split {split!r}: this edition ({count} pictures) has {known}, or a range such as 1-{count}."
        ) from None
    if not 1 <= first <= last <= count:
        raise CUNetError(f"{name} split {split!r}: the range must lie in 1-{count}.")
    return first, last


def _picture_names(folder: Path, count: int) -> list[Path]:
    """The pictures' files, with four digits or five."""
    for digits in (4, 5):
        if (folder / f"im{1:0{digits}}.jpg").is_file():
            return [folder / f"im{index:0{digits}}.jpg" for index in range(1, count + 1)]
    raise CUNetError(f"{folder}: no im0001.jpg or im00001.jpg in it.")
