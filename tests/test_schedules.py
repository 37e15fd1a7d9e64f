import keras
import numpy as np
import pytest

from cunet_tf.schedules import WarmUp
from cunet_tf.trainers.options import WARM_UP, Options
from cunet_tf.trainers.recipes import FACE_MOBILE, FACE_PAPER


def test_the_rate_rises_linearly_to_the_schedule():
    inner = keras.optimizers.schedules.CosineDecay(1e-3, 100)
    rates = WarmUp(inner, 10)
    for step in range(100):
        assert float(rates(step)) == pytest.approx(min((step + 1) / 10, 1.0) * float(inner(step)), rel=1e-5)


@pytest.mark.parametrize("recipe", [FACE_MOBILE, FACE_PAPER])
def test_it_survives_a_file(recipe, tmp_path):
    optimizer = recipe.optimizer(10, 4, 5)
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    schedules = [one._learning_rate for one in (optimizer, again)]
    assert all(isinstance(schedule, WarmUp) for schedule in schedules)
    np.testing.assert_allclose(*([float(schedule(step)) for step in range(40)] for schedule in schedules))


def test_without_a_warm_up_nothing_changes():
    assert not isinstance(FACE_MOBILE.optimizer(10, 4)._learning_rate, WarmUp)


def test_a_training_from_given_weights_warms_up_by_itself():
    assert Options().warmup_steps(10_000, started=True) == WARM_UP
    assert Options().warmup_steps(100, started=True) == 10
    assert Options().warmup_steps(10_000, started=False) == 0
    assert Options(warmup=7).warmup_steps(10_000, started=False) == 7
