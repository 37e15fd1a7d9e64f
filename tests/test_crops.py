import numpy as np
import pytest

from cunet_tf.crops import TURN, about_middle, carried, mean_of_crops
from cunet_tf.data.geometry import IDENTITY, apply, crop_matrix, from_heatmap, to_heatmap
from cunet_tf.errors import CUNetError
from cunet_tf.heatmaps import decode
from cunet_tf.localizer import Localizer
from tests.test_localizer import DotFinder, picture

SIDE = 16


def gaussians(points):
    rows, columns = np.mgrid[:SIDE, :SIDE]
    x, y = np.moveaxis(np.asarray(points), -1, 0)
    return np.exp(-((columns[..., None] - x) ** 2 + (rows[..., None] - y) ** 2) / 4.5).astype(np.float32)[None]


def test_two_crops_of_a_box_differ_by_a_turn_about_the_middle():
    box, size, points = [30.0, 20.0, 90.5, 75.0], 4 * SIDE, np.array([[40.0, 50.0], [71.3, 22.8], [10.0, 90.0]])
    first, second = (crop_matrix(box, 1.25, size, rotation=roll) for roll in (13.0, 13.0 + TURN))
    expected = to_heatmap(apply(second, points))
    found = apply(about_middle(SIDE, TURN), to_heatmap(apply(first, points)))
    np.testing.assert_allclose(found, expected, atol=1e-9)
    np.testing.assert_allclose(from_heatmap((SIDE - 1) / 2), (size - 1) / 2)


def test_carrying_is_exact_for_whole_steps_and_linear_maps():
    maps = np.random.default_rng(0).random((2, SIDE, SIDE, 3)).astype(np.float32)
    values, inside = carried(maps, IDENTITY)
    np.testing.assert_array_equal(values, maps)
    assert (inside == 1).all()
    values, inside = carried(maps, IDENTITY + [[0, 0, 1], [0, 0, -2]])
    np.testing.assert_array_equal(values[:, 2:, :-1], maps[:, :-2, 1:])
    assert not values[:, :2].any() and not inside[:2].any() and not inside[:, -1].any()
    ramp = np.broadcast_to(np.arange(SIDE, dtype=np.float32)[None, None, :, None], (1, SIDE, SIDE, 1))
    values, inside = carried(ramp, about_middle(SIDE, 30.0))
    rows, columns = np.mgrid[:SIDE, :SIDE]
    wanted = apply(about_middle(SIDE, 30.0), np.stack([columns, rows], -1))[..., 0]
    np.testing.assert_allclose(values[0, ..., 0][inside > 0.999999], wanted[inside > 0.999999], atol=1e-5)


def test_the_mean_keeps_points_and_what_only_the_first_crop_sees():
    points = np.array([[4.3, 9.1], [11.2, 5.6], [0.0, 15.0]])
    second = gaussians(apply(about_middle(SIDE, TURN), points))
    mean = mean_of_crops(gaussians(points), second)
    np.testing.assert_allclose(decode(mean, "dark", 1.5)[0][0, :2], points[:2], atol=0.02)
    assert carried(second, about_middle(SIDE, TURN))[1][15, 0] < 0.05  # the lower left corner, where the peak is
    assert 0.97 < mean[0, 15, 0, 2] <= 1.0


def test_two_crops_are_seen_and_one_is_as_before():
    truth = np.array([[40.3, 33.7], [90.2, 70.4]])
    engine = DotFinder()
    one, two = (Localizer(engine, crops=crops) for crops in (1, 2))
    box = (20.0, 15.0, 110.0, 90.0)
    plain = Localizer(engine).locate(picture(truth), box)
    np.testing.assert_array_equal(one.locate(picture(truth), box).points, plain.points)
    found = two.locate(picture(truth), box)
    np.testing.assert_allclose(found.points, truth, atol=0.4)
    assert not np.array_equal(found.points, one.locate(picture(truth), box).points)
    assert two.described(None).crops == 2
    with pytest.raises(CUNetError, match="--crops=3"):
        Localizer(engine, crops=3)
