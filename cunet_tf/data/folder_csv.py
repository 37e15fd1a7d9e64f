"""landmarks.csv as the entries of landmarks.json, see :mod:`cunet_tf.data.folder`."""

import csv
from pathlib import Path
from typing import Any

from cunet_tf.errors import CUNetError, did_you_mean

BOX = ("box_x0", "box_y0", "box_x1", "box_y1")


def read_csv(file: Path, names: list[str] | None) -> tuple[list[str], list[tuple[str, dict[str, Any]]]]:
    """Landmark names, and for each row its line and its fields as in ``landmarks.json``.

    Args:
        file: the table, with a header.
        names: landmarks in the order wanted; the header's when ``None``.

    Raises:
        CUNetError: a column is missing, unknown or doubled, or a cell is no number.
    """
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.reader(stream)
            header = [column.strip() for column in next(reader, [])]
            rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CUNetError(f"{file}: not readable as CSV ({error}): repair it.") from None
    names = _check_header(file, header, names)
    entries = []
    for line, row in rows:
        where = f"{file}, line {line}"
        if len(row) != len(header):
            raise CUNetError(f"{where}: {len(row)} cells, the header has {len(header)}: repair the line.")
        entries.append((where, _entry(where, dict(zip(header, row, strict=True)), names)))
    return names, entries


def _check_header(file: Path, header: list[str], names: list[str] | None) -> list[str]:
    """The landmarks in their order, when every column is there and known."""
    where = f"{file}, header"
    if "file" not in header:
        raise CUNetError(f"{where}: no column 'file': start with file,split,NAME_x,NAME_y, separated by commas.")
    twice = next((column for column in header if header.count(column) > 1), None)
    if twice is not None:
        raise CUNetError(f"{where}: column {twice!r} stands there twice: rename one.")
    if names is None:
        names = [column[:-2] for column in header if column.endswith("_x")]
    if not names:
        raise CUNetError(f"{where}: no landmark: add columns NAME_x,NAME_y.")
    wanted = [f"{name}_{axis}" for name in names for axis in "xy"]
    boxes = BOX if any(column in BOX for column in header) else ()
    for column in (*wanted, *boxes):
        if column not in header:
            raise CUNetError(f"{where}: no column {column!r}. {did_you_mean(column, header)}")
    for column in header:
        if column not in ("file", "split", *wanted, *boxes):
            raise CUNetError(f"{where}: unknown column {column!r}. {did_you_mean(column, ['split', *wanted, *BOX])}")
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
            fault = f"{cells[column]!r} is no number" if cells[column] else "empty"
            raise CUNetError(f"{where}, {column}: {fault}: fill in all of {', '.join(columns)}, or none.") from None
    return values
