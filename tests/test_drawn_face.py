import numpy as np
import pytest
from numpy.random import default_rng

from cunet_tf.data.drawn_face import face_points, paint_face
from cunet_tf.skeletons import FACE68

SIDE = 160
COUNT = 200


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    return np.stack([face_points(default_rng(seed), SIDE) for seed in range(COUNT)])


@pytest.fixture(scope="module")
def average(faces) -> np.ndarray:
    return faces.mean(axis=0)


def part(points: np.ndarray, name: str) -> np.ndarray:
    return points[..., [index for index, label in enumerate(FACE68.names) if label.startswith(name)], :].mean(axis=-2)


def painted(points: np.ndarray, seed: int = 0, level: int = 0) -> np.ndarray:
    canvas = np.full((SIDE, SIDE, 3), level, np.uint8)
    paint_face(default_rng(seed), canvas, points)
    return canvas


def test_faces_are_decided_by_their_seed(faces):
    np.testing.assert_array_equal(face_points(default_rng(3), SIDE), faces[3])
    assert len({face.tobytes() for face in faces}) == COUNT


def test_faces_have_68_points_inside_the_picture(faces):
    assert faces.shape == (COUNT, 68, 2)
    assert faces.min() > 0 and faces.max() < SIDE - 1


def test_faces_fill_half_of_the_picture_or_a_little_more(faces):
    extent = np.ptp(faces, axis=1).max(axis=1) / SIDE
    assert 0.5 <= extent.min() < 0.52 and 0.6 < extent.max() <= 0.62


def test_a_face_grows_with_the_picture():
    np.testing.assert_allclose(face_points(default_rng(5), 2 * SIDE), 2 * face_points(default_rng(5), SIDE))


@pytest.mark.parametrize("name", ["brow", "eye"])
def test_the_right_side_is_on_the_left_of_the_picture(faces, name):
    right, left = part(faces, f"right_{name}"), part(faces, f"left_{name}")
    assert (right[:, 0] < left[:, 0]).mean() > 0.98


@pytest.mark.parametrize("first, second", FACE68.flip_pairs)
def test_mirror_pairs_are_on_both_sides_of_the_average_picture(average, first, second):
    # The lower lip runs back from the left corner of the mouth, so its first index is the left one.
    right, left = (second, first) if first in (55, 56, 65) else (first, second)
    assert average[right, 0] < average[8, 0] < average[left, 0]


def test_the_average_face_is_nearly_its_own_mirror_image(average):
    mirrored = ([SIDE, 0] - average * [1, -1])[FACE68.flip_permutation]
    mirrored += average.mean(axis=0) - mirrored.mean(axis=0)
    width = np.ptp(average[:, 0])
    assert np.abs(mirrored - average).max() < 0.04 * width


def test_heads_turn_in_the_picture_and_in_space(faces):
    right, left = part(faces, "right_eye"), part(faces, "left_eye")
    across = left - right
    roll = np.rad2deg(np.arctan2(across[:, 1], across[:, 0]))
    assert 7 < roll.std() < 14 and abs(roll.mean()) < 3
    # Turned to a side, the tip of the nose leaves the middle between the eyes, along their line.
    tip = ((faces[:, 30] - (right + left) / 2) * across).sum(axis=1) / (across**2).sum(axis=1)
    assert 0.1 < tip.std() < 0.3 and abs(tip.mean()) < 0.05
    # Nodding, it moves up and down.
    drop = faces[:, 30, 1] - (right + left)[:, 1] / 2
    assert drop.std() / np.linalg.norm(across, axis=1).mean() > 0.05


def test_parts_follow_each_other_from_brow_to_chin(average):
    heights = [part(average, name)[1] for name in ("right_brow", "right_eye", "nose", "outer_lip")] + [average[8, 1]]
    assert heights == sorted(heights)


def test_upper_and_lower_lids_and_lips_are_in_order(average):
    for upper, lower in [(37, 41), (38, 40), (43, 47), (44, 46), (50, 58), (51, 57), (52, 56), (61, 67), (62, 66)]:
        assert average[upper, 1] < average[lower, 1]


def test_painting_is_decided_by_its_seed(faces):
    np.testing.assert_array_equal(painted(faces[0], 4), painted(faces[0], 4))
    assert (painted(faces[0], 4) != painted(faces[0], 5)).any()


def test_painting_leaves_the_points_alone(faces):
    before = faces[0].copy()
    painted(faces[0])
    np.testing.assert_array_equal(faces[0], before)


def test_every_landmark_is_on_painted_ground(faces):
    for seed in range(10):
        covered = (painted(faces[seed], seed, level=0) == painted(faces[seed], seed, level=255)).all(axis=2)
        x, y = np.round(faces[seed]).astype(int).T
        assert covered[y, x].mean() > 0.95
        assert 0.1 < covered.mean() < 0.8


def test_the_picture_moves_with_the_points(faces):
    points = SIDE / 2 + 0.6 * (faces[0] - SIDE / 2)
    points = np.round(points * 16) / 16
    moved = painted(points + [5, -3])
    difference = np.roll(painted(points), (-3, 5), axis=(0, 1)).astype(int) - moved
    assert (np.abs(difference).max(axis=2) > 2).mean() < 0.002
