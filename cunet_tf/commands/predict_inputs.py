"""What ``cunet predict`` is asked to look at: files, folders, boxes; and what it will write."""

import csv
import io
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from cunet_tf.data.folder_csv import CSV_BYTES
from cunet_tf.data.sample import PICTURE_ENDINGS, files_below, is_note
from cunet_tf.errors import CUNetError, shown
from cunet_tf.outputs import is_ours
from cunet_tf.reading import FARTHEST, read_json, read_text

VIDEOS = {".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg"}
BOX_COLUMNS = ("image", "x0", "y0", "x1", "y1")


@dataclass(frozen=True)
class Picture:
    """A picture to look at, and its results.

    Attributes:
        file: as it was named, or found in a folder.
        json: of its result.
        overlay: ``None`` where none is drawn.
    """

    file: Path
    json: Path
    overlay: Path | None

    @property
    def targets(self) -> list[Path]:
        """Files that will be written."""
        return [target for target in (self.json, self.overlay) if target]


def list_pictures(names: list[str], recursive: bool = False) -> tuple[list[tuple[Path, Path]], list[str]]:
    """Files, and the pictures in folders, in order; overlays that we drew are no pictures.

    Args:
        names: files and folders.
        recursive: look into folders of folders as well.

    Returns:
        Pictures, each with the sub-folder that its result keeps; and what was passed over in
        folders, each with the reason.

    Raises:
        CUNetError: nothing given, a path that does not exist, or an overlay.
    """
    if not names:
        raise CUNetError("name the pictures, or a folder of them, at the end of the line.")
    files: list[tuple[Path, Path]] = []
    passed: list[str] = []
    for name in names:
        path = Path(name)
        if path.is_dir():
            found, others = _folder(path, recursive)
            if not found:
                hint = "" if recursive else "; --recursive looks into its folders"
                raise CUNetError(f"{path}: no picture in this folder that OpenCV reads{hint}.")
            files += found
            passed += others
        elif not path.exists():
            raise CUNetError(f"{path}: no such file or folder.")
        elif not path.is_file():
            raise CUNetError(f"{path}: a pipe, socket or device, not a regular file: save the picture, and name it.")
        elif is_picture_name(path) and is_ours(path):
            raise CUNetError(f"{path}: cunet drew this picture: name the one it was drawn from.")
        else:
            files.append((path, Path()))
    return files, passed


def is_picture_name(path: Path) -> bool:
    """Whether a suffix, in any case, is one of the formats that OpenCV reads."""
    return path.suffix.lower() in PICTURE_ENDINGS


def _folder(folder: Path, recursive: bool) -> tuple[list[tuple[Path, Path]], list[str]]:
    """Pictures of a folder with their sub-folders, and other files, each with why it is passed over."""
    found, passed = [], []
    for file in files_below(folder, recursive):
        if is_note(file.name):
            passed.append(f"{file}: notes of macOS, no picture")
        elif not os.path.isfile(file):  # to look into a pipe would be to wait
            passed.append(f"{file}: no regular file")
        elif is_ours(file):
            continue  # results of an earlier call
        elif is_picture_name(file) or cv2.haveImageReader(str(file)):
            found.append((file, file.parent.relative_to(folder)))
        else:
            passed.append(f"{file}: no picture that OpenCV reads")
    return found, passed


def name_targets(files: list[tuple[Path, Path]], out: Path, draw: str | None) -> list[Picture]:
    """Results of each picture: named by its stem, or by its whole name where others share the stem.

    Args:
        files: see :func:`list_pictures`; a file that is named twice counts once.
        out: folder of the results.
        draw: ending of the overlays, ``None`` for none.

    Raises:
        CUNetError: two pictures have the same name.
    """
    files = list(dict.fromkeys(files))
    stems = Counter(part / file.stem for file, part in files)
    owners: dict[Path, Path] = {}
    pictures = []
    for file, part in files:
        name = file.stem if stems[part / file.stem] == 1 else file.name
        overlay = out / part / f"{name}_found.{draw}" if draw else None
        picture = Picture(file, out / part / f"{name}.json", overlay)
        other = next((owners[each] for each in picture.targets if owners.setdefault(each, file) != file), None)
        if other is not None:
            raise CUNetError(f"{file} and {other} would write the same result: use two --out folders.")
        pictures.append(picture)
    return pictures


def parse_box(parts: list[str], rest: Sequence[str] = ()) -> np.ndarray:
    """``[x0, y0, x1, y1]`` from the flag.

    Args:
        parts: of the flag, between commas.
        rest: words that follow on the line, for a hint.

    Raises:
        CUNetError: not four numbers, or an empty box.
    """
    if len(parts) == 1 and len(rest) >= 3 and all(_is_number(word) for word in (*parts, *rest[:3])):
        raise CUNetError(f"--box {' '.join([*parts, *rest[:3]])}: write --box={','.join([*parts, *rest[:3]])}.")
    box = np.array([float(part) for part in parts if _is_number(part)])
    if len(parts) != 4 or box.shape != (4,) or not np.isfinite(box).all() or box[2] <= box[0] or box[3] <= box[1]:
        raise CUNetError(f"--box={','.join(parts)}: give x0,y0,x1,y1 with x0 < x1 and y0 < y1, in pixels.")
    return box


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


class Boxes:
    """Boxes of a file, several to a picture, by the picture's path, its end, or its name.

    Args:
        file: CSV with the columns ``image,x0,y0,x1,y1``, or JSON, ``{"photo.jpg": [[x0, y0, x1, y1], ...]}``.

    Raises:
        CUNetError: names the file, the line or picture, and what is wrong.
    """

    def __init__(self, file: Path):
        self.file = file
        pairs = self._from_json() if file.suffix.lower() == ".json" else self._from_csv()
        self._boxes: dict[str, list[list[float]]] = {}
        for name, box in pairs:
            self._boxes.setdefault(Path(name).as_posix(), []).append(box)
        self._used: set[str] = set()

    def of(self, picture: Path) -> list[list[float]] | None:
        """Boxes of a picture; ``None`` where the file has no line for it."""
        parts = picture.as_posix().split("/")
        for start in range(len(parts)):
            name = "/".join(parts[start:])
            if name in self._boxes:
                self._used.add(name)
                return self._boxes[name]
        return None

    def unused(self) -> list[str]:
        """Names that no picture had."""
        return sorted(set(self._boxes) - self._used)

    def _from_csv(self) -> list[tuple[str, list[float]]]:
        reader = csv.DictReader(io.StringIO(read_text(self.file, CSV_BYTES), newline=""), strict=True)
        try:
            missing = [name for name in BOX_COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise CUNetError(
                    f"--boxes={self.file}: column {missing[0]} is missing: the head is {','.join(BOX_COLUMNS)}."
                )
            return [(row["image"], self._box([row[name] for name in BOX_COLUMNS[1:]], f"line {reader.line_num}"))
                    for row in reader]  # fmt: skip
        except csv.Error as error:
            raise CUNetError(f"--boxes={self.file}: not readable as CSV ({error}): repair it.") from None

    def _from_json(self) -> list[tuple[str, list[float]]]:
        entries = read_json(self.file)
        if not isinstance(entries, dict) or not all(isinstance(boxes, list) for boxes in entries.values()):
            raise CUNetError(f'--boxes={self.file}: not of the form {{"photo.jpg": [[x0, y0, x1, y1], ...]}}.')
        return [(name, self._box(box, name[:100])) for name, boxes in entries.items() for box in boxes]

    def _box(self, values: Any, place: str) -> list[float]:
        try:
            box = [float(value) for value in values]
        except (TypeError, ValueError, OverflowError):
            box = []
        if len(box) != 4 or not (np.abs(box) <= FARTHEST).all() or box[2] <= box[0] or box[3] <= box[1]:
            raise CUNetError(f"--boxes={self.file}, {place}: {shown(values)}: a box is x0,y0,x1,y1 with x0 < x1 and "
                             "y0 < y1.")  # fmt: skip
        return box
