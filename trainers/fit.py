"""Training through ``model.fit``: the one road for every network, source and recipe."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cunet_tf.codec import Codec, codecs_of_heads, with_terms
from cunet_tf.data.own_views import Vary, vary_digest, vary_name
from cunet_tf.data.pipeline import Examples
from cunet_tf.data.sample import Source
from cunet_tf.data.worker_pool import workers_for
from cunet_tf.memory.strategy import set_memory
from cunet_tf.models.build import build_network
from cunet_tf.models.pretrained import start_from
from cunet_tf.models.saved import load_keras
from cunet_tf.signals import signals_interrupt
from cunet_tf.spec import ModelSpec
from cunet_tf.trainers.averages import Averages
from cunet_tf.trainers.devices import Devices, Team
from cunet_tf.trainers.extension import extended_file, load_with_optimizer, take_optimizer, updates_made
from cunet_tf.trainers.guard import StopAtNaN, StopWhenTold, lost_workers_are_named, memory_is_named, pictures_are_named
from cunet_tf.trainers.manifest import data_digest, versions
from cunet_tf.trainers.options import Options
from cunet_tf.trainers.recipes import Recipe
from cunet_tf.trainers.run import Recorder, RunFolder, same_for_all
from cunet_tf.trainers.teacher import Teacher, Teaching
from cunet_tf.training_metrics import last_head_metrics, main_metric


@dataclass(frozen=True)
class Plan:
    """One training run.

    Attributes:
        spec: the network and its skeleton; crop factor and sigma come from the recipe.
        recipe: see :class:`cunet_tf.trainers.recipes.Recipe`.
        train: samples to learn from.
        validation: samples to choose ``best.keras`` by, never learned from.
        watched: a part of the training samples whose un-augmented metric is logged too.
        workdir: folder of the run.
        epochs, batch_size: ``None`` takes the recipe's.
        seed: of initial weights, order and augmentation.
        resume: continue the run in ``workdir``.
        init: weights that the training starts from, see :func:`cunet_tf.models.pretrained.pretrained`.
        memory: what is kept for the backward pass, see :class:`~cunet_tf.memory.names.MemoryConfig`.
        teacher: whose heat maps are a part of the targets of what regresses; not of validation's.
        augment: a function of the caller's own that varies the training views further, see
            :data:`cunet_tf.data.own_views.Vary`.
        options: see :class:`cunet_tf.trainers.options.Options`.
        devices: that train, see :class:`cunet_tf.trainers.devices.Devices`; of several processes each calls
            :func:`fit_plan` with the same plan.
        flags, command: of the call of ``cunet train``, for ``--config``; empty in other callers.

    Raises:
        CUNetError: there is a teacher, and nothing regresses.
    """

    spec: ModelSpec
    recipe: Recipe
    train: Source
    validation: Source
    workdir: str | Path
    watched: Source | None = None
    epochs: int | None = None
    batch_size: int | None = None
    seed: int = 0
    resume: bool = False
    init: str | None = None
    memory: str = "none"
    teacher: Teaching | None = None
    augment: Vary | None = None
    options: Options = Options()
    devices: Devices = Devices()
    flags: dict[str, Any] = dataclasses.field(default_factory=dict)
    command: str = ""

    def __post_init__(self) -> None:
        self.codecs  # noqa: B018  (refuses a teacher of what does not regress, before a folder is made)

    @property
    def codecs(self) -> tuple[Codec, ...]:
        """The recipe's, with the teacher's share."""
        if self.teacher is None:
            return self.recipe.codecs
        flag = f"--teacher={self.teacher.network}"
        return with_terms(self.recipe.codecs, flag, teacher=self.teacher.weight)

    def describe(self, device: str) -> dict[str, Any]:
        """The full configuration, saved with the run as ``config.json``."""
        own = {"augment": vary_digest(self.augment)} if self.augment else {}
        return {
            "spec": self.spec.to_dict(),
            "recipe": self.recipe.to_dict(),
            "data": {"name": self.train.name, "split": self.train.split, "box": self.train.box,
                     "missing": list(self.train.missing), "train_images": len(self.train),
                     "validation_split": self.validation.split, "validation_images": len(self.validation),
                     "digest": data_digest(self.train), "validation_digest": data_digest(self.validation)},
            "epochs": self.epochs or self.recipe.epochs,
            "batch_size": self.batch_size or self.recipe.batch_size,
            "seed": self.seed,
            "init": self.init,
            "memory": self.memory,
            "teacher": self.teacher and self.teacher.describe(),
            "augment": vary_name(self.augment) if self.augment else None,
            "extras": dataclasses.asdict(self.options),
            "device": device,
            "devices": dataclasses.asdict(self.devices),
            "versions": {**versions(), **own},
            "flags": self.flags,
            "command": self.command,
        }  # fmt: skip


def fit_plan(plan: Plan, verbose: int | str = "auto") -> keras.Model:
    """Train as planned; returns the model after the last epoch.

    Sets Keras' seed; the dtype policy and the random states of Python and NumPy are as before afterwards.

    Writes ``best.keras``, ``last.keras``, ``history.csv``, ``config.json`` and
    ``curves.png`` into ``plan.workdir``.

    Raises:
        CUNetError: data and network do not fit, or the folder holds another run.
    """
    plan = dataclasses.replace(plan, spec=described(plan))
    with plan.options.applied():
        return _train(plan, verbose)


def _train(plan: Plan, verbose: int | str) -> keras.Model:
    if plan.options.init_optimizer:
        extended_file(plan.init)  # refuses a training from fresh weights before a folder is made
    if plan.teacher:
        plan.teacher.require_fitting(plan.spec)
    team, folder = plan.devices.team(), RunFolder(plan.workdir)
    config = plan.describe(team.prepare())
    if team.chief:
        folder.create(config, plan.resume)
    try:
        team.start(same_for_all(config))
        if not team.chief:
            folder.require_shared(config)
        with team.training(), lost_workers_are_named(), signals_interrupt():
            return _fit(plan, verbose, folder, config["device"], team)
    finally:
        folder.release()


def _fit(plan: Plan, verbose: int | str, folder: RunFolder, device: str, team: Team) -> keras.Model:
    spec, batch_size = plan.spec, plan.batch_size or plan.recipe.batch_size
    examples = Examples(plan.train, spec, plan.recipe.augmentation, plan.seed, plan.augment)
    steps = examples.steps(batch_size)
    if plan.augment:
        examples.make(0, 0)  # a function that does not work at all says so before the network is built
    validation = Examples(plan.validation, spec)
    watched = [Examples(plan.watched, spec)] if plan.watched is not None else []
    with team.scope():
        model, start, skip = _model(plan, folder, steps, plan.epochs or plan.recipe.epochs)
        model.teacher = Teacher(plan.teacher, spec) if plan.teacher else None
    print(f"device {device} | {len(plan.train)} training and {len(plan.validation)} validation pictures")
    callbacks = [StopWhenTold(), StopAtNaN(examples, batch_size, folder.path), *plan.options.callbacks(folder.path)]
    averages = Averages(model, examples, batch_size) if model.optimizer.use_ema else None
    record = Recorder(folder, *monitor(spec), start, plan.options.patience, plan.options.save_every, averages,
                      writes=team.chief)  # fmt: skip
    seen = [examples, validation, *watched]
    with pictures_are_named(seen), workers_for(plan.devices.workers, seen) as pool, memory_is_named(batch_size):
        options: dict[str, Any] = {"pool": pool} if pool else {}

        def feed(which: Examples, **more: Any) -> Any:
            return team.feed(which, batch_size, **options, **more)

        callbacks += [Watch(feed(each), team.steps(each, batch_size)) for each in watched]
        data = {"validation_data": feed(validation), "validation_steps": team.steps(validation, batch_size),
                "callbacks": [*callbacks, record], "shuffle": False, "verbose": verbose}  # fmt: skip
        training = partial(feed, examples, training=True)
        if _fit_epochs(model, plan, training, (start, skip, steps), data) and averages:
            averages.estimate()  # Keras has put them in for good
    return model


def _fit_epochs(
    model: keras.Model, plan: Plan, feed: Callable[..., Any], place: tuple[int, int, int], data: dict[str, Any]
) -> bool:
    """Train the epochs that are left; whether the last of them was a whole one.

    Args:
        model, plan: what is trained, and as planned.
        feed: makes the training batches of given epochs.
        place: the epoch to go on with, its steps that were made already, and the steps of an epoch.
        data: arguments for every ``fit``.
    """
    start, skip, steps = place
    epochs = plan.epochs or plan.recipe.epochs
    if skip:  # the rest of an epoch that a stop has cut
        with unaveraged(model, data["callbacks"]):
            rest = feed(epoch=start, skip=skip)
            model.fit(rest, steps_per_epoch=steps - skip, initial_epoch=start, epochs=start + 1, **data)
    first = start + bool(skip)
    if first >= epochs or (skip and model.stop_training):
        return False
    model.fit(feed(epoch=first), steps_per_epoch=steps, initial_epoch=first, epochs=epochs, **data)
    return True


@contextlib.contextmanager
def unaveraged(model: keras.Model, callbacks: list[keras.callbacks.Callback]) -> Iterator[None]:
    """Undo what Keras does at the end of every ``fit``: it puts the moving averages in the weights' place."""
    kept: list[np.ndarray] = []

    def keep(*_: object) -> None:
        kept[:] = [np.array(keras.ops.convert_to_numpy(variable)) for variable in model.trainable_variables]

    callbacks.append(keras.callbacks.LambdaCallback(on_epoch_end=keep))
    yield
    callbacks.pop()
    for variable, value in zip(model.trainable_variables, kept, strict=False):
        variable.assign(value)


def compile_model(
    model: keras.Model, spec: ModelSpec, optimizer: keras.optimizers.Optimizer, codecs: Sequence[Codec]
) -> None:
    """Compile with the loss of the supervision on every head and the metric on the last one.

    Raises:
        CUNetError: neither one codec nor one for each pass of the network.
    """
    # XLA costs minutes on a CPU under TensorFlow and gains nothing; JAX needs it.
    jit = keras.backend.backend() != "tensorflow"
    losses = [codec.loss() for codec in codecs_of_heads(codecs, spec.config)]
    model.compile(optimizer, losses, metrics=last_head_metrics(spec), jit_compile=jit)
    optimizer.build(model.trainable_variables)  # --init_optimizer and training under JAX fill its variables before fit


def monitor(spec: ModelSpec) -> tuple[str, bool]:
    """The validation column that decides which epoch is best, and whether higher is better."""
    metric = main_metric(spec)
    return f"val_{metric.name}", metric.name == "pck"


class Watch(keras.callbacks.Callback):
    """Logs the metrics of a fixed, un-augmented part of the training set as ``watched_*``."""

    def __init__(self, data: Any, steps: int):
        super().__init__()
        self.data, self.steps = data, steps

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Add the watched metrics to what Keras logs of the epoch."""
        assert logs is not None, "Keras hands one dictionary to all callbacks"
        values = self.model.evaluate(self.data, steps=self.steps, verbose=0, return_dict=True)
        logs.update({f"watched_{name}": value for name, value in values.items()})


def described(plan: Plan) -> ModelSpec:
    """The network's description with what the recipe and the data say."""
    data = f"{plan.train.name} {plan.train.split}"
    codec = plan.recipe.codecs[-1]  # the last pass makes the prediction
    decoder = plan.spec.decoder if plan.spec.decoder in codec.decoders else codec.decoders[0]
    return plan.spec.replace(crop_factor=plan.recipe.crop_factor, sigma=codec.size, decoder=decoder, data=data)


def _model(plan: Plan, folder: RunFolder, steps: int, epochs: int) -> tuple[keras.Model, int, int]:
    """A fresh compiled model, or the last checkpoint; the epochs it has seen, and the steps of the next one."""
    if plan.resume and folder.last.exists():
        model = set_memory(load_keras(folder.last, compile=True), plan.memory)
        return model, *divmod(updates_made(model.optimizer) // model.updates_per_step, steps)
    keras.utils.set_random_seed(plan.seed)
    model = build_network(plan.spec, memory=plan.memory)
    extended = load_with_optimizer(extended_file(plan.init)) if plan.options.init_optimizer else None
    if plan.init:
        print(start_from(model, plan.init, extended))
    begin = int(keras.ops.convert_to_numpy(extended.optimizer.iterations)) if extended is not None else 0
    updates = steps * model.updates_per_step
    warmup = plan.options.warmup_steps(updates * epochs, started=plan.init is not None)
    optimizer = plan.recipe.optimizer(updates, epochs, warmup, begin, **plan.options.optimizer_options())
    compile_model(model, plan.spec, optimizer, plan.codecs)
    if extended is not None:
        take_optimizer(extended, model)
        print(f"the optimizer's averages of {begin} updates were taken")
    return model, 0, 0
