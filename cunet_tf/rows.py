"""Rows of results as CSV, as Markdown and as text."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cunet_tf.writing import replace_text

Row = dict[str, Any]


def csv_text(rows: list[Row], columns: Iterable[str] | None = None, digits: int | None = 5) -> str:
    """Rows as CSV with a header.

    Args:
        rows: a missing or undefined (``None``) value is an empty cell.
        columns: in this order, other keys are left out; all keys that occur by default.
        digits: of floats; ``None`` writes them in full.
    """
    names = list(columns or dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value, digits) for name, value in row.items()})
    return text.getvalue()


def write_csv(file: Path, rows: list[Row], columns: Iterable[str] | None = None, digits: int | None = 5) -> None:
    """Replace a CSV file, see :func:`csv_text`."""
    replace_text(file, csv_text(rows, columns, digits))


def read_csv(file: Path) -> list[dict[str, str]]:
    """Rows of a CSV file by column; empty when there is no file."""
    if not file.is_file():
        return []
    with file.open(newline="") as stream:
        return list(csv.DictReader(stream))


def append_row(file: Path, row: Row) -> None:
    """Add a row to a CSV file, with a header when it is new, see :func:`csv_text`."""
    header, line = csv_text([row]).split("\n", 1)
    old = file.read_text() if file.exists() else f"{header}\n"
    replace_text(file, old + line)


def renew_rows(
    file: Path, rows: list[Row], columns: Iterable[str], keys: Iterable[str], digits: int | None = 5
) -> None:
    """Write rows into a CSV file; those that it holds stay, but where all ``keys`` are those of a new row."""
    keys = list(keys)
    renewed = {tuple(str(row[key]) for key in keys) for row in rows}
    kept: list[Row] = [row for row in read_csv(file) if tuple(row[key] for key in keys) not in renewed]
    write_csv(file, [*kept, *rows], columns, digits)


def markdown_table(lines: list[list[str]]) -> str:
    """The first line is the head."""
    head, *body = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([head, "| --- " * len(lines[0]) + "|", *body])


def number(value: object, form: str = ".4g") -> str:
    """A float in ``form``, an integer with commas, a dash for nothing, other things as they are."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else format(value, form)


def table(rows: list[tuple[Any, ...]]) -> str:
    """Left-aligned first column, right-aligned others."""
    texts = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in texts) for i in range(len(texts[0]))]

    def line(row: list[str]) -> str:
        first, *others = zip(row, widths, strict=True)
        return "  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)])

    return "\n".join(line(row) for row in texts)


def _cell(value: Any, digits: int | None) -> Any:
    return f"{value:.{digits}g}" if digits and isinstance(value, float) else value
