"""Tables 12 to 14: published results, and what our shipped models reach on the data at hand."""

from cunet_tf.rows import Row, read_csv
from cunet_tf.trainers.study.paper import TABLE_12, TABLE_13, TABLE_14
from cunet_tf.trainers.study.tables.context import Context
from cunet_tf.trainers.study.tables.page import Table

FACES = ("face_mobile.csv", "face_large.csv", "face_tiny.csv")
BODIES = ("pose_mobile.csv", "pose_large.csv")
HELD_OUT = ("trainset", "6655-7054")  # in names of parts that are no test part
OFFICIAL = {"common": "easy", "challenging": "hard", "full": "full"}


def table_12(context: Context) -> Table:
    """300-W."""
    rows: list[Row] = [{"system": name, "source": "paper", "normalizer": "interocular", **figures._asdict()}
                       for name, figures in TABLE_12.items()]  # fmt: skip
    for row in _evaluations(context, FACES):
        part = OFFICIAL.get(row["split"], row["split"])
        rows.append(_ours(row, "interocular") | {part: _number(row["nme_interocular"]),
                                                 "nme_interpupil": _number(row["nme_interpupil"])})  # fmt: skip
    columns = {name: None for row in rows for name in row}
    about = [
        "NME in percent. Rows of the paper: official boxes, all three parts of 300-W, the distance of the outer eye "
        "corners. Its other rows are divided by the distance of the pupils, which is shorter, and are left out.",
        "Ours are not comparable where the split is not easy, hard or full: `helen/testset` is a part of the easy set; "
        "boxes are the tight boxes of the points, the networks are small (128 px) and were trained without the parts "
        "of 300-W that were not at hand.",
    ]
    return Table("12", "300-W, published results", [{**columns, **row} for row in rows], about=about)


def table_13(context: Context) -> Table:
    """MPII's test part."""
    rows: list[Row] = [{"system": name, "source": "paper", "pckh_mean": value} for name, value in TABLE_13.items()]
    about = [
        "PCKh@0.5 in percent, mean. No row of ours: the labels of MPII's test part are not public. With MPII on disk "
        "`cunet predict --data=mpii --split=test` writes the file for its server, `cunet evaluate --data=mpii` gives "
        "PCKh on the validation part."
    ]
    return Table("13", "MPII, published results", rows, about=about)


def table_14(context: Context) -> Table:
    """LSP."""
    rows: list[Row] = [{"system": name, "source": "paper", "data": "LSP test", "pck_mean": value}
                       for name, value in TABLE_14.items()]  # fmt: skip
    for row in _evaluations(context, BODIES):
        rows.append(_ours(row) | {"pck_mean": _number(row["pck_joints"]), "pck_limbs": _number(row["pck_limbs"])})
    columns = {name: None for row in rows for name in row}
    about = [
        "PCK@0.2 in percent, mean of all joints. Ours are not comparable: other pictures (a part of LSPET, which is "
        "harder and less carefully labelled than LSP), trained on LSPET alone without MPII, a small network (128 px)."
    ]
    return Table("14", "LSP, published results", [{**columns, **row} for row in rows], about=about)


def _evaluations(context: Context, files: tuple[str, ...]) -> list[dict[str, str]]:
    """Rows of ``cunet evaluate --csv``, those of shipped models on test parts."""
    rows = [row for file in files for row in read_csv(context.reports / file)]
    tested = [row for row in rows if not any(name in row["split"] for name in HELD_OUT)]
    return [row for row in tested if "/" not in row["model"]]


def _ours(row: dict[str, str], normalizer: str | None = None) -> Row:
    flip = ", flip test" if row["flip_test"] == "True" else ""
    crops = ", 2 crops" if row["crops"] == "2" else ""
    cells: Row = {"system": f"{row['model']}{flip}{crops}", "source": "ours"}
    if normalizer:
        cells["normalizer"] = normalizer
    return cells | {"data": f"{row['data']} {row['split']}", "images": int(row["images"])}


def _number(text: str) -> float | None:
    return float(text) if text else None
