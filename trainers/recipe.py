"""How a network is trained: optimizer, schedule, augmentation, targets (cunet.md's section 4)."""

from dataclasses import dataclass
from typing import Any

import keras

from cunet_tf.data.augment import Augmentation


@dataclass(frozen=True)
class Recipe:
    """Everything about a training but the network and the data.

    Attributes:
        name: ``"paper"`` or ``"mobile"``.
        epochs, batch_size: defaults of the command line.
        learning_rate: at the start.
        drops: (epoch, factor) pairs, the rate is multiplied at the start of that epoch
            (0-based); without drops it follows a cosine down to zero.
        augmentation: random views.
        crop_factor: enlargement of the tight box.
        sigma: of the Gaussian targets at this recipe's resolution, or radius of the disks.
        targets: kind of supervision, see :func:`cunet_tf.losses.loss_for`.
    """

    name: str
    epochs: int
    batch_size: int
    learning_rate: float
    augmentation: Augmentation
    crop_factor: float
    sigma: float
    drops: tuple[tuple[int, float], ...] = ()
    targets: str = "gaussian"

    def schedule(self, steps_per_epoch: int, epochs: int) -> keras.optimizers.schedules.LearningRateSchedule:
        """Learning rate as a function of the optimizer's step."""
        if not self.drops:
            return keras.optimizers.schedules.CosineDecay(self.learning_rate, steps_per_epoch * epochs)
        rates = [self.learning_rate]
        for _, factor in self.drops:
            rates.append(rates[-1] * factor)
        borders = [epoch * steps_per_epoch for epoch, _ in self.drops]
        return keras.optimizers.schedules.PiecewiseConstantDecay(borders, rates)

    def optimizer(self, steps_per_epoch: int, epochs: int, **options: Any) -> keras.optimizers.Optimizer:
        """RMSprop, rho 0.99, as the reference.

        The reference adds epsilon 1e-8 outside the square root; Keras adds it inside, where
        1e-16 has the same effect. Keras' defaults (rho 0.9, epsilon 1e-7) would slow most
        layers down 3 to 30 times: gradients here have an RMS of 1e-5 to 1e-4.
        ``options`` go to Keras' constructor.
        """
        schedule = self.schedule(steps_per_epoch, epochs)
        return keras.optimizers.RMSprop(schedule, rho=0.99, epsilon=1e-16, **options)
