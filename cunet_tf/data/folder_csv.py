"""landmarks.csv as the entries of landmarks.json, see :mod:`cunet_tf.data.folder`."""

import csv
import io
from collections import Counter
from pathlib import Path
from typing import Any

from cunet_tf.errors import CUNetError, did_you_mean, shown
from cunet_tf.reading import FARTHEST, MIB, read_text
from cunet_tf.spec_schema import MOST_LANDMARKS

CSV_BYTES = 256 * MIB
BOX = ("box_x0", "box_y0", "box_x1", "box_y1")


def read_csv(file: Path, names: list[str] | None) -> tuple[list[str], list[tuple[str, dict[str, Any]]]]:
    """Landmark names, and for each row its line and its fields as in ``landmarks.json``.

    Args:
        file: the table, with a header.
        names: landmarks in the order wanted; the header's when ``None``.

    Raises:
        CUNetError: a column is missing, unknown or doubled, or a cell is no number.
    """
    reader = csv.reader(io.StringIO(read_text(file, CSV_BYTES), newline=""), strict=True)
    entries = []
    try:
        header = [column.strip() for column in next(reader, [])]
        names = _check_header(file, header, names)
        for row in reader:
            where = f"{file}, line {reader.line_num}"
            if any(row):
                if len(row) != len(header):
                    raise CUNetError(f"{where}: {len(row)} cells, the header has {len(header)}: repair the line.")
                cells = [cell.strip() for cell in row]
                entries.append((where, _entry(where, dict(zip(header, cells, strict=True)), names)))
    except csv.Error as error:
        raise CUNetError(f"{file}, line {reader.line_num}: not readable as CSV ({error}): repair it.") from None
    return names, entries


def _check_header(file: Path, header: list[str], names: list[str] | None) -> list[str]:
    """The landmarks in their order, when every column is there and known."""
    where = f"{file}, header"
    if len(header) > 2 * MOST_LANDMARKS + len(BOX) + 2:
        raise CUNetError(f"{where}: {len(header):,} columns, more than {MOST_LANDMARKS} landmarks need.")
    if "file" not in header:
        raise CUNetError(f"{where}: no column 'file': start with file,split,NAME_x,NAME_y, separated by commas.")
    (twice, count), *_ = Counter(header).most_common(1)
    if count > 1:
        raise CUNetError(f"{where}: column {shown(twice)} stands there twice: rename one.")
    if names is None:
        names = [column[:-2] for column in header if column.endswith("_x")]
    if not names:
        raise CUNetError(f"{where}: no landmark: add columns NAME_x,NAME_y.")
    wanted = [f"{name}_{axis}" for name in names for axis in "xy"]
    boxes = BOX if any(column in BOX for column in header) else ()
    there, known = set(header), {"file", "split", *wanted, *boxes}
    for column in (*wanted, *boxes):
        if column not in there:
            raise CUNetError(f"{where}: no column {shown(column)}. {did_you_mean(column, header)}")
    for column in header:
        if column not in known:
            raise CUNetError(
                f"{where}: unknown column {shown(column)}. {did_you_mean(column, ['split', *wanted, *BOX])}"
            )
    return names


def _entry(where: str, cells: dict[str, str], names: list[str]) -> dict[str, Any]:
    points = [_group(where, cells, (f"{name}_x", f"{name}_y")) for name in names]
    box = _group(where, cells, BOX) if BOX[0] in cells else None
    return {"file": cells["file"], "split": cells.get("split") or None, "points": points, "box": box}


def _group(where: str, cells: dict[str, str], columns: tuple[str, ...]) -> list[float] | None:
    """Numbers of cells that are filled together; ``None`` when all are empty."""
    if not any(cells[column] for column in columns):
        return None
    values = []
    for column in columns:
        try:
            values.append(float(cells[column]))
        except ValueError:
            fault = f"{shown(cells[column])} is no number" if cells[column] else "empty"
            raise CUNetError(f"{where}, {column}: {fault}: fill in all of {', '.join(columns)}, or none.") from None
        if not abs(values[-1]) <= FARTHEST:
            raise CUNetError(f"{where}, {column}: {shown(cells[column])} is no coordinate in a picture: correct it.")
    return values
