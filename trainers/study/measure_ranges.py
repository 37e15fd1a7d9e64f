"""Fixed and learned ranges of 4-bit features: error and used levels of a small network of one's own.

python -m cunet_tf.trainers.study.measure_ranges --csv=docs/results/quantization_ranges.csv

Drawn faces, five of their points; ternary kernels. Takes about ten minutes on two cores.
"""

import sys
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import keras
import numpy as np
from absl import flags

from cunet_tf.aliases import Tensor
from cunet_tf.data.augment import View
from cunet_tf.data.pipeline import make_example
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.models import quant_layers
from cunet_tf.models.quant_layers import QuantActivation, QuantConv2D
from cunet_tf.outputs import begins_with, claim
from cunet_tf.presets import preset
from cunet_tf.quantize.quantizers import Linear
from cunet_tf.rows import write_csv
from cunet_tf.skeletons import FACE68

BITS, SIDE = 4, 64
POINTS = [30, 36, 45, 48, 54]  # nose, outer eye corners, corners of the mouth
FIXED = (0.25, 1.0, 2.0, 4.0, 16.0)
LEARNED = (
    ("absolute", 1), ("absolute", 200), ("absolute", 1_000_000), ("squares", 200), ("peak", 200),
)  # fmt: skip  # what is least, and batches of learning: the first one, some, all
_L = keras.layers


def define(values: flags.FlagValues) -> None:
    """The flags."""
    flags.DEFINE_integer("pictures", 640, "To train on; a third as many are tested.", 16, flag_values=values)
    flags.DEFINE_integer("epochs", 15, "Of each training.", 1, flag_values=values)
    flags.DEFINE_integer("seeds", 2, "Trainings of each range.", 1, flag_values=values)
    flags.DEFINE_string("csv", None, "File for the table.", flag_values=values)


def main(argv: list[str]) -> int:
    """Measure, print and write the table; returns 0."""
    values = flags.FlagValues()
    define(values)
    values(argv)
    if values.csv:
        claim([values.csv], "--csv", begins_with("range", "settling"))
    train, test = faces(0, values.pictures), faces(1, values.pictures // 3)
    rules: list[tuple[float | str, int]] = [*((r, 0) for r in FIXED), *LEARNED]
    rows = []
    for rule in rules:
        rows.append(measure(*rule, train, test, values.epochs, values.seeds))
        print("  ".join(f"{key}={value}" for key, value in rows[-1].items()), flush=True)
    if values.csv:
        write_csv(Path(values.csv), rows)
    return 0


def faces(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures ``[count, 64, 64, 3]`` in 0..1, and points ``[count, 10]``, 1 for the side of the picture."""
    spec = preset("face-mobile")
    spec = spec.replace(config=spec.config.replace(input_size=SIDE))
    source = load_synthetic(FACE68, f"{seed}:{count}")
    made = [make_example(each, View(), spec, spec.skeleton.flip_permutation) for each in source.samples]
    points = np.stack([np.asarray(points)[POINTS, :2] for _, points, *_ in made]) / spec.config.heatmap_size
    return np.stack([image for image, *_ in made]), points.reshape(count, -1).astype(np.float32)


def measure(
    rule: float | str, settling: int, train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray],
    epochs: int, seeds: int,
) -> dict[str, Any]:  # fmt: skip
    """Train a few networks; their mean error on the test pictures in percent of the side, and their levels."""
    r = "auto" if isinstance(rule, str) else rule
    errors, levels, ranges = [], [], []
    votes = {"peak": peak_exponent, "squares": partial(quant_layers.best_exponent, power=2)}
    vote = votes.get(str(rule), quant_layers.best_exponent)
    for seed in range(seeds):
        with mock.patch.multiple(quant_layers, SETTLING=settling, best_exponent=vote):
            model = network(r, seed)
            rate = keras.optimizers.schedules.CosineDecay(3e-3, epochs * -(-len(train[0]) // 16))
            model.compile(keras.optimizers.Adam(rate), "mse", jit_compile=False)
            model.fit(*train, batch_size=16, epochs=epochs, verbose=0)
        gaps = (model.predict(test[0], verbose=0) - test[1]).reshape(len(test[0]), -1, 2)
        errors.append(100 * float(np.linalg.norm(gaps, axis=-1).mean()))
        grids = [layer for layer in model.layers if isinstance(layer, QuantActivation)]
        looking = keras.Model(model.inputs, [grid.output for grid in grids])
        levels += [len(np.unique(each)) for each in looking.predict(test[0], verbose=0)]
        ranges += [f"{grid.settled().r:g}" for grid in grids]
    return {
        "range": rule, "settling": settling, "error_percent": float(np.mean(errors)),
        "spread": float(np.std(errors)), "levels": float(np.mean(levels)), "ranges": " ".join(ranges),
    }  # fmt: skip


def network(r: float | str, seed: int) -> keras.Model:
    """Four convolutions, one of them without a normalisation, on grids of 4 bits with the range ``r``."""
    keras.utils.set_random_seed(seed)

    def block(x: Tensor, filters: int, norm: bool = True) -> Tensor:
        x = QuantConv2D(filters, 3, 2, padding="same", use_bias=not norm, kernel_quantizer="ternary-a")(x)
        x = _L.BatchNormalization(momentum=0.9)(x) if norm else x
        return QuantActivation(bits=BITS, r=r)(x)

    image = keras.Input((SIDE, SIDE, 3))
    x = _L.Conv2D(16, 5, 2, padding="same", use_bias=False)(image)
    x = QuantActivation(bits=BITS, r=r)(_L.BatchNormalization(momentum=0.9)(x))
    x = block(block(block(x, 32), 32, norm=False), 64)
    x = _L.LayerNormalization()(_L.Flatten()(x))  # what follows does not see the scale of the features
    return keras.Model(image, _L.Dense(2 * len(POINTS))(x))


def peak_exponent(x: Tensor, grid: Linear) -> tuple[Tensor, Tensor]:
    """The other rule: the smallest power of two that holds all values."""
    peak = keras.ops.max(keras.ops.relu(keras.ops.cast(x, "float32")))
    top = keras.ops.ceil(keras.ops.log2(keras.ops.maximum(peak, quant_layers.SMALLEST)))
    return top, peak > quant_layers.SMALLEST


if __name__ == "__main__":
    sys.exit(main(sys.argv))
