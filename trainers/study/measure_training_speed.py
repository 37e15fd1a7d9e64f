"""Time of a training step of each quantization against the float network, in one interleaved run; or with a teacher.

python -m cunet_tf.trainers.study.measure_training_speed --csv=docs/results/quantization_speed.csv
python -m cunet_tf.trainers.study.measure_training_speed --quants=float --csv=docs/results/teacher_speed.csv \
  --teacher=face-large

Random pictures; only the network, the loss and the optimizer are timed. Takes about five minutes on two cores. Times
are of the clock (``step_ms``) and of the processor, all threads together (``processor_ms``, whose ratios others on the
machine change least); ``first_step_s`` is what tracing and compiling the step take the processor.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from absl import flags

from cunet_tf.codec import with_terms
from cunet_tf.models.build import build_network
from cunet_tf.outputs import begins_with, claim
from cunet_tf.presets import preset
from cunet_tf.processor import processor
from cunet_tf.rows import write_csv
from cunet_tf.trainers.fit import compile_model
from cunet_tf.trainers.recipes import recipe_for
from cunet_tf.trainers.study import program
from cunet_tf.trainers.teacher import VIEWS, Teacher, Teaching

QUANTS = "float;BW;BW-a;TW;TW-a;BW-QIG(818);BW-a-QIG(818);BW-a-QIG(818)+nearest;TW-QIG(828);BW-QIG(616);TW-QIG(626)"
WARM_UP = 3  # steps before the timed ones: tracing and allocation


def define(values: flags.FlagValues) -> None:
    """The flags."""
    flags.DEFINE_string("preset", "face-mobile", "The network.", flag_values=values)
    flags.DEFINE_string("quants", QUANTS, "Names, separated by semicolons; the first is the yardstick.",
                        flag_values=values)  # fmt: skip
    flags.DEFINE_string("teacher", None, "Time each network with this teacher too, for every number of views.",
                        flag_values=values)  # fmt: skip
    flags.DEFINE_integer("batch_size", 16, "Pictures in a step.", 1, flag_values=values)
    flags.DEFINE_integer("rounds", 7, "Each network is timed once in a round.", 1, flag_values=values)
    flags.DEFINE_integer("steps", 6, "Steps of one timing.", 1, flag_values=values)
    flags.DEFINE_string("csv", None, "File for the table.", flag_values=values)


def work(values: flags.FlagValues) -> None:
    """Measure, print and write the table.

    Raises:
        CUNetError: an unknown network, quantization or teacher, or a foreign file is in the way.
    """
    if values.csv:
        claim([values.csv], "--csv", begins_with("quant", "step_ms"))
    runners: dict[str, tuple[Callable[[], None], float]] = {}
    for name in values.quants.split(";"):
        runners[name] = runner(values.preset, name, values.batch_size)
        for views in VIEWS if values.teacher else ():
            teaching = Teaching(values.teacher, views=views)
            runners[f"{name}, teacher with {views} views"] = runner(values.preset, name, values.batch_size, teaching)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in runners}
    for _ in range(values.rounds):
        for name, (step, _) in runners.items():
            times[name].append(timed(step, values.steps))
    first = next(iter(times.values()))
    rows = [{**row(name, each, first), "first_step_s": f"{runners[name][1]:.1f}", "cpu": processor()}
            for name, each in times.items()]  # fmt: skip
    for each in rows:
        print("  ".join(f"{key}={value}" for key, value in each.items()))
    if values.csv:
        write_csv(Path(values.csv), rows)


def timed(step: Callable[[], None], steps: int) -> tuple[float, float]:
    """Seconds of one step, of the clock and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    for _ in range(steps):
        step()
    return (time.perf_counter() - clock) / steps, (time.process_time() - processor) / steps


def runner(
    preset_name: str, quant: str, batch_size: int, teaching: Teaching | None = None
) -> tuple[Callable[[], None], float]:
    """A function that does one training step of a network that is warmed up; processor seconds of its first step."""
    spec = preset(preset_name)
    recipe = recipe_for(spec)
    model = build_network(spec, quant=quant)
    codecs = with_terms(recipe.codecs, "--teacher", teacher=teaching.weight) if teaching else recipe.codecs
    compile_model(model, spec, recipe.optimizer(100, 1), codecs)
    model.teacher = Teacher(teaching, spec) if teaching else None
    rng = np.random.default_rng(0)
    side, size = spec.input_size, spec.config.heatmap_size
    images = rng.random((batch_size, side, side, 3), dtype=np.float32)
    points = rng.random((batch_size, spec.skeleton.size, 3)) * [size, size, 0] + [0, 0, 1]
    targets = [points.astype(np.float32)] * len(model.outputs)

    def step() -> None:
        keras.ops.convert_to_numpy(model.train_on_batch(images, targets)[0])

    _, first = timed(step, 1)
    for _ in range(WARM_UP - 1):
        step()
    return step, first


def row(name: str, times: list[tuple[float, float]], yardstick: list[tuple[float, float]]) -> dict[str, str]:
    """Medians of a step in milliseconds, and the medians over the rounds of the ratios to the yardstick."""
    (clock, processor), ratios = np.median(times, axis=0), np.median(np.array(times) / np.array(yardstick), axis=0)
    return {
        "quant": name, "step_ms": f"{1e3 * clock:.1f}", "ratio": f"{ratios[0]:.3f}",
        "processor_ms": f"{1e3 * processor:.1f}", "processor_ratio": f"{ratios[1]:.3f}",
    }  # fmt: skip


def main(argv: list[str]) -> int:
    """Run the study; 2 on bad input."""
    return program.run("measure_training_speed", define, work, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
