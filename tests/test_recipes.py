import pytest

from cunet_tf.errors import CUNetError
from cunet_tf.presets import preset
from trainers import face, pose
from trainers.recipes import recipe_for


def test_skeleton_and_resolution_choose():
    assert recipe_for(preset("face-mobile")) is face.MOBILE
    assert recipe_for(preset("face-8")) is face.PAPER
    assert recipe_for(preset("pose-mobile")) is pose.MOBILE
    assert recipe_for(preset("pose-16")) is pose.PAPER


def test_name_wins_and_a_wrong_one_gets_a_hint():
    assert recipe_for(preset("face-8"), "mobile") is face.MOBILE
    with pytest.raises(CUNetError, match="Did you mean 'paper'"):
        recipe_for(preset("face-8"), "papper")
