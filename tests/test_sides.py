import pytest

from cunet_tf.sides import sides_of
from cunet_tf.skeletons import FACE68, LSP14, MPII16, Skeleton


def test_names_tell_the_side_whatever_the_order_of_a_pair():
    skeleton = Skeleton("eyes", ("left_eye", "RightEye", "nose", "l", "r"), flip_pairs=((0, 1), (3, 4)))
    assert sides_of(skeleton) == ("left", "right", "middle", "left", "right")


@pytest.mark.parametrize("skeleton", [FACE68, LSP14, MPII16], ids=lambda skeleton: skeleton.name)
def test_every_named_landmark_of_ours_is_on_its_side(skeleton):
    sides = sides_of(skeleton)
    for name, side in zip(skeleton.names, sides, strict=True):
        assert all(word not in name or side == word for word in ("right", "left"))
    assert all({sides[one], sides[other]} == {"right", "left"} for one, other in skeleton.flip_pairs)


def test_lines_tell_the_side_of_the_lips():
    sides = sides_of(FACE68)  # 55 to 57 go on from the left corner of the mouth, 54
    assert [sides[index] for index in (48, 54, 55, 56, 57, 58, 59, 65, 66, 67)] == [
        "right", "left", "left", "left", "middle", "right", "right", "left", "middle", "right"]  # fmt: skip


def test_without_names_pairs_are_first_and_second_along_their_lines():
    lines = Skeleton("x", tuple("abcde"), flip_pairs=((0, 1), (3, 2)), edges=((0, 2), (1, 3)))
    assert sides_of(lines) == ("first", "second", "first", "second", "middle")
    assert sides_of(Skeleton("y", tuple("ab"))) == ("middle", "middle")
