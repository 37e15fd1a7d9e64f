"""One training for a given time: the package's network, views, targets, loss, optimizer and average."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import keras
import numpy as np

from cunet_tf.data.pipeline import Examples
from cunet_tf.errors import CUNetError
from cunet_tf.models.build import build_network
from cunet_tf.rows import Row, number, write_csv
from cunet_tf.trainers.averages import Averages
from cunet_tf.trainers.devices import Team, device_name
from cunet_tf.trainers.fit import Plan, compile_model, described
from cunet_tf.trainers.recipes import rmsprop
from cunet_tf.trainers.study.train_jax.device import Steps
from cunet_tf.trainers.study.train_jax.feed import Feed
from cunet_tf.trainers.study.train_jax.pace import Pace, TimedCosine
from cunet_tf.trainers.teacher import Teacher
from cunet_tf.writing import replace_file

SPARE = 1.5  # times a check's duration are left for the last one


def train_for(plan: Plan, pace: Pace, file: Path, start: float) -> list[Row]:
    """Train as planned for the time of ``pace``; writes ``file`` and the CSV file beside it.

    Args:
        plan: its ``workdir``, ``epochs`` and ``resume`` play no part; of its options ``ema``, ``warmup`` and
            ``clipnorm`` do.
        pace: the time.
        file: a ``.keras`` file.
        start: of the program, by :func:`time.monotonic`.

    Returns:
        The rows of the CSV file.

    Raises:
        CUNetError: data and network do not fit, a picture cannot be read, or the loss is not a number.
    """
    plan = replace(plan, spec=described(plan))
    examples = Examples(plan.train, plan.spec, plan.recipe.augmentation, plan.seed)
    with Feed(examples, plan.batch_size or plan.recipe.batch_size, pace) as batches:
        model = _compiled(plan)
        print(f"{model.count_params():,} parameters, {device_name()}; {batches.steps} steps an epoch", flush=True)
        return _Run(plan, pace, file, model, batches, examples).train(start)


def _compiled(plan: Plan) -> keras.Model:
    keras.utils.set_random_seed(plan.seed)
    model = build_network(plan.spec)
    model.teacher = Teacher(plan.teacher, plan.spec) if plan.teacher else None
    optimizer = rmsprop(plan.recipe.learning_rate, **plan.options.optimizer_options())
    compile_model(model, plan.spec, optimizer, plan.codecs)
    return model


class _Run:
    """A training and what it is checked with."""

    def __init__(self, plan: Plan, pace: Pace, file: Path, model: keras.Model, batches: Feed, examples: Examples):
        self.plan, self.pace, self.file, self.model, self.batches = plan, pace, file, model, batches
        self.size = plan.batch_size or plan.recipe.batch_size
        self.validation = Team().feed(Examples(plan.validation, plan.spec), self.size)
        self.averages = Averages(model, examples, self.size) if plan.options.ema else None
        self.rows: list[Row] = []
        self.done = 0

    def train(self, start: float) -> list[Row]:
        """Compile, train for the time that is left, check."""
        self.model.evaluate(self.validation, verbose=0)  # builds the metrics
        steps = Steps(self.model, scan=jax.default_backend() != "cpu")
        steps.compile(self.pace.chunk, self.size)
        reserve = SPARE * self._rehearsed(steps)
        begin = time.monotonic()
        seconds = self.pace.seconds_left(begin - start, reserve)
        print(f"ready after {begin - start:.0f} s, {seconds:.0f} s to train", flush=True)
        schedule = TimedCosine(self.plan.recipe.learning_rate, seconds, self.plan.options.warmup or 0)
        self._loop(steps, schedule, begin)
        return self.rows

    def _rehearsed(self, steps: Steps) -> float:
        """Seconds of a check, after a first one, which compiles."""
        self.check(steps, {})
        start = time.monotonic()
        self.check(steps, {})
        if self.averages:
            self.averages.estimate()  # the second check has kept the first one's
        return time.monotonic() - start

    def _loop(self, steps: Steps, schedule: TimedCosine, begin: float) -> None:
        self.batches.waited, before = 0.0, {}
        logs: dict[str, Any] = {}
        while (elapsed := time.monotonic() - begin) < schedule.seconds:
            rates = schedule.rates(self.done, self.pace.chunk, elapsed)
            before, logs = logs, steps(*self.batches.chunk(), rates)
            self.done += self.pace.chunk
            self._require_finite(before)  # of the chunk before: the device goes on with this one meanwhile
            if schedule.progress(elapsed) >= (len(self.rows) + 1) / self.pace.checks:
                self._add(steps, logs, elapsed, rates[-1])
        self._require_finite(logs)
        self._add(steps, logs, time.monotonic() - begin, 0.0)

    def _add(self, steps: Steps, logs: dict[str, Any], elapsed: float, rate: float) -> None:
        row = {"epoch": round(self.done / self.batches.steps, 2), "step": self.done, "seconds": round(elapsed, 1),
               "waited": round(self.batches.waited, 1), "learning_rate": float(rate)}  # fmt: skip
        self.rows.append({**row, **self.check(steps, logs)})
        write_csv(self.file.with_suffix(".csv"), self.rows)  # first: it says whose both files are
        replace_file(self.file, self.model.save, durable=True)
        print("  ".join(f"{name} {number(value)}" for name, value in self.rows[-1].items()), flush=True)

    def check(self, steps: Steps, logs: dict[str, Any]) -> Row:
        """Validate what was learned so far, averaged where that was asked for; the model holds it from now on."""
        steps.install()
        if self.averages:
            self.averages.put_in()
        found = self.model.evaluate(self.validation, verbose=0, return_dict=True)
        values = {**logs, **{f"val_{name}": value for name, value in found.items()}}
        return {name: float(np.asarray(value)) for name, value in values.items()}

    def _require_finite(self, logs: dict[str, Any]) -> None:
        if logs and not np.isfinite(float(logs["loss"])):
            raise CUNetError(
                f"the loss is not a number by step {self.done}: lower --learning_rate or give --warmup; {self.file} "
                "holds the last check."
            )
