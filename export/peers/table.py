"""The table of the comparison, as CSV and as Markdown."""

from collections.abc import Callable, Iterable
from pathlib import Path

from cunet_tf.rows import Row, markdown_table, read_csv, renew_rows

COLUMNS = ("network", "package", "version", "keras", "kernels", "conversion", "step_ratio", "step_ratio_xla",
           "loss_first", "loss_last", "bytes", "operations", "convolutions", "integer_convolutions", "islands",
           "difference", "nme_interocular", "time_ratio", "pictures", "outcome", "cpu")  # fmt: skip
DIGITS = 4
TRAINED = {"package": "package", "version": "version", "Keras": "keras", "kernels": "kernels",
           "step, of float's": "step_ratio", "with XLA": "step_ratio_xla",
           "first loss": "loss_first", "last loss": "loss_last", "what happened": "outcome"}  # fmt: skip
FILES = {"package": "package", "kernels": "kernels", "conversion": "conversion", "bytes": "bytes",
         "integer convolutions": "integer_convolutions", "of": "convolutions", "operations": "operations",
         "conversions amid": "islands", "difference": "difference", "what happened": "outcome"}  # fmt: skip
FACES = {"by": "package", "file": "conversion", "kernels": "kernels", "bytes": "bytes",
         "integer convolutions": "integer_convolutions", "of": "convolutions", "conversions amid": "islands",
         "NME": "nme_interocular", "time, of float32's": "time_ratio", "what happened": "outcome"}  # fmt: skip


def merge(file: Path, rows: list[Row]) -> list[dict[str, str]]:
    """Write rows into a CSV file; those of other networks and packages that it holds stay.

    Returns:
        All its rows, as text.
    """
    renew_rows(file, rows, COLUMNS, ("network", "package"), DIGITS)
    return read_csv(file)


def tables(rows: list[dict[str, str]], small: str) -> str:
    """Three Markdown tables: trainings and files of the network ``small``, and the files of the other one."""
    own = [row for row in rows if row["network"] == small]
    faces = [row for row in rows if row["network"] != small]
    trained = [row for row in own if row["step_ratio"] or not row["conversion"]]
    parts = [
        ("Training", TRAINED, _once(trained, lambda row: (row["package"], row["kernels"]))),
        ("Files of the small network", FILES, [row for row in own if row["conversion"]]),
        ("Files of the face network", FACES, faces),
    ]
    return "\n\n".join(f"{title}\n\n{_table(names, chosen)}" for title, names, chosen in parts if chosen)


def _once(rows: Iterable[dict[str, str]], key: Callable[[dict[str, str]], tuple]) -> list[dict[str, str]]:
    """The first row of each key; a file's outcome is not its training's."""
    first: dict[tuple, dict[str, str]] = {}
    for row in rows:
        first.setdefault(key(row), {**row, "outcome": row["outcome"] if not row["conversion"] else "trains"})
    return list(first.values())


def _table(names: dict[str, str], rows: list[dict[str, str]]) -> str:
    return markdown_table([[*names], *([row[column] or "-" for column in names.values()] for row in rows)])
