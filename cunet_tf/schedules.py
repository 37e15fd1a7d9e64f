"""Learning rates over the steps of a training."""

from typing import Any

import keras
from keras import ops

from cunet_tf.aliases import Tensor


@keras.saving.register_keras_serializable("cunet_tf")
class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """Another schedule whose first steps rise linearly to it.

    RMSprop's first update is ``1 / sqrt(1 - rho)`` times the learning rate for every weight (ten times with
    rho 0.99), whatever its gradient: without a warm-up, weights that were learned before are shaken.

    Args:
        schedule: from then on.
        steps: of the rise; the first one takes ``1 / steps`` of the rate.
    """

    def __init__(self, schedule: keras.optimizers.schedules.LearningRateSchedule, steps: int):
        self.schedule, self.steps = schedule, steps

    def __call__(self, step: Tensor) -> Tensor:
        """Learning rate of a step, 0-based."""
        share = (ops.cast(step, "float32") + 1.0) / self.steps
        return ops.minimum(share, 1.0) * self.schedule(step)

    def get_config(self) -> dict[str, Any]:
        """For files: the inner schedule and the steps."""
        return {"schedule": keras.saving.serialize_keras_object(self.schedule), "steps": self.steps}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "WarmUp":
        """Inverse of :meth:`get_config`."""
        return cls(keras.saving.deserialize_keras_object(config["schedule"]), config["steps"])


@keras.saving.register_keras_serializable("cunet_tf")
class Later(keras.optimizers.schedules.LearningRateSchedule):
    """Another schedule that begins at a later update, of an optimizer that was taken over with its counter.

    Args:
        schedule: from then on.
        start: update of the optimizer that is the schedule's first.
    """

    def __init__(self, schedule: keras.optimizers.schedules.LearningRateSchedule, start: int):
        self.schedule, self.start = schedule, start

    def __call__(self, step: Tensor) -> Tensor:
        """Learning rate of an update of the optimizer, 0-based."""
        return self.schedule(ops.cast(step, "int32") - self.start)

    def get_config(self) -> dict[str, Any]:
        """For files: the inner schedule and its start."""
        return {"schedule": keras.saving.serialize_keras_object(self.schedule), "start": self.start}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Later":
        """Inverse of :meth:`get_config`."""
        return cls(keras.saving.deserialize_keras_object(config["schedule"]), config["start"])
