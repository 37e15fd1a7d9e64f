"""A table as CSV and as a page in Markdown."""

from dataclasses import dataclass, field
from pathlib import Path

from cunet_tf.outputs import page_text
from cunet_tf.rows import Row, markdown_table, number, write_csv
from cunet_tf.writing import replace_text

CLAIMS = "claims"  # the table that is none of the paper's
DASH = "A dash: the paper, or this project, has no such figure; the paper's own networks are counted here, not trained."
HEADERS = {
    "conv_parameters": "conv parameters, exact",
    "gmac": "GMAC",
    "paper_parameters": "paper: M parameters",
    "paper_pckh": "paper: PCKh",
    "paper_ms": "paper: ms (K40)",
    "keras_ms": "Keras ms",
    "tflite_ms": "`.tflite` ms",
    "keras_cpu_ms": "Keras ms, CPU",
    "tflite_cpu_ms": "`.tflite` ms, CPU",
    "failure_rate": "failures [%]",
    "held_out": "held out",
}


@dataclass(frozen=True)
class Table:
    """One table or figure.

    Attributes:
        key: ``"3"`` or ``"fig9"``.
        title: of the page.
        rows: all rows, for the CSV.
        shown: rows of the page; all of them when ``None``.
        hidden: columns that the page leaves out.
        about: paragraphs above the table.
        below: paragraphs, or tables, below it.
        picture: whether STEM.png stands on the page.
    """

    key: str
    title: str
    rows: list[Row]
    shown: list[Row] | None = None
    hidden: tuple[str, ...] = ()
    about: list[str] = field(default_factory=list)
    below: list[str] = field(default_factory=list)
    picture: bool = False

    @property
    def stem(self) -> str:
        """Name of the files without ending."""
        return stem_of(self.key)


def stem_of(key: str) -> str:
    """``table_03`` for ``3``, ``fig_09`` for ``fig9``, ``claims`` for itself."""
    if key == CLAIMS:
        return CLAIMS
    return f"fig_{int(key[3:]):02d}" if key.startswith("fig") else f"table_{int(key):02d}"


def label_of(key: str) -> str:
    """``Table 3``, ``Fig. 9`` or ``Claims``."""
    if key == CLAIMS:
        return CLAIMS.capitalize()
    return f"Fig. {key[3:]}" if key.startswith("fig") else f"Table {key}"


def write_table(table: Table, out: Path, command: str) -> list[str]:
    """Write STEM.csv and STEM.md into a folder; returns both paths."""
    files = [out / f"{table.stem}.{end}" for end in ("csv", "md")]
    write_csv(files[0], table.rows)
    replace_text(files[1], page_text(to_markdown(table, command)))
    return [str(file) for file in files]


def to_markdown(table: Table, command: str) -> str:
    """The page: title, command, conditions, rows, findings."""
    source = f"Made by `{command}`; all rows and columns are in [{table.stem}.csv]({table.stem}.csv)."
    picture = [f"![{table.title}]({table.stem}.png)"] if table.picture else []
    rows = table.rows if table.shown is None else table.shown
    shown = _rows(rows, table.hidden)
    dash = [DASH] if "| - " in shown else []
    parts = [f"# {label_of(table.key)}: {table.title}", source, *table.about, *picture, shown, *dash]
    return "\n\n".join(part for part in [*parts, *table.below] if part) + "\n"


def _rows(rows: list[Row], hidden: tuple[str, ...]) -> str:
    columns = [name for name in dict.fromkeys(name for row in rows for name in row) if name not in hidden]
    head = [HEADERS.get(name, name.replace("paper_", "paper: ").replace("_", " ")) for name in columns]
    return markdown_table([head, *([_cell(name, row.get(name)) for name in columns] for row in rows)]) if rows else ""


def _cell(column: str, value: object) -> str:
    """The paper's figures keep their digits: 86.0."""
    return str(round(value, 2)) if column.startswith("paper_") and isinstance(value, float) else number(value)


def write_index(out: Path, titles: dict[str, str]) -> None:
    """``tables.md``: a line for each page that is in the folder."""
    present = [key for key in titles if (out / f"{stem_of(key)}.md").is_file()]
    lines = [f"- [{label_of(key)}]({stem_of(key)}.md): {titles[key]}" for key in present]
    about = "The paper's tables and figures beside ours, each by `cunet tables`."
    replace_text(out / "tables.md", page_text("\n".join(["# Tables", "", about, "", *lines])))
