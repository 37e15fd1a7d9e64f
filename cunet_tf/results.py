"""What prediction writes: one JSON object a picture, rows of CSV, COCO keypoints.

Coordinates are pixels of the upright picture, (x, y), centres on integers, in all three.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cunet_tf.localizer import Landmarks
from cunet_tf.outputs import is_ours, marked
from cunet_tf.rows import Row
from cunet_tf.skeletons import Skeleton

Record = dict[str, Any]
COLUMNS = ("image", "object", "confidence", "found", "x0", "y0", "x1", "y1")


def record_of(
    image: str, width: int, height: int, objects: Sequence[Landmarks], skeleton: Skeleton, settings: str
) -> Record:
    """The JSON object of a picture.

    Args:
        image: its path, as it was given.
        width, height: in pixels, upright.
        objects: what was found in it, in order.
        skeleton: of their landmarks.
        settings: tells calls apart that give other results, see :func:`is_done`.
    """
    return {
        "image": image, "width": width, "height": height, "skeleton": skeleton.name, "names": list(skeleton.names),
        "settings": settings, "objects": [each.to_dict() for each in objects],
    }  # fmt: skip


def read_record(file: Path) -> Record | None:
    """A record that we wrote; ``None`` where there is none."""
    if not is_ours(file):
        return None
    try:
        record = json.loads(file.read_text())
        return record if isinstance(record["objects"], list) else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def is_done(record: Record | None, picture: Path, file: Path, overlay: Path | None, settings: str) -> bool:
    """Whether a picture needs no second look: same settings, not changed since, its overlay there."""
    if record is None or record.get("settings") != settings or not (overlay is None or is_ours(overlay)):
        return False
    return file.stat().st_mtime_ns >= picture.stat().st_mtime_ns


def csv_columns(skeleton: Skeleton) -> list[str]:
    """Columns of the CSV file: one row an object."""
    return [*COLUMNS, *(f"{name}_{each}" for name in skeleton.names for each in ("x", "y", "score"))]


def csv_rows(records: Iterable[Record]) -> list[Row]:
    """Rows of the CSV file; ``found`` is 1 or 0, a confidence that is not known an empty cell."""
    rows = []
    for record in records:
        for index, each in enumerate(record["objects"]):
            row: Row = {"image": record["image"], "object": index, "confidence": each["confidence"],
                        "found": int(each["found"]), **dict(zip(COLUMNS[4:], each["box"], strict=True))}  # fmt: skip
            for name, (x, y), score in zip(record["names"], each["landmarks"], each["scores"], strict=True):
                row |= {f"{name}_x": x, f"{name}_y": y, f"{name}_score": score}
            rows.append(row)
    return rows


def coco(records: Iterable[Record], skeleton: Skeleton) -> Record:
    """COCO keypoints: visibility 2, or 1 where the point is not sure, 0 and no place where nothing was found."""
    images: list[Record] = []
    annotations: list[Record] = []
    for number, record in enumerate(records, 1):
        images.append({"id": number, "file_name": record["image"],
                       "width": record["width"], "height": record["height"]})  # fmt: skip
        for each in record["objects"]:
            annotations.append({"id": len(annotations) + 1, "image_id": number, "category_id": 1} | _annotation(each))
    category = {
        "id": 1, "name": skeleton.name, "keypoints": list(skeleton.names),
        "skeleton": [[start + 1, end + 1] for start, end in skeleton.edges],
    }  # fmt: skip
    return marked({"images": images, "annotations": annotations, "categories": [category]})


def _annotation(each: Record) -> Record:
    x0, y0, x1, y1 = each["box"]
    points = np.asarray(each["landmarks"])
    sure = 1 + np.asarray(each["visible"], int) if each["found"] else np.zeros(len(points), int)
    triples = np.column_stack([points, sure]) * (sure > 0)[:, None]
    score = each["confidence"] if each["confidence"] is not None else float(np.mean(each["scores"]))
    return {
        "bbox": [x0, y0, round(x1 - x0, 3), round(y1 - y0, 3)],
        "area": round((x1 - x0) * (y1 - y0), 3), "iscrowd": 0, "score": score,
        "num_keypoints": int((sure > 0).sum()), "keypoints": triples.ravel().tolist(),
    }  # fmt: skip
