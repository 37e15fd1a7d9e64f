"""Averaged weights in the model's place."""

import keras
import numpy as np
import pytest

from cunet_tf.data.pipeline import Examples
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.models.renorm import estimate_norms
from cunet_tf.optimizers import AveragingRMSprop
from cunet_tf.trainers import averages as module
from cunet_tf.trainers.averages import PICTURES, Averages
from cunet_tf.trainers.recipes import FACE_MOBILE
from tests import networks


@pytest.fixture(scope="module")
def averages() -> Averages:
    spec = networks.spec_of()
    model = networks.uneven(spec)
    model.compile(AveragingRMSprop(1e-2, use_ema=True, ema_momentum=0.9))
    model.optimizer.build(model.trainable_variables)
    rng = np.random.default_rng(0)
    for _ in range(3):
        model.optimizer.apply([rng.normal(size=variable.shape) for variable in model.trainable_variables])
    source = load_synthetic(spec.skeleton, "0:20")
    return Averages(model, Examples(source, spec, FACE_MOBILE.augmentation), batch_size=8)


def values(variables) -> list[np.ndarray]:
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def test_put_in_and_taken_out(averages):
    model = averages.model
    before, optimizer = values(model.variables), values(model.optimizer.variables)
    average = [v for v, o in zip(optimizer, model.optimizer.variables, strict=True) if "average" in o.path]
    averages.put_in()
    for expected, found in zip(average, values(model.trainable_variables), strict=True):
        np.testing.assert_array_equal(found, expected)
    inside = values(model.non_trainable_variables)
    averages.take_out()
    for expected, found in zip(before, values(model.variables), strict=True):
        np.testing.assert_array_equal(found, expected)
    averages.put_in()  # of the same update: nothing is estimated again
    for expected, found in zip(inside, values(model.non_trainable_variables), strict=True):
        np.testing.assert_array_equal(found, expected)
    estimate_norms(model, averages.pictures())
    for expected, found in zip(inside, values(model.non_trainable_variables), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
    averages.take_out()


def test_pictures_are_whole_batches_of_augmented_training_views(averages):
    batches = list(averages.pictures())
    assert [batch.shape for batch in batches] == [(8, 64, 64, 3)] * 2 and PICTURES >= 16
    again = list(averages.pictures())
    np.testing.assert_array_equal(batches[1], again[1])
    assert min(batch.min() for batch in batches) >= 0.0 and max(batch.max() for batch in batches) <= 1.0


def test_a_small_last_batch_is_left_out_and_a_small_set_is_one_batch(averages, monkeypatch):
    def sizes(batch_size):
        return [len(batch) for batch in Averages(averages.model, averages.examples, batch_size).pictures()]

    monkeypatch.setattr(module, "PICTURES", 9)
    assert sizes(4) == [4, 4] and sizes(9) == [9] and sizes(64) == [9]


def test_statistics_are_estimated_anew_only_after_another_update(averages, monkeypatch):
    estimated = []
    monkeypatch.setattr(Averages, "estimate", lambda self: estimated.append(int(self.model.optimizer.iterations)))
    again = Averages(averages.model, averages.examples, 8)
    for _ in range(2):
        again.put_in()
        again.take_out()
    averages.model.optimizer.iterations.assign_add(1)
    again.put_in()
    again.take_out()
    assert len(estimated) == 2 and estimated[1] == estimated[0] + 1
