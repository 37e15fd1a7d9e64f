"""cunet train: train a network with model.fit; best.keras and last.keras land in --workdir.

Example:
  cunet train --data=synthetic --preset=face-mobile --epochs=8 --workdir=runs/drawn
  cunet train --data=300w --root=300w --preset=face-mobile --workdir=runs/face
  cunet train --data=folder --root=mine --preset=face-mobile --init=face-mobile --workdir=runs/mine
  cunet train ... --workdir=runs/face --resume        goes on after a stop
"""

import sys
from typing import Any

from absl import flags

from cunet_tf.data.hold_out import VAL_SHARE
from cunet_tf.errors import CUNetError
from cunet_tf.flags import (
    command_line,
    define_data,
    define_network,
    network_spec,
    no_arguments,
    request_source,
)
from cunet_tf.memory.names import MemoryConfig
from cunet_tf.outputs import finite
from cunet_tf.quiet import import_quietly
from cunet_tf.rows import number
from cunet_tf.skeletons import SKELETONS
from cunet_tf.trainers.views import define_views, given_views


def define(values: flags.FlagValues) -> None:
    """The flags."""
    define_network(values)
    define_data(values, split="train")
    flags.DEFINE_enum("skeleton", None, list(SKELETONS), "Landmarks of drawn data, where not the preset's.",
                      flag_values=values)  # fmt: skip
    flags.DEFINE_string("workdir", None, "Folder of the run.", flag_values=values)
    flags.DEFINE_string("val_split", None, "Choose best.keras on this split instead.", flag_values=values)
    flags.DEFINE_string("config", None, "Train again as this config.json, or a run's folder, says; flags given here go "
                        "before its own.", flag_values=values)  # fmt: skip
    define_options(values)


def define_options(values: flags.FlagValues) -> None:
    """The options of :func:`cunet_tf.trainers.train.train`."""
    flags.DEFINE_string("recipe", None, "paper or mobile; by default the preset's own.", flag_values=values)
    flags.DEFINE_integer("epochs", None, "Epochs in all; the recipe's by default.", 1, flag_values=values)
    flags.DEFINE_integer("batch_size", None, "Pictures in a step; the recipe's by default.", 1, flag_values=values)
    flags.DEFINE_integer("seed", 0, "Of weights, order and augmentation.", 0, flag_values=values)
    flags.DEFINE_bool("resume", False, "Continue the run in --workdir.", flag_values=values)
    flags.DEFINE_integer(
        "images", None, "Use so many pictures of the split, evenly spread; by default all.", 2, flag_values=values
    )
    flags.DEFINE_float(
        "val_share", VAL_SHARE, "Share of the samples held out to choose best.keras.", flag_values=values
    )
    flags.DEFINE_string(
        "targets",
        None,
        "gaussian, reference (the published code's maps) or disk (detection); one for each pass: disk,gaussian.",
        flag_values=values,
    )
    flags.DEFINE_string(
        "init", None, "Start from these weights: a shipped name, a .keras file, a run.", flag_values=values
    )
    flags.DEFINE_bool("init_optimizer", False, "Extend the run of --init: take over its optimizer's averages, begin "
                      "a new schedule, without a warm-up.", flag_values=values)  # fmt: skip
    flags.DEFINE_float("learning_rate", None, "At the start; the recipe's by default.", 0, flag_values=values)
    flags.DEFINE_float("sigma", None, "Of the Gaussian targets, or radius of the disks, in heat-map pixels.",
                       0.1, flag_values=values)  # fmt: skip
    flags.DEFINE_float("foreground", None, "w: pixels weigh 1 + w * target in the loss; by default 0, of disks 4.",
                       0, flag_values=values)  # fmt: skip
    flags.DEFINE_float("coordinate_loss", 0.0, "Weight of the smooth L1 of the decoded points, in heat-map pixels.",
                       0, flag_values=values)  # fmt: skip
    flags.DEFINE_float("contour_along", 1.0, "Weight in it of the error along a contour; that across it counts whole.",
                       0, flag_values=values)  # fmt: skip
    flags.DEFINE_list("contours", "jaw", "Groups of landmarks that are contours.", flag_values=values)
    flags.DEFINE_string("teacher", None, "A trained network whose heat maps are part of the targets: a .keras file, a "
                        "run's folder or a shipped name.", flag_values=values)  # fmt: skip
    flags.DEFINE_float("teacher_weight", None, "Share of the teacher's heat maps in the targets; 0.5 by default.",
                       flag_values=values)  # fmt: skip
    flags.DEFINE_float("side_tolerance", 0.0, "Where the label with left and right swapped is nearer to the teacher's "
                       "points than this share of its own distance, the smaller loss of both counts.",
                       0, 1, flag_values=values)  # fmt: skip
    flags.DEFINE_integer("teacher_views", None, "1: the same crop, the default; 2: its mirror image too; 4: both also "
                         "shifted.", flag_values=values)  # fmt: skip
    define_views(values)
    flags.DEFINE_integer("warmup", None, "Steps over which the learning rate rises; by default only with --init.",
                         0, flag_values=values)  # fmt: skip
    flags.DEFINE_integer("patience", 0, "Stop after so many epochs without progress; 0 never.", 0, flag_values=values)
    flags.DEFINE_float("ema", 0.0, "Decay of a moving average of the weights, such as 0.999.", flag_values=values)
    flags.DEFINE_float("clipnorm", 0.0, "Largest global norm of the gradient; 0 does not clip.", flag_values=values)
    memory = "Kept for the backward pass: none, recompute, both; switches +bottleneck, +bits=4."
    flags.DEFINE_string("memory", "none", memory, flag_values=values)
    flags.DEFINE_float("save_every", 0.0, "Minutes after which last.keras is written inside an epoch; 0 after epochs.",
                       flag_values=values)  # fmt: skip
    flags.DEFINE_enum("strategy", "one", ["one", "mirrored", "multiworker"], "One device; those of this machine; those "
                      "of all workers of TF_CONFIG.", flag_values=values)  # fmt: skip
    flags.DEFINE_integer("devices", 0, "Use so many GPUs of this machine, or parts of its processor; 0 all.", 0,
                         flag_values=values)  # fmt: skip
    flags.DEFINE_integer("workers", 0, "Processes that make the pictures, under JAX; 0: threads of this one.",
                         0, flag_values=values)  # fmt: skip
    flags.DEFINE_bool("mixed_precision", False, "Compute in bfloat16.", flag_values=values)
    flags.DEFINE_bool("deterministic", False, "The same bits in every run (slower).", flag_values=values)
    flags.DEFINE_bool("tensorboard", False, "Write TensorBoard events into the run.", flag_values=values)
    flags.DEFINE_integer(
        "watch", 0, "Log the metrics of so many training pictures, un-augmented.", 0, flag_values=values
    )


def run(values: flags.FlagValues, rest: list[str]) -> dict[str, Any]:
    """What the module says; the result for --json and :func:`describe`."""
    no_arguments(rest)
    if values.config:
        take_config(values)
    if not values.workdir:
        raise CUNetError("name the folder of the run with --workdir.")
    spec = network_spec(values)
    if values.skeleton:
        spec = spec.with_skeleton(SKELETONS[values.skeleton])
    MemoryConfig.parse(values.memory).require(spec.config)  # before the data is read
    data = request_source(values, spec.skeleton)
    validation = request_source(values, spec.skeleton, values.val_split) if values.val_split else None
    import_quietly("keras")
    from cunet_tf.trainers.run import RunFolder
    from cunet_tf.trainers.train import train

    command = command_line("train", values, [name for name in values if name != "json"])
    train(spec, data, values.workdir, validation=validation, flags=given_flags(values), command=command,
          verbose=1 if sys.stdout.isatty() else 2, **options(values))  # fmt: skip
    rows = RunFolder(values.workdir).history()
    last = finite({name: float(value) for name, value in rows[-1].items()})
    return {"workdir": values.workdir, "epochs": len(rows), "last": last}


def options(values: flags.FlagValues) -> dict[str, Any]:
    """Those of :func:`cunet_tf.trainers.train.train`, which have the names of the flags."""
    probe = flags.FlagValues()
    define_options(probe)
    return {**{name: values[name].value for name in probe}, **given_views(values)}


def take_config(values: flags.FlagValues) -> None:
    """Set the flags of an earlier run that were not given now.

    Raises:
        CUNetError: see :func:`cunet_tf.trainers.manifest.flags_of`, or a flag is unknown by now.
    """
    from cunet_tf.trainers.manifest import flags_of

    for name, value in flags_of(values.config).items():
        if name not in values:
            raise CUNetError(
                f"--config={values.config}: --{name} is no option of this version: give the flags yourself."
            )
        if not values[name].present:
            values[name].value, values[name].present = value, 1


def given_flags(values: flags.FlagValues) -> dict[str, Any]:
    """The flags that were given and say what is trained, with their values."""
    from cunet_tf.trainers.manifest import NOT_AGAIN

    return {name: values[name].value for name in values if values[name].present and name not in NOT_AGAIN}


def describe(result: dict[str, Any]) -> str:
    """The result for the terminal."""
    last = ", ".join(f"{name} {number(value)}" for name, value in result["last"].items())
    return f"{result['epochs']} epochs in {result['workdir']}: {last}"
