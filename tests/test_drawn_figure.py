import numpy as np
import pytest
from numpy.random import default_rng

from cunet_tf.data.drawn_figure import LSP_FROM_MPII, figure_points, paint_figure
from cunet_tf.skeletons import LSP14, MPII16

SIDE = 160
COUNT = 200


@pytest.fixture(scope="module")
def figures() -> np.ndarray:
    return np.stack([figure_points(default_rng(seed), SIDE) for seed in range(COUNT)])


@pytest.fixture(scope="module")
def average(figures) -> dict[str, np.ndarray]:
    return dict(zip(MPII16.names, figures.mean(axis=0), strict=True))


def painted(joints: np.ndarray, seed: int = 0, level: int = 0) -> np.ndarray:
    canvas = np.full((SIDE, SIDE, 3), level, np.uint8)
    paint_figure(default_rng(seed), canvas, joints)
    return canvas


def test_figures_are_decided_by_their_seed(figures):
    np.testing.assert_array_equal(figure_points(default_rng(7), SIDE), figures[7])
    assert len({figure.tobytes() for figure in figures}) == COUNT


def test_figures_have_16_joints_inside_the_picture(figures):
    assert figures.shape == (COUNT, 16, 2)
    assert figures.min() > 0 and figures.max() < SIDE - 1


def test_figures_fill_more_than_half_of_the_picture(figures):
    extent = np.ptp(figures, axis=1).max(axis=1) / SIDE
    assert 0.55 <= extent.min() < 0.57 and 0.7 < extent.max() <= 0.72


def test_a_figure_grows_with_the_picture():
    np.testing.assert_allclose(figure_points(default_rng(5), 2 * SIDE), 2 * figure_points(default_rng(5), SIDE))


@pytest.mark.parametrize("right, left", MPII16.flip_pairs)
def test_the_right_side_is_on_the_left_of_the_picture(figures, right, left):
    assert (figures[:, right, 0] < figures[:, left, 0]).mean() > 0.8


@pytest.mark.parametrize("joint", ["hip", "shoulder"])
def test_hips_and_shoulders_never_cross(figures, joint):
    right, left = (MPII16.names.index(f"{side}_{joint}") for side in ("right", "left"))
    assert (figures[:, right, 0] < figures[:, left, 0]).all()


def test_the_average_person_stands_upright(average):
    order = ["head_top", "upper_neck", "thorax", "pelvis", "right_knee", "right_ankle"]
    heights = [average[name][1] for name in order]
    assert heights == sorted(heights)


def test_the_trunk_is_where_its_ends_are(figures):
    hips = figures[:, [2, 3]].mean(axis=1)
    np.testing.assert_allclose(figures[:, 6], hips, atol=1e-9)  # pelvis


@pytest.mark.parametrize("bones", [((2, 1), (3, 4)), ((1, 0), (4, 5)), ((12, 11), (13, 14)), ((11, 10), (14, 15))])
def test_limbs_are_of_similar_length_left_and_right(figures, bones):
    right, left = (np.linalg.norm(figures[:, a] - figures[:, b], axis=1) for a, b in bones)
    assert (right / left).min() > 0.8 and (right / left).max() < 1.25


def test_lsp_joints_are_the_mpii_joints_of_the_same_name():
    renamed = [MPII16.names[index].replace("upper_neck", "neck") for index in LSP_FROM_MPII]
    assert tuple(renamed) == LSP14.names


def test_painting_is_decided_by_its_seed(figures):
    np.testing.assert_array_equal(painted(figures[0], 4), painted(figures[0], 4))
    assert (painted(figures[0], 4) != painted(figures[0], 5)).any()


def test_every_joint_is_on_painted_ground(figures):
    for seed in range(10):
        covered = (painted(figures[seed], seed, level=0) == painted(figures[seed], seed, level=255)).all(axis=2)
        x, y = np.round(figures[seed]).astype(int).T
        assert covered[y, x].sum() >= 14
        assert 0.02 < covered.mean() < 0.5


def test_the_picture_moves_with_the_joints(figures):
    joints = np.round((SIDE / 2 + 0.7 * (figures[0] - SIDE / 2)) * 16) / 16
    moved = painted(joints + [4, -6])
    difference = np.roll(painted(joints), (-6, 4), axis=(0, 1)).astype(int) - moved
    assert (np.abs(difference).max(axis=2) > 2).mean() < 0.002
