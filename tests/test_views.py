"""Flags that vary training pictures."""

import dataclasses

import pytest
from absl import flags

from cunet_tf.cli import main
from cunet_tf.data.augment import Augmentation
from cunet_tf.errors import CUNetError
from cunet_tf.skeletons import FACE68
from cunet_tf.trainers.recipes import FACE_MOBILE
from cunet_tf.trainers.views import NUMBERS, PAIRS, chosen_augmentation, define_views
from tests.conftest import TINY_FLAGS

BASE = FACE_MOBILE.augmentation
UNKNOWN = dataclasses.replace(FACE68, flip_pairs=None)


def chosen(*given: str, skeleton=FACE68) -> Augmentation:
    values = flags.FlagValues()
    define_views(values)
    values(["train", *given])
    return chosen_augmentation(values, BASE, skeleton)


def test_there_is_a_flag_for_each_range_and_without_flags_the_recipe_stays():
    fields = {field.name for field in dataclasses.fields(Augmentation)}
    assert {*NUMBERS, *PAIRS} == fields - {"rotation_normal"}
    assert chosen() == BASE and BASE.full_turns == 0.0


def test_flags_go_before_the_recipe():
    given = chosen("--rotation=45", "--scale=0.7,1.5", "--shift=0.15", "--full_turns=0.3", "--flip=0", "--gain=0.5,2")
    assert given == dataclasses.replace(
        BASE, rotation=45.0, scale=(0.7, 1.5), shift=0.15, full_turns=0.3, flip=0.0, gain=(0.5, 2.0)
    )


def test_mirror_images_of_unknown_pairs_are_refused_where_asked_for():
    assert chosen(skeleton=UNKNOWN).flip == 0.0
    with pytest.raises(CUNetError, match="--flip=0.5.*flip_pairs"):
        chosen("--flip=0.5", skeleton=UNKNOWN)


@pytest.mark.parametrize("flag", ["--scale=1", "--scale=1,2,3", "--gain=a,b", "--rotation=200", "--full_turns=-1"])
def test_bad_values_stop_before_a_folder_is_made(flag, tmp_path, capsys):
    work = tmp_path / "w"
    assert main(["train", "--data=synthetic", "--split=5:20", *TINY_FLAGS, f"--workdir={work}", flag]) == 2
    assert flag.split("=")[0] in capsys.readouterr().err and not work.exists()
