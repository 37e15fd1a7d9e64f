"""What share of a heat-map loss lies where something is drawn, for weights of these pixels.

python -m cunet_tf.trainers.study.measure_foreground --data=300w --root=300w --split=lfpw/trainset@heldout
    --csv=docs/results/foreground.csv [--model=face-mobile] [--fresh --targets=disk] [--weights=0,5,20]

The network's last heat maps on tight crops, against its own kind of targets. Drawn are the pixels of a disk, of a
Gaussian those above a tenth of its peak. ``--fresh`` takes the same network before its training, with any targets.
Rows of other networks and weights stay in the table.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from absl import flags

from cunet_tf.aliases import Tensor
from cunet_tf.codec import CODECS, Codec, DiskCodec, codec_of, parse_codecs
from cunet_tf.data.pipeline import Examples
from cunet_tf.data.sample import Source
from cunet_tf.errors import CUNetError
from cunet_tf.flags import define_data, source_for
from cunet_tf.outputs import begins_with, claim
from cunet_tf.rows import Row, renew_rows, table
from cunet_tf.trainers.study import program

if TYPE_CHECKING:
    import keras

COLUMNS = ("model", "state", "targets", "data", "split", "images", "weight", "pixels_percent", "loss_percent")
KEYS = COLUMNS[:7]
DRAWN = 0.1  # of a peak of 1
BATCH = 32


def define(values: flags.FlagValues) -> None:
    """The flags."""
    define_data(values, split="test")
    flags.DEFINE_string("model", "face-mobile", "A .keras file, or a shipped name.", flag_values=values)
    flags.DEFINE_bool("fresh", False, "The network before its training.", flag_values=values)
    flags.DEFINE_enum("targets", None, list(CODECS), "Of a fresh network; its own by default.", flag_values=values)
    flags.DEFINE_list("weights", ["0", "5", "20"], "w: pixels weigh 1 + w * target.", flag_values=values)
    flags.DEFINE_string("csv", None, "File for the table.", flag_values=values)


def main(argv: list[str]) -> int:
    """Measure, print and write the table; returns 0, or 2 on bad input."""
    return program.run("measure_foreground", define, run, argv)


def run(values: flags.FlagValues) -> None:
    """Measure, print and write the table."""
    if values.csv:
        claim([values.csv], "--csv", begins_with(*COLUMNS))
    weights = [_weight(text) for text in values.weights]
    if values.targets and not values.fresh:
        raise CUNetError(f"--targets={values.targets}: a trained network has its own: add --fresh, or drop it.")
    model = network(values.model, values.fresh)
    codec = parse_codecs(values.targets)[0] if values.targets else codec_of(model.spec)
    source = source_for(values, model.spec)
    head = {"model": values.model, "state": "fresh" if values.fresh else "trained", "targets": str(codec),
            "data": values.data, "split": source.split, "images": len(source)}  # fmt: skip
    rows = [{**head, **row} for row in measure(model, codec, source, weights)]
    print(table([(row["weight"], f"{row['pixels_percent']:.2f}", f"{row['loss_percent']:.1f}") for row in rows]))
    if values.csv:
        renew_rows(Path(values.csv), rows, COLUMNS, KEYS)


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = -1.0
    if weight < 0:
        raise CUNetError(f"--weights: {text!r} is no weight: give numbers from 0, such as 0,5,20.")
    return weight


def network(name: str, fresh: bool) -> "keras.Model":
    """A trained network, or one of its shape with seed 0."""
    import keras

    from cunet_tf.models.build import build_network
    from cunet_tf.models.pretrained import pretrained

    trained = pretrained(name)
    if not fresh:
        return trained
    keras.utils.set_random_seed(0)
    return build_network(trained.spec)


def measure(model: "keras.Model", codec: Codec, source: Source, weights: list[float]) -> list[Row]:
    """A row for each weight."""
    batches = Examples(source, model.spec).batches(BATCH, training=False, heads=1)
    sums = np.zeros((len(weights), 2))  # loss where something is drawn, and all of it
    pixels = np.zeros(2)
    for images, (targets,) in batches:
        maps = np.asarray(model(images, training=False)[-1], np.float64)
        known = np.asarray(targets)[:, None, None, :, 2]
        target = np.asarray(codec.encode(targets, maps.shape[1]), np.float64)
        drawn = (target > DRAWN) * known
        pixels += drawn.sum(), drawn.size
        for index, weight in enumerate(weights):
            each = errors(codec, maps, target) * (1.0 + weight * target) * known
            sums[index] += (each * drawn).sum(), each.sum()
    share = 100.0 * pixels[0] / pixels[1]
    return [{"weight": weight, "pixels_percent": share, "loss_percent": 100.0 * float(inside / whole)}
            for weight, (inside, whole) in zip(weights, sums, strict=True)]  # fmt: skip


def errors(codec: Codec, maps: Tensor, target: Tensor) -> Tensor:
    """Loss of every pixel without a weight: squared error, or cross entropy of logits."""
    if isinstance(codec, DiskCodec):
        return target * np.logaddexp(0.0, -maps) + (1.0 - target) * np.logaddexp(0.0, maps)
    return (maps - target) ** 2


if __name__ == "__main__":
    sys.exit(main(sys.argv))
