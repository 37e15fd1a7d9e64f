"""Result tables as CSV."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cunet_tf.outputs import replace_text

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


def _cell(value: Any, digits: int | None) -> Any:
    return f"{value:.{digits}g}" if digits and isinstance(value, float) else value
