"""What a detector's boxes cost: recall, error and processor time, beside tight boxes and whole pictures.

python -m cunet_tf.trainers.study.measure_boxes --data=300w --root=300w --split=helen/testset
    --csv=docs/results/boxes.csv

One thread; about half a minute. Errors are means over the pictures whose object was seen; a picture whose object
was not seen counts as failed.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from cunet_tf.boxes import overlap
from cunet_tf.data.geometry import tight_box, whole_picture
from cunet_tf.data.sample import Sample, Source
from cunet_tf.detector import load_detector
from cunet_tf.engines import load_engine
from cunet_tf.flags import define_data, source_for
from cunet_tf.localizer import Localizer, View
from cunet_tf.metrics import AUC_THRESHOLD
from cunet_tf.outputs import begins_with, claim
from cunet_tf.progress import progress
from cunet_tf.rows import write_csv
from cunet_tf.trainers.study import program
from cunet_tf.trainers.study.describe.results import main_normalizer, mean_error

COLUMNS = ("boxes", "looks", "images", "recall_percent", "nme_percent", "failure_percent", "detector_ms", "looks_ms")


def define(values: flags.FlagValues) -> None:
    """The flags."""
    define_data(values, split="test")
    flags.DEFINE_string("model", "face-mobile", "Model file, or a shipped name.", flag_values=values)
    flags.DEFINE_string("detector", "auto", "auto (faces) or a file, as of predict.", flag_values=values)
    flags.DEFINE_integer("looks", 4, "Most looks at each object.", 1, flag_values=values)
    flags.DEFINE_string("csv", None, "File for the table.", flag_values=values)


def main(argv: list[str]) -> int:
    """Measure, print and write the table; returns 0, or 2 on bad input."""
    return program.run("measure_boxes", define, run, argv)


def run(values: flags.FlagValues) -> None:
    """Measure, print and write the table."""
    if values.csv:
        claim([values.csv], "--csv", begins_with(*COLUMNS))
    localizer = Localizer(load_engine(values.model, threads=1))
    source = source_for(values, localizer.spec)
    detector = load_detector(values.detector)
    places = {
        "tight": lambda image, sample: [View(sample.box, localizer.spec.crop_factor, "given")],
        detector.name: lambda image, sample: localizer.views(image, detector),
        "whole picture": lambda image, sample: [View(whole_picture(*image.shape[1::-1]), 1.0, "whole picture")],
    }
    rows = []
    for name, where in places.items():
        rows += measure(localizer, source, name, where, values.looks)
        for row in rows[-values.looks :]:
            print("  ".join(f"{column}={row[column]}" for column in COLUMNS), flush=True)
    if values.csv:
        write_csv(Path(values.csv), rows, COLUMNS, digits=6)


def measure(
    localizer: Localizer, source: Source, name: str, where: Callable[[np.ndarray, Sample], list[View]], looks: int
) -> list[dict[str, Any]]:
    """Rows for 1 to ``looks`` looks, each after the first in the box of the points before."""
    seeking, looking = 0.0, np.zeros(looks)
    errors = np.full((len(source), looks), np.nan)
    with progress("pictures") as show:
        for index, sample in enumerate(source):
            image, start = sample.load(), time.process_time()
            views = where(image, sample)
            seeking += time.process_time() - start
            for turn in range(looks if views else 0):
                start = time.process_time()
                found = localizer.look([image] * len(views), views)
                looking[turn:] += time.process_time() - start
                errors[index, turn] = best_error([look.points for look in found], sample, source)
                views = [localizer.closer(look.points, view) for look, view in zip(found, views, strict=True)]
            show(index + 1, len(source))
    seen, scale = np.isfinite(errors), 1000.0 / len(source)
    return [
        {
            "boxes": name, "looks": turn + 1, "images": len(source), "recall_percent": 100.0 * seen[:, turn].mean(),
            "nme_percent": 100.0 * errors[seen[:, turn], turn].mean(),
            "failure_percent": 100.0 * (1.0 - np.mean(errors[:, turn] <= AUC_THRESHOLD)),
            "detector_ms": round(scale * seeking, 3), "looks_ms": round(scale * looking[turn], 3),
        }
        for turn in range(looks)
    ]  # fmt: skip


def best_error(found: list[np.ndarray], sample: Sample, source: Source) -> float:
    """Error of the object that lies best over the annotated one; NaN where none touches it."""
    shares = overlap(sample.box, np.array([tight_box(points) for points in found]).reshape(-1, 4))
    if not len(shares) or shares.max() <= 0.0:
        return float("nan")
    return mean_error(sample, found[int(shares.argmax())], source.skeleton, main_normalizer(source.skeleton))[1]


if __name__ == "__main__":
    sys.exit(main(sys.argv))
