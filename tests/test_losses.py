import keras
import numpy as np
import pytest

from cunet_tf.losses import DetectionLoss, HeatmapLoss


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
