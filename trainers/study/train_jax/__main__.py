"""A training for a given time on whatever device JAX has, mostly one GPU: NAME.keras and NAME.csv in --out.

python -m cunet_tf.trainers.study.train_jax --data=300w --root=300w --preset=face-mobile --minutes=8
    --split=afw,helen/trainset,lfpw/trainset@rest --val_split=lfpw/trainset@heldout --batch_size=64
    --learning_rate=2e-3 --foreground=20 --warmup=200 --ema=0.999 --out=runs/timed [--name=NAME]

Network, views, targets, loss, optimizer and average are those of ``cunet train``; the learning rate follows a cosine
over the time that is left after compiling, and pictures are made by processes of their own. NAME.keras is written at
every check, NAME.csv has a row for each.
"""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from cunet_tf.data.check import require_sound
from cunet_tf.data.hold_out import VAL_SHARE, hold_out
from cunet_tf.data.sample import Source
from cunet_tf.errors import CUNetError, require_package
from cunet_tf.flags import define_data, define_network, network_spec, request_source
from cunet_tf.outputs import begins_with, claim
from cunet_tf.quiet import import_quietly
from cunet_tf.spec import ModelSpec
from cunet_tf.trainers.study import program
from cunet_tf.trainers.views import chosen_augmentation, define_views

if TYPE_CHECKING:
    from cunet_tf.trainers.fit import Plan

COLUMNS = ("epoch", "step", "seconds")  # that NAME.csv begins with


def define(values: flags.FlagValues) -> None:
    """The flags."""
    define_network(values)
    define_data(values, split="train")
    number, whole = flags.DEFINE_float, flags.DEFINE_integer
    flags.DEFINE_string("val_split", None, "For validation; by default 5 % of --split.", flag_values=values)
    flags.DEFINE_string("recipe", None, "paper or mobile; the preset's own by default.", flag_values=values)
    number("minutes", None, "From the start of the program to the written file.", flag_values=values)
    whole("batch_size", None, "Pictures in a step; the recipe's by default.", 1, flag_values=values)
    number("learning_rate", None, "At the start; the recipe's by default.", 0, flag_values=values)
    number("foreground", None, "w: pixels weigh 1 + w * target; the recipe's by default.", 0, flag_values=values)
    whole("warmup", 0, "Steps over which the learning rate rises.", 0, flag_values=values)
    number("ema", 0.0, "Decay of a moving average of the weights, such as 0.999.", flag_values=values)
    number("clipnorm", 0.0, "Largest global norm of the gradient; 0 does not clip.", flag_values=values)
    flags.DEFINE_string("teacher", None, "A trained network whose heat maps are part of the targets.",
                        flag_values=values)  # fmt: skip
    number("teacher_weight", 0.5, "Share of the teacher's heat maps in the targets.", flag_values=values)
    whole("teacher_views", 1, "1: the same crop; 2: its mirror image too; 4: both also shifted.", flag_values=values)
    define_views(values, own=False)  # a function of a file does not travel to the workers
    whole("seed", 0, "Of weights, order and augmentation.", 0, flag_values=values)
    whole("chunk", None, "Steps of one call of the device; 16, on a CPU 1.", 1, flag_values=values)
    whole("checks", 8, "Validations over the time.", 1, flag_values=values)
    whole("workers", max((os.cpu_count() or 2) - 1, 1), "Processes that make pictures.", 1, flag_values=values)
    number("cache", 4.0, "Gigabytes of decoded pictures that these keep, together.", 0, flag_values=values)
    flags.DEFINE_string("out", "runs/timed", "Folder of NAME.keras and NAME.csv.", flag_values=values)
    flags.DEFINE_string("name", None, "NAME, also the model's own; the preset's by default.", flag_values=values)


def main(argv: list[str]) -> int:
    """Train; returns 0, or 2 on bad input."""
    return program.run("train_jax", define, run, argv)


def run(values: flags.FlagValues) -> None:
    """Train."""
    start = time.monotonic()
    if not values.minutes:
        raise CUNetError("give --minutes, the time from now to the written file.")
    spec = network_spec(values)
    spec = spec.replace(name=values.name or spec.name)
    file = Path(values.out, f"{spec.name}.keras")
    table = file.with_suffix(".csv")
    claim([table], "--out", begins_with(*COLUMNS))
    claim([file], "--out", ours=lambda _: begins_with(*COLUMNS)(table))
    sources = [request_source(values, spec.skeleton, split) for split in (values.split, values.val_split) if split]
    for source in sources:
        require_sound(source)
    if sources[0].skeleton != spec.skeleton:
        spec = spec.with_skeleton(sources[0].skeleton)
    _require_jax()
    import jax

    from cunet_tf.trainers.study.train_jax.pace import Pace
    from cunet_tf.trainers.study.train_jax.training import train_for

    chunk = values.chunk or (1 if jax.default_backend() == "cpu" else 16)
    pace = Pace(values.minutes, chunk, values.checks, values.workers, values.cache)
    training, validation = sources if values.val_split else hold_out(sources[0], VAL_SHARE)
    train_for(_plan(values, spec, training, validation), pace, file, start)
    print(f"{file} and {table}, after {time.monotonic() - start:.0f} s")


def _require_jax() -> None:
    """Import Keras on JAX.

    Raises:
        CUNetError: JAX is not installed, or Keras runs on another backend.
    """
    require_package("jax")
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import_quietly("keras")
    import keras

    if keras.backend.backend() != "jax":
        raise CUNetError(f"this training needs Keras on JAX, and Keras runs on {keras.backend.backend()}: call it "
                         "without KERAS_BACKEND.")  # fmt: skip


def _plan(values: flags.FlagValues, spec: ModelSpec, training: Source, validation: Source) -> "Plan":
    """The training as ``cunet train`` would plan it."""
    from cunet_tf.codec import with_foreground
    from cunet_tf.trainers.fit import Plan
    from cunet_tf.trainers.options import Options
    from cunet_tf.trainers.recipes import recipe_for
    from cunet_tf.trainers.teacher import Teaching

    recipe = recipe_for(spec, values.recipe)
    views = chosen_augmentation(values, recipe.augmentation, spec.skeleton)
    recipe = replace(recipe, learning_rate=values.learning_rate or recipe.learning_rate, augmentation=views)
    if values.foreground is not None:
        recipe = replace(recipe, codecs=with_foreground(recipe.codecs, values.foreground))
    teacher = Teaching(values.teacher, values.teacher_weight, values.teacher_views) if values.teacher else None
    options = Options(ema=values.ema, clipnorm=values.clipnorm, warmup=values.warmup)
    return Plan(spec, recipe, training, validation, values.out, batch_size=values.batch_size, seed=values.seed,
                teacher=teacher, options=options)  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv))
