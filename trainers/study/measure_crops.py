"""What a second crop of the same box gives: which crop, and how the two results are averaged.

python -m cunet_tf.trainers.study.measure_crops --data=300w --root=300w --split=lfpw/trainset@heldout
    --csv=docs/results/crops.csv [--model=face-mobile] [--flip_test]

One look at each object in its own box; two minutes. ``points``: the mean of both crops' points in the picture;
``heat maps``: the second crop's heat maps are carried onto the first's pixels and averaged there. Rows of other
models, splits and flip tests stay in the table. Choose on pictures that are not the test part.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from cunet_tf.crops import carried
from cunet_tf.data.geometry import apply, compose, crop_matrix, from_heatmap, invert, warp
from cunet_tf.data.sample import Source
from cunet_tf.evaluation import figures_of
from cunet_tf.flags import define_data, source_for
from cunet_tf.heatmaps import decode
from cunet_tf.localizer import Localizer
from cunet_tf.outputs import begins_with, claim
from cunet_tf.progress import progress
from cunet_tf.rows import Row, renew_rows, table
from cunet_tf.trainers.study import program

COLUMNS = ("model", "data", "split", "images", "flip_test", "second_crop", "average", "metric", "percent")
KEYS = (*COLUMNS[:3], "flip_test")
# Enlargement, degrees, shift in heat-map pixels.
CROPS = {
    "none": (1.0, 0.0, 0.0), "0.93 of the side": (0.93, 0.0, 0.0), "1.08 of the side": (1.08, 0.0, 0.0),
    "1.15 of the side": (1.15, 0.0, 0.0), "shifted by 0.5": (1.0, 0.0, 0.5), "shifted by 1": (1.0, 0.0, 1.0),
    "turned by 5": (1.0, 5.0, 0.0), "turned by 8": (1.0, 8.0, 0.0), "turned by -8": (1.0, -8.0, 0.0),
    "turned by 12": (1.0, 12.0, 0.0), "0.93 of the side, turned by 8": (0.93, 8.0, 0.0),
}  # fmt: skip


def define(values: flags.FlagValues) -> None:
    """The flags."""
    define_data(values, split="test")
    flags.DEFINE_string("model", "face-mobile", "Model file, or a shipped name.", flag_values=values)
    flags.DEFINE_bool("flip_test", False, "Average with the mirror image.", flag_values=values)
    flags.DEFINE_string("csv", None, "File for the table.", flag_values=values)


def main(argv: list[str]) -> int:
    """Measure, print and write the table; returns 0, or 2 on bad input."""
    return program.run("measure_crops", define, run, argv)


def run(values: flags.FlagValues) -> None:
    """Measure, print and write the table."""
    if values.csv:
        claim([values.csv], "--csv", begins_with(*COLUMNS))
    localizer = Localizer.load(values.model, flip_test=values.flip_test)
    source = source_for(values, localizer.spec)
    head = {"model": values.model, "data": values.data, "split": source.split, "images": len(source),
            "flip_test": values.flip_test}  # fmt: skip
    rows = [{**head, **row} for row in measure(localizer, source)]
    print(table([(row["second_crop"], row["average"], f"{row['percent']:.3f}") for row in rows]))
    if values.csv:
        renew_rows(Path(values.csv), rows, COLUMNS, KEYS)


def measure(localizer: Localizer, source: Source) -> list[Row]:
    """The main figure of every second crop under both averages; without one, of one crop."""
    found: dict[Any, list[np.ndarray]] = {key: [] for name in CROPS for key in (name, (name, "maps"))}
    with progress("pictures") as show:
        for count, sample in enumerate(source, 1):
            image, first = sample.load(), None
            for name, place in CROPS.items():
                matrix, maps = _seen(localizer, image, sample.box, *place)
                first = first or (matrix, maps)
                points = _points(localizer, maps, matrix)
                found[name].append((points + _points(localizer, first[1], first[0])) / 2.0)
                carry, inside = carried(maps, _between(first[0], matrix))
                found[name, "maps"].append(_points(localizer, (first[1] + carry) / (1.0 + inside[..., None]), first[0]))
            show(count, len(source))
    rows = []
    for name in CROPS:
        for key, average in ((name, "points"), ((name, "maps"), "heat maps")):
            if name != "none" or average == "points":
                metric, percent = main_figure(np.stack(found[key]), source)
                rows.append({"second_crop": name, "average": "-" if name == "none" else average, "metric": metric,
                             "percent": percent})  # fmt: skip
    return rows


def _seen(
    localizer: Localizer, image: np.ndarray, box: np.ndarray, side: float, degrees: float, shift: float
) -> tuple[np.ndarray, np.ndarray]:
    """Matrix to a crop, and its heat maps ``[1, h, w, C]``."""
    size = localizer.spec.input_size
    share = from_heatmap(shift) - from_heatmap(0.0)
    matrix = crop_matrix(
        box, localizer.spec.crop_factor * side, size, rotation=degrees, shift=(share / size, share / size)
    )
    return matrix, localizer.heatmaps(warp(image, matrix, size)[None].astype(np.float32) / 255.0)


def _between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """From the heat-map pixels of one crop to those of another."""
    zero, one = from_heatmap(np.zeros(2)), from_heatmap(np.ones(2))
    up = np.array([[one[0] - zero[0], 0.0, zero[0]], [0.0, one[1] - zero[1], zero[1]]])
    return compose(invert(up), compose(compose(second, invert(first)), up))


def _points(localizer: Localizer, maps: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Points ``[C, 2]`` in the picture."""
    points, _ = decode(maps, localizer.decoder, localizer.spec.sigma)
    return apply(invert(matrix), from_heatmap(points[0]))


def main_figure(points: np.ndarray, source: Source) -> tuple[str, float]:
    """NME of faces, PCK@0.2 of the limbs of bodies, in percent."""
    figures = figures_of(points, source)
    if figures["pck"] is not None:
        return "pck_limbs", figures["pck_means"]["limbs"]
    name = f"nme_{figures['normalizer']}"
    return name, figures[name]


if __name__ == "__main__":
    sys.exit(main(sys.argv))
