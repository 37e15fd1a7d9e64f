"""cunet train: train a network with model.fit; best.keras and last.keras land in --workdir.

Example:
  cunet train --data=synthetic --preset=face-mobile --epochs=8 --workdir=runs/drawn
  cunet train --data=300w --root=300w --preset=face-mobile --workdir=runs/face
  cunet train --data=folder --root=mine --preset=face-mobile --init=face-mobile --workdir=runs/mine
  cunet train ... --workdir=runs/face --resume        goes on after a stop
"""

import dataclasses
import sys
from typing import Any

import numpy as np
from absl import flags

from cunet_tf.codec import Codec, codec_names, codecs_of_heads, parse_codecs, with_foreground, with_terms
from cunet_tf.data.check import require_sound
from cunet_tf.data.sample import Source
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
from cunet_tf.skeletons import SKELETONS, Skeleton
from cunet_tf.trainers.views import chosen_augmentation, define_views, own_augment


def define(values: flags.FlagValues) -> None:
    define_network(values)
    define_data(values, split="train")
    flags.DEFINE_enum("skeleton", None, list(SKELETONS), "Landmarks of drawn data, where not the preset's.",
                      flag_values=values)  # fmt: skip
    flags.DEFINE_string("workdir", None, "Folder of the run.", flag_values=values)
    flags.DEFINE_string("recipe", None, "paper or mobile; by default the preset's own.", flag_values=values)
    flags.DEFINE_integer("epochs", None, "Epochs in all; the recipe's by default.", 1, flag_values=values)
    flags.DEFINE_integer("batch_size", None, "Pictures in a step; the recipe's by default.", 1, flag_values=values)
    flags.DEFINE_integer("seed", 0, "Of weights, order and augmentation.", 0, flag_values=values)
    flags.DEFINE_string("config", None, "Train again as this config.json, or a run's folder, says; flags given here go "
                        "before its own.", flag_values=values)  # fmt: skip
    flags.DEFINE_bool("resume", False, "Continue the run in --workdir.", flag_values=values)
    flags.DEFINE_integer(
        "images", None, "Use so many pictures of the split, evenly spread; by default all.", 2, flag_values=values
    )
    flags.DEFINE_float("val_share", 0.05, "Share of the samples held out to choose best.keras.", flag_values=values)
    flags.DEFINE_string("val_split", None, "Choose best.keras on this split instead.", flag_values=values)
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
    flags.DEFINE_float("teacher_weight", 0.5, "Share of the teacher's heat maps in the targets.", flag_values=values)
    flags.DEFINE_float("side_tolerance", 0.0, "Where the label with left and right swapped is nearer to the teacher's "
                       "points than this share of its own distance, the smaller loss of both counts.",
                       0, 1, flag_values=values)  # fmt: skip
    flags.DEFINE_integer("teacher_views", 1, "1: the same crop; 2: its mirror image too; 4: both also shifted.",
                         flag_values=values)  # fmt: skip
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
    no_arguments(rest)
    if values.config:
        take_config(values)
    if not values.workdir:
        raise CUNetError("name the folder of the run with --workdir.")
    spec = network_spec(values)
    if values.skeleton:
        spec = spec.with_skeleton(SKELETONS[values.skeleton])
    memory = MemoryConfig.parse(values.memory)
    memory.require(spec.config)
    sources = [request_source(values, spec.skeleton, split) for split in (values.split, values.val_split) if split]
    for source in sources:
        require_sound(source)
    if values.images:
        sources[0] = spread(sources[0], values.images)
    if sources[0].skeleton != spec.skeleton:
        skeleton = sources[0].skeleton
        print(f"notice: the network gets the {skeleton.size} landmarks of the data ({skeleton.name}).", file=sys.stderr)
        spec = spec.with_skeleton(skeleton)

    import_quietly("keras")
    from cunet_tf.trainers.devices import Devices
    from cunet_tf.trainers.fit import Plan, hold_out, train
    from cunet_tf.trainers.options import Options
    from cunet_tf.trainers.run import RunFolder
    from cunet_tf.trainers.teacher import Teaching

    taught = [name for name in ("teacher_weight", "teacher_views", "side_tolerance") if values[name].present]
    if taught and not values.teacher:
        raise CUNetError(f"--{taught[0]} needs --teacher, which it says more about.")
    teacher = Teaching(values.teacher, values.teacher_weight, values.teacher_views) if values.teacher else None
    training, validation = sources if values.val_split else hold_out(sources[0], values.val_share)
    plan = Plan(
        spec=spec, recipe=chosen_recipe(values, spec), train=training, validation=validation,
        workdir=values.workdir, watched=training.subset(range(min(values.watch, len(training)))) or None,
        epochs=values.epochs, batch_size=values.batch_size, seed=values.seed, resume=values.resume,
        init=values.init, memory=str(memory), teacher=teacher, augment=own_augment(values),
        devices=Devices(values.strategy, values.devices, values.workers), flags=given_flags(values),
        command=command_line("train", values, [name for name in values if name != "json"]),
        options=Options(**{field.name: values[field.name].value for field in dataclasses.fields(Options)}),
    )  # fmt: skip
    train(plan, verbose=1 if sys.stdout.isatty() else 2)
    rows = RunFolder(values.workdir).history()
    last = finite({name: float(value) for name, value in rows[-1].items()})
    return {"workdir": values.workdir, "epochs": len(rows), "last": last}


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


def spread(source: Source, images: int) -> Source:
    """So many samples, evenly spread over the source.

    Raises:
        CUNetError: the source has fewer.
    """
    if images > len(source):
        raise CUNetError(f"--images={images}: {source.name} {source.split} has only {len(source)}.")
    return source.subset(np.linspace(0, len(source) - 1, images).round().astype(int))


def chosen_recipe(values: flags.FlagValues, spec: Any) -> Any:
    """The recipe by name, or by the preset's resolution, changed by the flags beside it.

    Raises:
        CUNetError: unknown recipe or kind of targets, or a view out of range.
    """
    from cunet_tf.trainers.recipes import recipe_for

    recipe = recipe_for(spec, values.recipe)
    codecs = supervision(values, recipe.codecs, spec.skeleton)
    codecs_of_heads(codecs, spec.config)  # refuses another number of passes
    augmentation = chosen_augmentation(values, recipe.augmentation, spec.skeleton)
    rate = values.learning_rate or recipe.learning_rate
    return dataclasses.replace(recipe, codecs=codecs, augmentation=augmentation, learning_rate=rate)


def supervision(values: flags.FlagValues, codecs: tuple[Codec, ...], skeleton: Skeleton) -> tuple[Codec, ...]:
    """A recipe's codecs, changed by the flags beside it.

    Raises:
        CUNetError: unknown kind of targets, terms of a loss that it does not have, contours that are none, or no sides.
    """
    if values.targets or values.sigma:
        codecs = parse_codecs(values.targets or codec_names(codecs), values.sigma, like=codecs[-1])
    if values.foreground is not None:
        codecs = with_foreground(codecs, values.foreground)
    if values.contour_along != 1.0 and not values.coordinate_loss:
        raise CUNetError(f"--contour_along={values.contour_along:g} needs --coordinate_loss, which it is a part of.")
    if values.coordinate_loss:
        flag = f"--coordinate_loss={values.coordinate_loss:g}"
        codecs = with_terms(codecs, flag, coordinates=values.coordinate_loss, **contours(values, skeleton))
    if values.side_tolerance:
        flag = f"--side_tolerance={values.side_tolerance:g}"
        codecs = with_terms(codecs, flag, tolerance=values.side_tolerance, permutation=partners(flag, skeleton))
    return codecs


def partners(flag: str, skeleton: Skeleton) -> tuple[int, ...]:
    """What a mirror image swaps, for a flag that is about nothing else.

    Raises:
        CUNetError: nobody knows, or nothing.
    """
    skeleton.require_pairs(flag)
    if not skeleton.flip_pairs:
        raise CUNetError(f"{flag}: no landmark of {skeleton.name} has a partner on the other side: drop it.")
    return tuple(int(index) for index in skeleton.flip_permutation)


def contours(values: flags.FlagValues, skeleton: Skeleton) -> dict[str, Any]:
    """Fields of a codec that weigh errors along contours.

    Raises:
        CUNetError: the landmarks have no such contour.
    """
    if values.contour_along == 1.0:
        return {}
    try:
        neighbours = skeleton.contour_neighbours(values.contours)
    except CUNetError as error:
        raise CUNetError(f"--contour_along={values.contour_along:g} --contours: {error}") from None
    return {"along": values.contour_along, "neighbours": neighbours}


def describe(result: dict[str, Any]) -> str:
    last = ", ".join(f"{name} {number(value)}" for name, value in result["last"].items())
    return f"{result['epochs']} epochs in {result['workdir']}: {last}"
