"""``history.csv`` of a run: one row for each epoch."""

import re
from pathlib import Path

from cunet_tf.rows import read_csv

# Earlier versions named the metric of a network of several heads after the last of them: val_unet1_head_nme.
OF_A_HEAD = re.compile(r"((?:val_|watched_)?)(?:pass\d+_)?[a-z]+\d+_head_(nme|pck)")


def read_history(file: Path) -> list[dict[str, str]]:
    """Rows of a run, also of one of an earlier version; its metric gets the name of today, its epochs count from 1.

    Columns: ``epoch`` (the first is 1), ``learning_rate``, ``loss``, the metric of the last head (``nme`` or
    ``pck``, in percent) and the losses of the heads; ``val_*`` on validation, ``watched_*`` on watched pictures.

    Returns:
        Empty when there is no file.
    """
    rows = [{_today(name): value for name, value in row.items()} for row in read_csv(file)]
    if rows and rows[0].get("epoch") == "0":
        rows = [{**row, "epoch": str(int(row["epoch"]) + 1)} for row in rows]
    return rows


def _today(name: str) -> str:
    old = OF_A_HEAD.fullmatch(name)
    return "".join(old.groups()) if old else name
