import numpy as np
import pytest

from cunet_tf.heatmaps import gaussian_maps
from cunet_tf.metrics import normalizer_distance
from cunet_tf.presets import preset
from cunet_tf.skeletons import Skeleton
from cunet_tf.training_metrics import (
    NormalizedMeanError,
    PercentageOfCorrectKeypoints,
    last_head_metrics,
    main_metric,
    window_centroid,
)


@pytest.fixture
def points(rng):
    return rng.uniform(3, 12, (4, 5, 2)).astype("float32")


def test_centroid_finds_gaussians(points):
    maps = gaussian_maps(points, 1.0, 16)
    assert np.abs(np.asarray(window_centroid(maps)) - points).max() < 0.15


def test_nme_by_hand_and_over_batches(points):
    offset = np.array([0.6, -0.8], "float32")  # one pixel
    maps = np.asarray(gaussian_maps(points + offset, 1.0, 16))
    mask = np.ones((4, 5, 1), "float32")
    metric = NormalizedMeanError([0], [1])
    for index in range(4):
        metric.update_state(np.concatenate([points, mask], -1)[index : index + 1], maps[index : index + 1])
    distance = np.linalg.norm(points[:, 0] - points[:, 1], axis=-1)
    assert float(metric.result()) == pytest.approx(100 * np.mean(1 / distance), rel=0.1)


def test_pictures_without_the_normalizing_points_do_not_count(points):
    maps = gaussian_maps(points, 1.0, 16)
    mask = np.ones((4, 5, 1), "float32")
    mask[1:, 0] = 0
    metric = NormalizedMeanError([0], [1])
    metric.update_state(np.concatenate([points, mask], -1), maps)
    assert float(metric.count) == 1


def test_without_a_normalizer_the_box_serves(points):
    """As :func:`cunet_tf.metrics.normalizer_distance` has it; masked points may hold anything."""
    mask = np.ones((4, 5, 1), "float32")
    mask[0, 2], mask[1, 1:] = 0, 0  # the second picture spans nothing
    truth = np.concatenate([points, mask], -1)
    truth[0, 2, :2] = np.nan
    metric = NormalizedMeanError()
    metric.update_state(truth, gaussian_maps(points + np.float32([0.6, -0.8]), 1.0, 16))
    skeleton = Skeleton("five", tuple("abcde"))
    distance = normalizer_distance(points, skeleton, "box", mask[..., 0])
    assert float(metric.count) == 3
    assert float(metric.result()) == pytest.approx(100 * np.nanmean(1 / distance), rel=0.1)


def test_the_side_of_the_box_serves_one_landmark():
    spec = preset("face-mobile").with_skeleton(Skeleton("one", ("tip",)))
    metric = main_metric(spec)
    side = 32 / spec.crop_factor
    assert metric.name == "nme" and metric.side == pytest.approx(side)
    metric = NormalizedMeanError.from_config(metric.get_config())
    truth = np.array([[[8.0, 9.0, 1.0]]], "float32")
    metric.update_state(truth, gaussian_maps(truth[..., :2] + np.float32([3.0, 4.0]), 1.0, 32))
    assert float(metric.result()) == pytest.approx(100 * 5 / side, rel=0.02)


def test_a_figure_of_nothing_is_not_defined(points):
    """It was 0, the best value there is, and chose best.keras."""
    truth = np.concatenate([points, np.zeros((4, 5, 1), "float32")], -1)
    for metric in (NormalizedMeanError([0], [1]), NormalizedMeanError(), PercentageOfCorrectKeypoints([0], [1])):
        metric.update_state(truth, gaussian_maps(points, 1.0, 16))
        assert np.isnan(float(metric.result()))


def test_one_metric_on_the_last_head_only():
    metrics = last_head_metrics(preset("pose-4"))
    assert [len(m) for m in metrics] == [0, 0, 0, 1]
    assert isinstance(metrics[-1][0], PercentageOfCorrectKeypoints)
    assert metrics[-1][0].first == [13] and metrics[-1][0].second == [2]


def test_pck_counts_points_within_a_share_of_the_torso(points):
    points[:, 0], points[:, 1] = (3.0, 3.0), (3.0, 9.0)  # a torso of six pixels: limit 1.2
    moved = points.copy()
    moved[:, 2] += (1.0, 0.0)  # within
    moved[:, 3] += (0.0, 2.0)  # beyond
    mask = np.ones((4, 5, 1), "float32")
    mask[0, 3] = 0
    metric = PercentageOfCorrectKeypoints([0], [1])
    metric.update_state(np.concatenate([points, mask], -1), gaussian_maps(moved, 1.0, 16))
    assert float(metric.result()) == pytest.approx(100 * 16 / 19)
