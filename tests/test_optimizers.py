"""Averaged weights that forget where they began."""

import keras
import numpy as np
import pytest

from cunet_tf.optimizers import AveragingRMSprop
from cunet_tf.trainers.options import Options
from cunet_tf.trainers.recipes import FACE_MOBILE


def averaged(updates: int, momentum: float) -> tuple[AveragingRMSprop, list[float], float]:
    """An optimizer after some updates of one weight, the weight after each, and the average."""
    optimizer = AveragingRMSprop(0.1, use_ema=True, ema_momentum=momentum)
    weight = keras.Variable(np.array([100.0], "float32"))
    optimizer.build([weight])
    values = []
    for _ in range(updates):
        optimizer.apply([keras.ops.convert_to_tensor(np.array([1.0], "float32"))], [weight])
        values.append(float(weight[0]))
    [average] = [variable for variable in optimizer.variables if "average" in variable.path]
    return optimizer, values, float(average[0])


@pytest.mark.parametrize("momentum", [0.999, 0.3])
def test_average_by_hand(momentum):
    optimizer, values, average = averaged(12, momentum)
    expected = values[0]
    for update, value in enumerate(values[1:], start=1):
        decay = min(momentum, (1 + update) / (10 + update))
        expected = decay * expected + (1 - decay) * value
    assert average == pytest.approx(expected, rel=1e-5)
    assert optimizer.ema_momentum == momentum and optimizer.get_config()["ema_momentum"] == momentum


def test_the_beginning_is_forgotten_early():
    """Of Keras' average 90 % would still be the first weight after 100 updates with 0.999."""
    optimizer, _, _ = averaged(1, 0.999)
    left = np.prod([float(optimizer.decay(update)) for update in range(1, 101)])
    assert left < 1e-6 and float(optimizer.decay(8989)) < 0.999 == pytest.approx(float(optimizer.decay(8990)))


def test_only_trainings_with_an_average_get_it():
    assert isinstance(FACE_MOBILE.optimizer(10, 1, **Options(ema=0.99).optimizer_options()), AveragingRMSprop)
    assert type(FACE_MOBILE.optimizer(10, 1)) is keras.optimizers.RMSprop


def test_serialises():
    optimizer = FACE_MOBILE.optimizer(10, 1, 5, **Options(ema=0.99).optimizer_options())
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert type(again) is AveragingRMSprop and again.ema_momentum == 0.99 and again.rho == 0.99
