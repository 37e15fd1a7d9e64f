"""cunet train: train a network with model.fit; best.keras and last.keras land in --workdir.

Example:
  cunet train --data=synthetic --preset=face-mobile --epochs=8 --workdir=runs/drawn
  cunet train --data=300w --root=300w --preset=face-mobile --workdir=runs/face
  cunet train ... --workdir=runs/face --resume        goes on after a stop
"""

import sys
from typing import Any

from absl import flags

from cunet_tf.commands.common import (
    define_data,
    define_network,
    network_spec,
    no_arguments,
    request_source,
)
from cunet_tf.errors import CUNetError, did_you_mean
from cunet_tf.quiet import native_stderr_hidden


def define(values: flags.FlagValues) -> None:
    define_network(values)
    define_data(values, split="train")
    flags.DEFINE_string("workdir", None, "Folder of the run.", flag_values=values)
    flags.DEFINE_string("recipe", None, "paper or mobile; by default the preset's own.", flag_values=values)
    flags.DEFINE_integer("epochs", None, "Epochs in all; the recipe's by default.", 1, flag_values=values)
    flags.DEFINE_integer("batch_size", None, "Pictures in a step; the recipe's by default.", 1, flag_values=values)
    flags.DEFINE_integer("seed", 0, "Of weights, order and augmentation.", 0, flag_values=values)
    flags.DEFINE_bool("resume", False, "Continue the run in --workdir.", flag_values=values)
    flags.DEFINE_float("val_share", 0.05, "Share of the samples held out to choose best.keras.", flag_values=values)
    flags.DEFINE_string("val_split", None, "Choose best.keras on this split instead.", flag_values=values)
    flags.DEFINE_integer(
        "watch", 0, "Log the metrics of so many training pictures, un-augmented.", 0, flag_values=values
    )


def run(values: flags.FlagValues, rest: list[str]) -> dict[str, Any]:
    no_arguments(rest)
    if not values.workdir:
        raise CUNetError("name the folder of the run with --workdir.")
    spec = network_spec(values)
    source = request_source(values, spec.skeleton)

    with native_stderr_hidden():
        from trainers.fit import Plan, hold_out, train
        from trainers.run import RunFolder

    if values.val_split:
        training, validation = source, request_source(values, spec.skeleton, values.val_split)
    else:
        training, validation = hold_out(source, values.val_share)
    plan = Plan(
        spec=spec, recipe=find_recipe(values.recipe, spec), train=training, validation=validation,
        workdir=values.workdir, watched=training.subset(range(min(values.watch, len(training)))) or None,
        epochs=values.epochs, batch_size=values.batch_size, seed=values.seed, resume=values.resume,
    )  # fmt: skip
    train(plan, verbose=1 if sys.stdout.isatty() else 2)
    rows = RunFolder(values.workdir).history()
    return {"workdir": values.workdir, "epochs": len(rows), "last": {k: float(v) for k, v in rows[-1].items()}}


def find_recipe(name: str | None, spec: Any) -> Any:
    """The recipe for a preset: by name, or by its resolution.

    Raises:
        CUNetError: unknown name.
    """
    from trainers import face, pose

    recipes = face.RECIPES if spec.skeleton.name == "face68" else pose.RECIPES
    name = name or ("mobile" if spec.input_size <= 128 else "paper")
    if name not in recipes:
        raise CUNetError(f"--recipe={name}: {did_you_mean(name, recipes)}")
    return recipes[name]


def describe(result: dict[str, Any]) -> str:
    last = ", ".join(f"{name} {value:.4g}" for name, value in result["last"].items())
    return f"{result['epochs']} epochs in {result['workdir']}: {last}"
