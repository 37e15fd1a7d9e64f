"""300-W faces: 68 points in .pts files beside the pictures (iBUG mark-up)."""

import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

from cunet_tf.data.geometry import tight_box
from cunet_tf.data.matlab import MAT_ERRORS, read_matlab, structs
from cunet_tf.data.sample import PICTURE_ENDINGS, Sample, Source, files_below, is_note
from cunet_tf.errors import CUNetError, FaultyFile, did_you_mean, shown
from cunet_tf.reading import FARTHEST, MIB, read_text
from cunet_tf.skeletons import FACE68

TRAIN = ("afw", "helen/trainset", "lfpw/trainset")
COMMON = ("helen/testset", "lfpw/testset")
CHALLENGING = ("ibug",)
COUNTS = {"afw": 337, "helen/trainset": 2000, "lfpw/trainset": 811, "helen/testset": 330, "lfpw/testset": 224,
          "ibug": 135}  # faces of the distribution: 3,148 to learn from, 554 common, 135 challenging  # fmt: skip
PTS_BYTES = MIB  # 68 lines have 2 KB
SPLITS = {"train": TRAIN, "common": COMMON, "challenging": CHALLENGING, "full": COMMON + CHALLENGING}

# First name of the faces that FOLDER@heldout holds out, pinned; FOLDER@rest is what is left to learn from. Near copies
# (other faces of one photograph or scene) have near numbers: none of lfpw's lies on both sides of this border.
HELDOUT_FROM = {"lfpw/trainset": "image_0731"}
HELDOUT, REST = "heldout", "rest"

# Where the boxes of the official face detector are, in the distribution's own file names.
BOX_FILES = {
    "afw": "bounding_boxes_afw.mat", "ibug": "bounding_boxes_ibug.mat",
    "helen/trainset": "bounding_boxes_helen_trainset.mat",
    "helen/testset": "bounding_boxes_helen_testset.mat",
    "lfpw/trainset": "bounding_boxes_lfpw_trainset.mat",
    "lfpw/testset": "bounding_boxes_lfpw_testset.mat",
}  # fmt: skip


def load_300w(
    root: str, split: str = "train", allow_missing: bool = False, box: str = "tight",
    problems: list[CUNetError] | None = None,
) -> Source:  # fmt: skip
    """The faces of one split.

    Args:
        root: folder with ``afw/``, ``helen/``, ``lfpw/``, ``ibug/``.
        split: ``train``, ``common``, ``challenging``, ``full``, or folders below the root,
            separated by commas; each is searched for ``.pts`` files. ``lfpw/trainset@heldout`` is its pinned
            share that is kept out of trainings, ``lfpw/trainset@rest`` the rest.
        allow_missing: go on without an absent folder and name it in the result.
        box: ``"tight"`` (of the points), or ``"official"``, the detector's boxes from the
            distribution's ``bounding_boxes_*.mat`` files.
        problems: when given, a face with a faulty file is left out and its fault appended
            here, instead of raised.

    Returns:
        Samples in the order of folders and file names; points 0-based, (x, y).

    Raises:
        CUNetError: a folder, a picture or the boxes are missing, or a .pts file is malformed.
    """
    base = Path(root)
    if not base.is_dir():
        raise CUNetError(f"--root={root}: no such folder. Give the folder that holds afw/, helen/, lfpw/.")
    parts = [part.strip().strip("/") for part in split.split(",")]
    folders = SPLITS.get(split) or tuple(part for part in parts if part) or (".",)
    missing = tuple(folder for folder in folders if not (base / _share(folder)[0]).is_dir())
    if missing and (not allow_missing or len(missing) == len(folders)):
        advice = "add it" if len(missing) == len(folders) else "add it, or go on without with --allow_missing"
        raise CUNetError(
            f"300w split {split!r}: missing {', '.join(missing)} below {root}: {advice}. "
            f"Splits: {', '.join(SPLITS)}, or folders below the root."
        )
    present = [folder for folder in folders if folder not in missing]
    samples = [sample for folder in present for sample in _read_folder(base, folder, box, problems)]
    if split in SPLITS:
        _say_other_counts(present, samples)
    return Source("300w", split, FACE68, samples, box, missing)


def _say_other_counts(folders: list[str], samples: list[Sample]) -> None:
    """A line on stderr where an official part has another number of faces."""
    found = Counter(sample.subset for sample in samples)
    odd = [f"{folder} has {found[folder]} of {COUNTS[folder]}" for folder in folders if found[folder] != COUNTS[folder]]
    if odd:
        print(
            f"notice: not the official number of faces: {', '.join(odd)}: figures compare with no published ones.",
            file=sys.stderr,
        )


def _share(part: str) -> tuple[str, str]:
    """Folder and share of ``FOLDER``, ``FOLDER@heldout`` or ``FOLDER@rest``.

    Raises:
        CUNetError: another share, or a folder without one.
    """
    folder, at, share = part.partition("@")
    known = [f"{name}@{each}" for name in HELDOUT_FROM for each in (HELDOUT, REST)]
    if at and part not in known:
        raise CUNetError(f"300w split: {did_you_mean(part, known)}")
    return folder, share


def _read_folder(base: Path, part: str, box: str, problems: list[CUNetError] | None) -> list[Sample]:
    folder, share = _share(part)
    below = [file for file in files_below(base / folder) if not is_note(file.name)]
    files = [file for file in below if file.suffix.lower() == ".pts"]
    pictures: dict[Path, list[Path]] = defaultdict(list)
    for each in below:
        if each.suffix.lower() in PICTURE_ENDINGS:
            pictures[each.with_suffix("")].append(each)
    if not files:
        raise CUNetError(f"{base / folder}: no .pts file in it. Give a folder with pictures and .pts files.")
    if share:
        files = [file for file in files if (file.stem >= HELDOUT_FROM[folder]) == (share == HELDOUT)]
    boxes = _official_boxes(base, folder) if box == "official" else None
    samples = []
    for file in files:
        name = file.relative_to(base).with_suffix("").as_posix()
        try:
            samples.append(_read_face(file, _picture_of(file, pictures), name, folder, boxes))
        except FaultyFile as fault:
            if problems is None:
                raise
            fault.sample, fault.subset = name, folder
            problems.append(fault)
    return samples


def _read_face(file: Path, picture: Path, name: str, folder: str, boxes: dict[str, np.ndarray] | None) -> Sample:
    points = read_pts(file)
    if boxes is not None and picture.name not in boxes:
        raise FaultyFile("no official box", picture, f"no official box for it in {BOX_FILES[folder]}: use --box=tight.")
    box = tight_box(points) if boxes is None else boxes[picture.name]
    return Sample(name, folder, points, np.ones(len(points), np.float32), box, picture)


def _picture_of(file: Path, pictures: dict[Path, list[Path]]) -> Path:
    """The picture beside a ``.pts`` file, whatever its ending's case; of several the first, which is said.

    Raises:
        FaultyFile: there is none.
    """
    found = pictures.get(file.with_suffix(""), [])
    if not found:
        endings = ", ".join(sorted(PICTURE_ENDINGS))
        raise FaultyFile("missing picture", file, f"no picture beside it (looked for {endings}, in any case).")
    if len(found) > 1:
        others = " and ".join(picture.name for picture in found[1:])
        print(f"notice: {file}: {found[0].name} is taken, {others} lies beside it too: keep one.", file=sys.stderr)
    return found[0]


def read_pts(path: Path | str, count: int = FACE68.size) -> np.ndarray:
    """Points of a .pts file, float32 ``[count, 2]``, 0-based (the file counts from 1).

    Raises:
        FaultyFile: not a .pts file, another number of points, or a value that is no number.
    """
    try:
        points = _numbers(read_text(path, PTS_BYTES))
    except ValueError as error:  # CUNetError is one, and names the file already
        reason = str(error).removeprefix(f"{path}: ").rstrip(".")
        raise FaultyFile("malformed annotation", path, f"not a readable .pts file ({reason}).") from None
    if points.shape != (count, 2):
        text = f"{len(points)} points, but {count} lines of two numbers are needed."
        raise FaultyFile("wrong number of points", path, text)
    far = ~(np.abs(points) <= FARTHEST)
    if far.any():
        place, value = int(np.argwhere(far)[0, 0]), points[far][0]
        text = f"point {place} is {'farther out than any pixel' if np.isfinite(value) else 'not a number'}."
        raise FaultyFile("point not a number", path, text)
    return (points - 1.0).astype(np.float32)


def _numbers(text: str) -> np.ndarray:
    """The lines between the braces, ``[n, numbers of a line]``.

    Raises:
        ValueError: what is wrong.
    """
    begin, end = text.find("{"), text.find("}")
    if begin < 0 or end < begin:
        raise ValueError("no { and } around the points")
    rows = [line.split() for line in text[begin + 1 : end].split("\n") if line.strip()]
    told = re.search(r"^n_points:\s*(\S+)", text[:begin], re.MULTILINE)
    if told and told[1] != str(len(rows)):
        raise ValueError(f"n_points says {shown(told[1])}, {len(rows)} lines follow")
    if len({len(row) for row in rows}) > 1:
        raise ValueError("lines of different lengths")
    word = next((word for row in rows for word in row if not _is_number(word)), None)
    if word is not None:
        raise ValueError(f"{shown(word)} is no number")
    return np.array(rows, np.float64)


def _is_number(word: str) -> bool:
    try:
        return float(word) is not None
    except ValueError:
        return False


def write_pts(path: Path | str, points: np.ndarray) -> None:
    """Write 0-based points ``[C, 2]`` as a .pts file (1-based)."""
    lines = "\n".join(f"{x + 1:.6f} {y + 1:.6f}" for x, y in points)
    Path(path).write_text(f"version: 1\nn_points: {len(points)}\n{{\n{lines}\n}}\n")


def _official_boxes(base: Path, folder: str) -> dict[str, np.ndarray]:
    """Picture name -> detector box, from the distribution's nested .mat file."""
    name = BOX_FILES.get(folder, "")
    places = [place for place in (base / name, base / "Bounding Boxes" / name) if name and place.is_file()]
    if not places:
        raise CUNetError(
            f"--box=official: {name or 'no box file'} for {folder} not found in {base} or "
            f"{base / 'Bounding Boxes'}: put it there or use --box=tight."
        )
    try:
        entries = structs(read_matlab(places[0], "bounding_boxes"))
        if not entries:
            raise ValueError("no structs in bounding_boxes")
        return {str(entry["imgName"]): _finite_box(entry["bb_detector"]) for entry in entries}
    except MAT_ERRORS as error:
        raise CUNetError(f"{places[0]}: not a readable file of official boxes ({error}).") from None


def _finite_box(value: object) -> np.ndarray:
    box = np.asarray(value, np.float64).reshape(4) - 1.0
    if not np.isfinite(box).all():
        raise ValueError("a box is not a number")
    return box
