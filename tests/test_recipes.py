import dataclasses
import json

import keras
import numpy as np
import pytest

from cunet_tf.codec import DiskCodec, GaussianCodec
from cunet_tf.errors import CUNetError
from cunet_tf.presets import preset
from cunet_tf.trainers.recipes import FACE, FACE_MOBILE, FACE_PAPER, POSE, POSE_MOBILE, POSE_PAPER, recipe_for


def rates(recipe, steps, epochs):
    schedule = recipe.schedule(steps, epochs)
    return [float(schedule(epoch * steps + steps // 2)) for epoch in range(epochs)]


def test_paper_schedules():
    values = rates(FACE_PAPER, 10, 120)
    assert values[:30] == pytest.approx([2.5e-4] * 30)
    assert values[30:60] == pytest.approx([5e-5] * 30)
    assert values[60:90] == pytest.approx([2.5e-5] * 30)
    assert values[90:] == pytest.approx([1.25e-5] * 30)
    values = rates(POSE_PAPER, 10, 200)  # 1-based: 5e-5 from epoch 101, halved at 141 and 161
    assert [values[i] for i in (99, 100, 139, 140, 159, 160)] == pytest.approx(
        [2.5e-4, 5e-5, 5e-5, 2.5e-5, 2.5e-5, 1.25e-5]
    )


def test_mobile_schedule_is_a_cosine_to_zero():
    schedule = FACE_MOBILE.schedule(10, 20)
    assert [float(schedule(s)) for s in (0, 100, 200)] == pytest.approx([1e-3, 5e-4, 0.0], abs=1e-9)


def test_optimizer_step_equals_the_reference_with_epsilon_outside_the_root():
    """With gradients of RMS 1e-5 the Keras default would take a step many times smaller."""
    optimizer = FACE_PAPER.optimizer(10, 1)
    variable = keras.Variable(np.zeros(3, "float32"))
    gradient = np.array([1e-5, -3e-5, 1e-4], "float32")
    optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    expected = -2.5e-4 * gradient / (np.sqrt(0.01 * gradient**2) + 1e-8)
    np.testing.assert_allclose(variable, expected, rtol=0.02)


def test_recipes_hold_what_the_specification_says():
    assert FACE_PAPER.crop_factor == 1.1 and POSE_PAPER.crop_factor == 1.25
    for recipe in (FACE_PAPER, POSE_PAPER):
        assert recipe.batch_size == 24
        assert recipe.augmentation.scale == (0.75, 1.25) and recipe.augmentation.rotation == 30
        assert 2 * recipe.codecs[0].size ** 2 == pytest.approx(9)
    assert FACE_MOBILE.crop_factor == 1.15 and FACE_MOBILE.codecs == (GaussianCodec(1.2),)
    assert set(FACE) == set(POSE) == {"paper", "mobile"}


def test_dict_names_the_supervision_and_gives_its_size():
    recipe = dataclasses.replace(FACE_MOBILE, codecs=(GaussianCodec(1.2), DiskCodec(3.0)))
    values = json.loads(json.dumps(recipe.to_dict()))
    assert (values["targets"], values["sigma"]) == ("gaussian,disk", 3.0)
    plain = FACE_PAPER.to_dict()
    assert set(plain) == {"name", "epochs", "batch_size", "learning_rate", "augmentation", "crop_factor", "sigma",
                          "drops", "targets", "foreground", "coordinate_loss", "contour_along", "contours",
                          "side_tolerance"}  # fmt: skip
    assert (plain["targets"], plain["augmentation"]["rotation"]) == ("gaussian", 30.0)


def test_skeleton_and_resolution_choose():
    assert recipe_for(preset("face-mobile")) is FACE_MOBILE
    assert recipe_for(preset("face-8")) is FACE_PAPER
    assert recipe_for(preset("pose-mobile")) is POSE_MOBILE
    assert recipe_for(preset("pose-16")) is POSE_PAPER


def test_name_wins_and_a_wrong_one_gets_a_hint():
    assert recipe_for(preset("face-8"), "mobile") is FACE_MOBILE
    with pytest.raises(CUNetError, match="Did you mean 'paper'"):
        recipe_for(preset("face-8"), "papper")
