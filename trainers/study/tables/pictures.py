"""Fig. 11: a grid of pictures with the landmarks that a model finds."""

import numpy as np

from cunet_tf.data.geometry import apply, crop_matrix, warp
from cunet_tf.data.sample import Sample
from cunet_tf.data.sources import Request, load_source
from cunet_tf.draw import contact_sheet, draw_on, fitted, save_result, zoomed
from cunet_tf.localizer import Landmarks, Localizer
from cunet_tf.trainers.study.tables.context import Context
from cunet_tf.trainers.study.tables.page import Table, stem_of

COLUMNS, SIDE = 4, 192
MARGIN = 1.5  # of the box around what is shown


def fig_11(context: Context) -> Table:
    """Draws the grid; the rows give the mean error of each picture in percent of the box's side."""
    gallery = context.gallery
    localizer = Localizer.load(gallery.model)
    skeleton = localizer.spec.skeleton
    source = load_source(gallery.data, Request(gallery.root, gallery.split, skeleton))
    tiles, rows = [], []
    for sample in source.samples[: gallery.count]:
        image = sample.load()
        found = localizer.locate(image, sample.box)
        tiles.append(_tile(image, found, localizer))
        rows.append({"picture": sample.name, "error_percent_of_box": error(sample, found)})
    save_result(context.out / f"{stem_of('fig11')}.png", contact_sheet(tiles, COLUMNS))
    about = (
        f"`{gallery.model}` on {gallery.data} {gallery.split}, in reading order. Error: mean distance over the points "
        "in percent of the root of the box's area. The paper shows photographs of MPII, LSP and 300-W, which are "
        "not ours to publish: `--figure_data` and `--figure_root` draw yours."
    )
    return Table("fig11", "results", rows, about=[about], picture=True)


def error(sample: Sample, found: Landmarks) -> float | None:
    """Mean distance over the labelled points, in percent of the root of the box's area."""
    counted = sample.mask > 0
    if not counted.any():
        return None
    distance = np.linalg.norm(found.points - sample.points, axis=-1)[counted].mean()
    return float(100.0 * distance / np.sqrt(np.prod(sample.box[2:] - sample.box[:2])))


def _tile(image: np.ndarray, found: Landmarks, localizer: Localizer) -> np.ndarray:
    matrix = crop_matrix(found.box, MARGIN, 2 * SIDE)  # twice as large, so that a large picture is not jagged
    tile, scale = fitted(warp(image, matrix, 2 * SIDE), SIDE)
    draw_on(tile, 1, zoomed(apply(matrix, found.points), scale), localizer.spec.skeleton)
    return tile
