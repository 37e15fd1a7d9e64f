"""``cu.train``: what ``cunet train`` does, with objects in the place of names; the options have the same names."""

import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cunet_tf.codec import codecs_of_heads
from cunet_tf.data.check import require_sound
from cunet_tf.data.hold_out import VAL_SHARE, hold_out
from cunet_tf.data.own_views import Vary
from cunet_tf.data.sample import Source
from cunet_tf.errors import CUNetError
from cunet_tf.memory.names import MemoryConfig
from cunet_tf.presets import preset
from cunet_tf.spec import ModelSpec
from cunet_tf.trainers.devices import Devices
from cunet_tf.trainers.fit import Plan, fit_plan
from cunet_tf.trainers.options import Options
from cunet_tf.trainers.recipes import Recipe, recipe_for
from cunet_tf.trainers.supervision import Supervision
from cunet_tf.trainers.teacher import Teaching
from cunet_tf.trainers.views import NUMBERS, PAIRS, changed_augmentation, own_augment


def train(
    network: ModelSpec | str,
    data: Source,
    workdir: str | Path,
    *,
    validation: Source | None = None,
    val_share: float = VAL_SHARE,
    images: int | None = None,
    watch: int = 0,
    init: str | None = None,
    resume: bool = False,
    seed: int = 0,
    recipe: str | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    targets: str | None = None,
    sigma: float | None = None,
    foreground: float | None = None,
    coordinate_loss: float = 0.0,
    contour_along: float = 1.0,
    contours: Sequence[str] = ("jaw",),
    side_tolerance: float = 0.0,
    teacher: str | None = None,
    teacher_weight: float | None = None,
    teacher_views: int | None = None,
    scale: tuple[float, float] | None = None,
    rotation: float | None = None,
    full_turns: float | None = None,
    shift: float | None = None,
    flip: float | None = None,
    gain: tuple[float, float] | None = None,
    occlude: float | None = None,
    blur: float | None = None,
    augment: Vary | str | None = None,
    warmup: int | None = None,
    patience: int = 0,
    ema: float = 0.0,
    clipnorm: float = 0.0,
    init_optimizer: bool = False,
    save_every: float = 0.0,
    memory: str = "none",
    mixed_precision: bool = False,
    deterministic: bool = False,
    tensorboard: bool = False,
    strategy: str = "one",
    devices: int = 0,
    workers: int = 0,
    flags: dict[str, Any] | None = None,
    command: str = "",
    verbose: int | str = "auto",
) -> keras.Model:
    """Train a network with ``model.fit``; the folder of the run is left as ``cunet train`` leaves it.

    Args:
        network: a description (``cu.preset(...)``, changed by ``.replace``), or a preset's name. It gets the landmarks
            of the data, where these are others.
        data: samples to learn from, as ``cu.load_300w(...)`` gives them.
        workdir: folder of the run: ``best.keras``, ``last.keras``, ``history.csv``, ``config.json``, ``curves.png``.
        validation: samples to choose ``best.keras`` by; else ``val_share`` of the data's pictures is held out.
        val_share: that share.
        images: use so many samples of the data, evenly spread.
        watch: log the metrics of so many training pictures, un-augmented.
        init: start from these weights: a shipped name, a ``.keras`` file, a run's folder.
        resume: go on with the run in ``workdir``.
        seed: of weights, order and augmentation.
        recipe: ``paper`` or ``mobile``; the next three are its own where they are ``None``.
        epochs: in all.
        batch_size: pictures in a step.
        learning_rate: at the start.
        targets, sigma, foreground, coordinate_loss, contour_along, contours, side_tolerance: the supervision, see
            :class:`cunet_tf.trainers.supervision.Supervision`.
        teacher, teacher_weight, teacher_views: a trained network whose heat maps are part of the targets, see
            :class:`cunet_tf.trainers.teacher.Teaching`.
        scale, rotation, full_turns, shift, flip, gain, occlude, blur: the random views, see
            :class:`cunet_tf.data.augment.Augmentation`; the recipe's where they are ``None``.
        augment: a function of your own, or ``FILE.py:function``, see :data:`cunet_tf.data.own_views.Vary`.
        warmup, patience, ema, clipnorm, init_optimizer, save_every, mixed_precision, deterministic, tensorboard: see
            :class:`cunet_tf.trainers.options.Options`.
        memory: kept for the backward pass: ``none``, ``recompute``, ``both``; switches ``+bottleneck``, ``+bits=4``.
        strategy, devices, workers: what shares the work, see :class:`cunet_tf.trainers.devices.Devices`.
        flags, command: of the call of ``cunet train``, kept in ``config.json``; empty in other callers.
        verbose: of ``fit``.

    Returns:
        The model after the last epoch; ``best.keras`` may be of an earlier one.

    Raises:
        CUNetError: options, network and data do not fit, the data has errors (``cu.check`` tells all), or the folder
            holds another run; before any training.
    """
    given = locals()  # the groups of options by their names
    spec = preset(network) if isinstance(network, str) else network
    memory_config = MemoryConfig.parse(memory)
    memory_config.require(spec.config)
    sources = [data] if validation is None else [data, validation]
    for source in sources:
        require_sound(source)
    data = spread(data, images) if images else data
    spec = _with_landmarks(spec, data)
    learned, held_out = hold_out(data, val_share) if validation is None else (data, validation)
    plan = Plan(
        spec=spec, recipe=chosen_recipe(spec, given), train=learned, validation=held_out, workdir=workdir,
        watched=learned.subset(range(min(watch, len(learned)))) or None,
        epochs=epochs, batch_size=batch_size, seed=seed, resume=resume, init=init, memory=str(memory_config),
        teacher=_teaching(teacher, teacher_weight, teacher_views, side_tolerance), augment=own_augment(augment),
        devices=Devices(strategy, devices, workers), flags=flags or {}, command=command, options=_of(given, Options),
    )  # fmt: skip
    return fit_plan(plan, verbose)


def chosen_recipe(spec: ModelSpec, given: dict[str, Any]) -> Recipe:
    """The recipe by name, or by the network's resolution, changed by the options of :func:`train` by their names.

    Raises:
        CUNetError: unknown recipe or kind of targets, or a view out of range.
    """
    recipe = recipe_for(spec, given["recipe"])
    codecs = _of(given, Supervision).change(recipe.codecs, spec.skeleton)
    codecs_of_heads(codecs, spec.config)  # refuses another number of passes
    views = changed_augmentation(
        recipe.augmentation, spec.skeleton, **{name: given[name] for name in (*NUMBERS, *PAIRS)}
    )
    rate = given["learning_rate"] or recipe.learning_rate
    return replace(recipe, codecs=codecs, augmentation=views, learning_rate=rate)


def _of(given: dict[str, Any], group: type[Any]) -> Any:
    """The options that are fields of a group."""
    return group(**{field.name: given[field.name] for field in fields(group)})


def _with_landmarks(spec: ModelSpec, data: Source) -> ModelSpec:
    """The network with the landmarks of the data; says so where they are others."""
    if data.skeleton == spec.skeleton:
        return spec
    size, name = data.skeleton.size, data.skeleton.name
    print(f"notice: the network gets the {size} landmarks of the data ({name}).", file=sys.stderr)
    return spec.with_skeleton(data.skeleton)


def _teaching(teacher: str | None, weight: float | None, views: int | None, tolerance: float) -> Teaching | None:
    """The teacher, if there is one.

    Raises:
        CUNetError: more is said about a teacher who is not named.
    """
    more = {"teacher_weight": weight, "teacher_views": views, "side_tolerance": tolerance or None}
    taught = [name for name, value in more.items() if value is not None]
    if teacher:
        return Teaching(teacher, 0.5 if weight is None else weight, 1 if views is None else views)
    if taught:
        raise CUNetError(f"--{taught[0]} needs --teacher, which it says more about.")
    return None


def spread(source: Source, images: int) -> Source:
    """So many samples, evenly spread over the source.

    Raises:
        CUNetError: the source has fewer.
    """
    if images > len(source):
        raise CUNetError(f"--images={images}: {source.name} {source.split} has only {len(source)}.")
    return source.subset(np.linspace(0, len(source) - 1, images).round().astype(int))
