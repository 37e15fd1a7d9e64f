"""Time of a training step of each quantization against the float network, in one interleaved run.

python -m cunet_tf.trainers.study.measure_training_speed --csv=docs/results/quantization_speed.csv

Random pictures; only the network, the loss and the optimizer are timed. Takes about five minutes on two cores.
"""

import sys
import time
from pathlib import Path

import keras
import numpy as np
from absl import flags

from cunet_tf.models.build import build_network
from cunet_tf.outputs import begins_with, claim
from cunet_tf.presets import preset
from cunet_tf.rows import write_csv
from cunet_tf.trainers.fit import compile_model
from cunet_tf.trainers.recipes import recipe_for

QUANTS = "float;BW;BW-a;TW;TW-a;BW-QIG(818);BW-a-QIG(818);BW-a-QIG(818)+nearest;TW-QIG(828);BW-QIG(616);TW-QIG(626)"
WARM_UP = 3  # steps that are not timed: tracing and allocation


def define(values: flags.FlagValues) -> None:
    """The flags."""
    flags.DEFINE_string("preset", "face-mobile", "The network.", flag_values=values)
    flags.DEFINE_string("quants", QUANTS, "Names, separated by semicolons; the first is the yardstick.",
                        flag_values=values)  # fmt: skip
    flags.DEFINE_integer("batch_size", 16, "Pictures in a step.", 1, flag_values=values)
    flags.DEFINE_integer("rounds", 7, "Each network is timed once in a round.", 1, flag_values=values)
    flags.DEFINE_integer("steps", 6, "Steps of one timing.", 1, flag_values=values)
    flags.DEFINE_string("csv", None, "File for the table.", flag_values=values)


def main(argv: list[str]) -> int:
    """Measure, print and write the table; returns 0."""
    values = flags.FlagValues()
    define(values)
    values(argv)
    if values.csv:
        claim([values.csv], "--csv", begins_with("quant", "step_ms"))
    names = values.quants.split(";")
    runners = {name: runner(values.preset, name, values.batch_size) for name in names}
    times: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(values.rounds):
        for name, step in runners.items():
            start = time.perf_counter()
            for _ in range(values.steps):
                step()
            times[name].append((time.perf_counter() - start) / values.steps)
    rows = [row(name, times[name], times[names[0]]) for name in names]
    for each in rows:
        print("  ".join(f"{key}={value}" for key, value in each.items()))
    if values.csv:
        write_csv(Path(values.csv), rows)
    return 0


def runner(preset_name: str, quant: str, batch_size: int):
    """A function that does one training step; the network is warmed up."""
    spec = preset(preset_name)
    recipe = recipe_for(spec)
    model = build_network(spec, quant=quant)
    compile_model(model, spec, recipe.optimizer(100, 1), recipe.codecs)
    rng = np.random.default_rng(0)
    side, size = spec.input_size, spec.config.heatmap_size
    images = rng.random((batch_size, side, side, 3), dtype=np.float32)
    points = rng.random((batch_size, spec.skeleton.size, 3)) * [size, size, 0] + [0, 0, 1]
    targets = [points.astype(np.float32)] * len(model.outputs)

    def step() -> None:
        keras.ops.convert_to_numpy(model.train_on_batch(images, targets)[0])

    for _ in range(WARM_UP):
        step()
    return step


def row(name: str, times: list[float], yardstick: list[float]) -> dict[str, str]:
    """Median step in milliseconds, and the median over the rounds of the ratio to the yardstick."""
    ratio = np.median(np.array(times) / np.array(yardstick))
    return {"quant": name, "step_ms": f"{1e3 * np.median(times):.1f}", "ratio": f"{ratio:.3f}"}


if __name__ == "__main__":
    sys.exit(main(sys.argv))
