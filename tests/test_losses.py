import keras
import numpy as np
import pytest

from cunet_tf.losses import (
    CoordinateLoss,
    DetectionLoss,
    HeatmapLoss,
    LossSum,
    carried_maps,
    carries_maps,
    with_maps,
)


def gaussian(x, y, sigma, size):
    grid = np.arange(size)
    return np.exp(-((grid[None, :] - x) ** 2 + (grid[:, None] - y) ** 2) / (2 * sigma**2))


def test_value_by_hand():
    target = np.array([[[3.25, 4.5, 1.0], [1.0, 2.0, 1.0]]], "float32")
    predicted = np.zeros((1, 8, 8, 2), "float32")
    expected = np.mean([np.mean(gaussian(x, y, 1.2, 8) ** 2) for x, y in ((3.25, 4.5), (1.0, 2.0))])
    assert float(HeatmapLoss(1.2, scale=1.0)(target, predicted)) == pytest.approx(expected, rel=1e-5)


def test_perfect_maps_cost_nothing():
    target = np.array([[[3.25, 4.5, 1.0]]], "float32")
    predicted = gaussian(3.25, 4.5, 1.2, 8)[None, :, :, None].astype("float32")
    assert float(HeatmapLoss(1.2)(target, predicted)) < 1e-6


def test_masked_landmarks_have_no_loss_and_no_gradient():
    import tensorflow as tf

    target = tf.constant([[[3.0, 4.0, 1.0], [1.0, 2.0, 0.0]]])
    maps = tf.Variable(tf.random.normal((1, 8, 8, 2), seed=1))
    with tf.GradientTape() as tape:
        loss = HeatmapLoss(1.2)(target, maps)
    gradient = tape.gradient(loss, maps).numpy()
    assert gradient[..., 0].any() and not gradient[..., 1].any()


def test_each_annotated_landmark_weighs_the_same():
    maps = np.zeros((1, 8, 8, 2), "float32")
    both = np.array([[[3.0, 4.0, 1.0], [3.0, 4.0, 1.0]]], "float32")
    one = both * np.array([[[1], [1]]], "float32")
    one[0, 1, 2] = 0
    assert float(HeatmapLoss(1.2)(both, maps)) == pytest.approx(2 * float(HeatmapLoss(1.2)(one, maps)), rel=1e-5)


def test_serialises():
    loss = HeatmapLoss(2.0, reference=True, scale=3.0)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert (again.sigma, again.reference, again.scale) == (2.0, True, 3.0)
    again = keras.losses.deserialize(keras.losses.serialize(DetectionLoss(2.5, foreground=3.0)))
    assert (again.radius, again.foreground, again.scale) == (2.5, 3.0, 100.0)


def test_detection_loss_by_hand():
    """A single pixel disk: softplus terms of a constant map."""
    target = np.array([[[3.0, 4.0, 1.0]]], "float32")
    maps = np.full((1, 8, 8, 1), 0.7, "float32")
    inside, outside = np.log1p(np.exp(-0.7)), np.log1p(np.exp(0.7))
    loss = DetectionLoss(radius=0.5, foreground=3.0, scale=1.0)
    assert float(loss(target, maps)) == pytest.approx((3 * inside + 63 * outside) / 64, rel=1e-5)
    target[..., 2] = 0
    assert float(loss(target, maps)) == 0.0


def test_detection_loss_is_finite_for_extreme_logits():
    target = np.array([[[3.0, 4.0, 1.0]]], "float32")
    for logit in (-1e4, 1e4):
        assert np.isfinite(float(DetectionLoss()(target, np.full((1, 8, 8, 1), logit, "float32"))))


@pytest.mark.parametrize("reference", [False, True])
def test_foreground_by_hand(reference):
    """Each pixel weighs 1 + w * target; 0 is the plain mean."""
    target = np.array([[[3.0, 4.0, 1.0]]], "float32")
    maps = np.full((1, 8, 8, 1), 0.3, "float32")
    drawn = gaussian(3, 4, 1.2, 8)
    if reference:
        drawn[:, 7] = drawn[0] = 0.0  # beyond 3.5 pixels
    expected = np.mean((1 + 20 * drawn) * (0.3 - drawn) ** 2)
    loss = HeatmapLoss(1.2, reference, scale=1.0, foreground=20.0)
    assert float(loss(target, maps)) == pytest.approx(expected, rel=1e-5)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert again.foreground == 20.0
    plain = HeatmapLoss(1.2, reference, scale=1.0, foreground=0.0)(target, maps)
    assert float(plain) == pytest.approx(np.mean((0.3 - drawn) ** 2), rel=1e-5)


# Teacher's maps ------------------------------------------------------------------------------


def taught(points, maps):
    return np.asarray(with_maps(np.asarray(points, "float32"), np.asarray(maps, "float32")))


def test_maps_behind_targets_come_back(rng):
    maps = rng.random((2, 4, 4, 3), dtype=np.float32)
    targets = taught(np.ones((2, 3, 3)), maps)
    assert targets.shape == (2, 3, 3 + 16) and carries_maps(targets) and not carries_maps(np.ones((2, 3, 3)))
    np.testing.assert_array_equal(carried_maps(targets, 4), maps)


def test_target_is_the_mixture_and_so_is_the_foreground(rng):
    """By hand, with a teacher whose map dips below zero, where pixels weigh 1."""
    point, share = [[[3.0, 4.0, 1.0]]], 0.3
    teacher = rng.uniform(-0.2, 0.8, (1, 8, 8, 1))
    maps = np.full((1, 8, 8, 1), 0.3, "float32")
    target = (1 - share) * gaussian(3, 4, 1.2, 8) + share * teacher[0, :, :, 0]
    expected = np.mean((1 + 20 * np.maximum(target, 0)) * (0.3 - target) ** 2)
    loss = HeatmapLoss(1.2, scale=1.0, foreground=20.0, teacher=share)
    assert float(loss(taught(point, teacher), maps)) == pytest.approx(expected, rel=1e-5)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert again.teacher == share


def test_the_mixture_is_what_is_learned_with_a_foreground_too():
    """Its gradient vanishes there; a mixture of two losses with foregrounds of their own would have another minimum."""
    import tensorflow as tf

    teacher = gaussian(5, 4, 1.2, 8)[None, :, :, None]
    mixture = tf.Variable(0.5 * teacher[..., 0] + 0.5 * gaussian(3, 4, 1.2, 8), dtype=tf.float32)
    with tf.GradientTape() as tape:
        value = HeatmapLoss(1.2, foreground=20.0, teacher=0.5)(taught([[[3.0, 4.0, 1.0]]], teacher), mixture[..., None])
    assert float(value) < 1e-6 and np.abs(tape.gradient(value, mixture)).max() < 1e-4


def test_without_a_share_or_without_maps_there_is_no_teacher(rng):
    point, maps = np.array([[[3.0, 4.0, 1.0]]], "float32"), rng.random((1, 8, 8, 1), dtype=np.float32)
    plain = float(HeatmapLoss(1.2)(point, maps))
    assert float(HeatmapLoss(1.2)(taught(point, maps), maps)) == plain
    assert float(HeatmapLoss(1.2, teacher=0.5)(point, maps)) == plain
    point[..., 2] = 0.0
    assert float(HeatmapLoss(1.2, teacher=0.5)(taught(point, maps), maps)) == 0.0


def test_a_detectors_loss_passes_a_teachers_maps_over(rng):
    point, maps = np.array([[[3.0, 4.0, 1.0]]], "float32"), rng.random((1, 8, 8, 1), dtype=np.float32)
    assert float(DetectionLoss()(taught(point, maps), maps)) == float(DetectionLoss()(point, maps))


# Decoded points ------------------------------------------------------------------------------

BIG = 20


def maps_at(*points):
    return np.stack([gaussian(x, y, 1.2, BIG) for x, y in points], axis=-1)[None].astype("float32")


def test_coordinates_by_hand():
    """Offsets (0.3, -0.4) and (3, 0): half the squares, and 3 - 1/2; a masked landmark counts in the mean alone."""
    target = np.array([[[9.0, 9.0, 1.0], [9.0, 9.0, 1.0], [9.0, 9.0, 0.0]]], "float32")
    found = maps_at((9.3, 8.6), (12.0, 9.0), (5.0, 5.0))
    expected = (0.5 * (0.3**2 + 0.4**2) + 2.5) / 3
    assert float(CoordinateLoss(1.2, scale=2.0)(target, found)) == pytest.approx(2 * expected, rel=0.01)


def test_the_component_along_a_contour_weighs_less():
    """Three points on a slope of 3:4. The middle one and, along one edge, the ends are moved along and across."""
    along, across = np.array([0.6, 0.8]), np.array([-0.8, 0.6])
    truth = np.array([9.0, 9.0]) + np.array([[-4.0], [0.0], [4.0]]) * along
    target = np.concatenate([truth, np.ones((3, 1))], axis=1)[None].astype("float32")
    neighbours = [[1, 0], [0, 2], [1, 2]]
    moved = truth + np.array([0.5, 0.2, -0.4])[:, None] * along + np.array([0.1, -0.6, 0.3])[:, None] * across
    squares = np.array([0.25 * 0.5**2 + 0.1**2, 0.25 * 0.2**2 + 0.6**2, 0.25 * 0.4**2 + 0.3**2])
    loss = CoordinateLoss(1.2, along=0.25, neighbours=neighbours)
    assert float(loss(target, maps_at(*moved))) == pytest.approx(0.5 * squares.mean(), rel=0.02)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert (again.sigma, again.scale, again.along, again.neighbours) == (1.2, 1.0, 0.25, neighbours)

    target[0, 0] = 0.0  # not annotated: the tangent at the middle one is that to the last, which is the same here
    masked = float(loss(target, maps_at(*moved)))
    assert masked == pytest.approx(0.5 * squares[1:].sum() / 3, rel=0.02)
    target[0, 2] = 0.0  # no neighbour left: both components count whole
    assert float(loss(target, maps_at(*moved))) == pytest.approx(0.5 * (0.2**2 + 0.6**2) / 3, rel=0.02)


def test_the_gradient_moves_the_maximum_towards_the_target():
    import tensorflow as tf

    target = tf.constant([[[9.6, 8.7, 1.0], [9.6, 8.7, 0.0]]])
    maps = tf.Variable(maps_at((9.1, 9.2), (9.1, 9.2)))
    with tf.GradientTape() as tape:
        loss = CoordinateLoss(1.2)(target, maps)
    gradient = tape.gradient(loss, maps).numpy()[0]
    assert not gradient[..., 1].any()
    assert gradient[9, 11, 0] < 0 < gradient[9, 7, 0]  # mass is wanted on the right, and above
    assert gradient[7, 9, 0] < 0 < gradient[11, 9, 0]
    after = maps - 20.0 * gradient
    assert float(CoordinateLoss(1.2)(target, after)) < float(loss)


def test_gradients_stay_bounded_on_maps_of_next_to_nothing(rng):
    import tensorflow as tf

    maps = tf.Variable(1e-6 * rng.random((1, BIG, BIG, 1)), dtype=tf.float32)
    with tf.GradientTape() as tape:
        loss = CoordinateLoss(1.2)(tf.constant([[[9.6, 8.7, 1.0]]]), maps)
    assert np.abs(tape.gradient(loss, maps)).max() < 30


def test_a_sum_of_losses_adds_and_serialises():
    target = np.array([[[9.0, 9.0, 1.0]]], "float32")
    maps, terms = maps_at((9.3, 8.6)), [HeatmapLoss(1.2, foreground=5.0), CoordinateLoss(1.2, 3.0)]
    expected = sum(float(term(target, maps)) for term in terms)
    assert float(LossSum(terms)(target, maps)) == pytest.approx(expected, rel=1e-5)
    again = keras.losses.deserialize(keras.losses.serialize(LossSum(terms)))
    assert float(again(target, maps)) == pytest.approx(expected, rel=1e-5)
    assert [type(term) for term in again.terms] == [HeatmapLoss, CoordinateLoss]
