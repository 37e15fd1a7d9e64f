"""Whether peaks in a heat map's outermost cells should be ignored: how often the truth lies there, what it changes.

python -m cunet_tf.trainers.study.measure_margin --data=300w --root=300w --split=lfpw/trainset@heldout
    --csv=docs/results/margin.csv [--model=face-mobile]

Boxes: tight ones, 0.8 to 1.4 times as large, shifted by a tenth and a fifth, and the views of the ``mobile`` recipe.
For margins of 1 to 3 cells: the share of annotated points that lie in them or outside of the crop, and the main figure
when the peak of a map is sought inside of them only (0: everywhere). Rows of other models and splits stay in the table.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from absl import flags

from cunet_tf.data.augment import View, random_stream
from cunet_tf.data.geometry import apply, from_heatmap, invert, to_heatmap, warp
from cunet_tf.data.sample import Source
from cunet_tf.flags import define_data, source_for
from cunet_tf.heatmaps import decode
from cunet_tf.localizer import Localizer
from cunet_tf.outputs import begins_with, claim
from cunet_tf.progress import progress
from cunet_tf.rows import Row, renew_rows, table
from cunet_tf.trainers.recipes import FACE_MOBILE
from cunet_tf.trainers.study import program
from cunet_tf.trainers.study.measure_crops import main_figure

COLUMNS = ("model", "data", "split", "images", "boxes", "margin", "truth_percent", "metric", "percent")
KEYS = COLUMNS[:3]
MARGINS = (0, 1, 2, 3)
MOBILE = replace(FACE_MOBILE.augmentation, flip=0.0)
SIZES = (1.0, 0.8, 0.9, 1.2, 1.4)
SHIFTS = (0.1, 0.2)  # of the box's longer side, in one of four directions


def define(values: flags.FlagValues) -> None:
    """The flags."""
    define_data(values, split="test")
    flags.DEFINE_string("model", "face-mobile", "Model file, or a shipped name.", flag_values=values)
    flags.DEFINE_string("csv", None, "File for the table.", flag_values=values)


def main(argv: list[str]) -> int:
    """Measure, print and write the table; returns 0, or 2 on bad input."""
    return program.run("measure_margin", define, run, argv)


def run(values: flags.FlagValues) -> None:
    """Measure, print and write the table."""
    if values.csv:
        claim([values.csv], "--csv", begins_with(*COLUMNS))
    localizer = Localizer.load(values.model)
    source = source_for(values, localizer.spec)
    head = {"model": values.model, "data": values.data, "split": source.split, "images": len(source)}
    rows = [{**head, **row} for row in measure(localizer, source)]
    shown = [(row["boxes"], row["margin"], f"{row['truth_percent']:.2f}", f"{row['percent']:.3f}") for row in rows]
    print(table(shown))
    if values.csv:
        renew_rows(Path(values.csv), rows, COLUMNS, KEYS)


def views(count: int, crop_factor: float) -> dict[str, list[View]]:
    """For each kind of box a view of every picture."""
    kinds = {"tight" if size == 1.0 else f"x{size}": [View(scale=1.0 / size)] * count for size in SIZES}
    for shift in SHIFTS:
        step = shift / crop_factor
        ways = [(step, 0.0), (0.0, step), (-step, 0.0), (0.0, -step)]
        kinds[f"shifted by {shift}"] = [View(shift=ways[index % 4]) for index in range(count)]
    kinds["views of training"] = [MOBILE.draw(random_stream(0, 0, index)) for index in range(count)]
    return {name: [View(each.scale, each.rotation, each.shift) for each in chosen] for name, chosen in kinds.items()}


def measure(localizer: Localizer, source: Source) -> list[Row]:
    """Rows of every kind of box and margin."""
    spec, rows = localizer.spec, []
    kinds = views(len(source), spec.crop_factor)
    with progress("kinds of boxes") as show:
        for count, (name, chosen) in enumerate(kinds.items(), 1):
            found: dict[int, list[np.ndarray]] = {margin: [] for margin in MARGINS}
            truths = []
            for sample, view in zip(source, chosen, strict=True):
                matrix = view.matrix(sample.box, spec.crop_factor, spec.input_size)
                crop = warp(sample.load(), matrix, spec.input_size)
                maps = localizer.heatmaps(crop[None].astype(np.float32) / 255.0)
                for margin in MARGINS:
                    points = inside(maps, margin, localizer.decoder, spec.sigma)[0]
                    found[margin].append(apply(invert(matrix), from_heatmap(points)))
                truths.append(to_heatmap(apply(matrix, sample.points))[np.asarray(sample.mask) > 0])
            places, side = np.concatenate(truths), spec.input_size // 4
            for margin in MARGINS:
                outer = (places < margin - 0.5) | (places > side - margin - 0.5)
                metric, percent = main_figure(np.stack(found[margin]), source)
                rows.append({"boxes": name, "margin": margin, "truth_percent": 100.0 * float(outer.any(axis=1).mean()),
                             "metric": metric, "percent": percent})  # fmt: skip
            show(count, len(kinds))
    return rows


def inside(maps: np.ndarray, margin: int, decoder: str, sigma: float) -> np.ndarray:
    """Points ``[B, C, 2]`` of heat maps ``[B, h, w, C]``, one in the outer cells giving way to the best inside."""
    points, _ = decode(maps, decoder, sigma)
    if not margin:
        return points
    size = np.array(maps.shape[2:0:-1])
    outer = np.any((np.rint(points) < margin) | (np.rint(points) > size - 1 - margin), axis=-1)
    inner = np.zeros_like(maps)
    inner[:, margin:-margin, margin:-margin] = maps[:, margin:-margin, margin:-margin]
    return np.where(outer[..., None], decode(inner, decoder, sigma)[0], points)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
