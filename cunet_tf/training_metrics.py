"""Metrics that Keras updates batch by batch, on the device that trains."""

from typing import Any

import keras
from keras import ops

from cunet_tf.spec import ModelSpec

WINDOW = 2  # half side of the window around the maximum


def window_centroid(heatmaps: Any) -> Any:
    """Points ``[B, C, 2]`` of heat maps ``[B, h, w, C]``: centroid around each maximum.

    A cheap stand-in, inside the graph, for the decoders of :mod:`cunet_tf.heatmaps`.
    """
    height, width, channels = heatmaps.shape[1:]
    flat = ops.argmax(ops.reshape(heatmaps, (-1, height * width, channels)), axis=1)
    peak_x, peak_y = flat % width, flat // width

    def near(count: int, peak: Any) -> Any:  # [B, count, C]
        grid = ops.reshape(ops.arange(count, dtype=peak.dtype), (1, count, 1))
        return ops.cast(ops.abs(grid - ops.expand_dims(peak, 1)) <= WINDOW, "float32")

    window = ops.expand_dims(near(height, peak_y), 2) * ops.expand_dims(near(width, peak_x), 1)
    weight = ops.relu(ops.cast(heatmaps, "float32")) * window + 1e-6 * window
    total = ops.sum(weight, axis=(1, 2))
    grid_x = ops.reshape(ops.arange(width, dtype="float32"), (1, 1, width, 1))
    grid_y = ops.reshape(ops.arange(height, dtype="float32"), (1, height, 1, 1))
    x = ops.sum(weight * grid_x, axis=(1, 2)) / total
    y = ops.sum(weight * grid_y, axis=(1, 2)) / total
    return ops.stack([x, y], axis=-1)


class _PointMetric(keras.metrics.Metric):
    """A mean over batches of point errors divided by a distance between landmarks.

    Args:
        first: landmarks whose centroid is one end of the normalising distance.
        second: landmarks of the other end.

    ``y_true``: ``[B, C, 3]`` as in :class:`cunet_tf.losses.HeatmapLoss`; a picture whose
    normalising landmarks are masked does not count. ``y_pred``: ``[B, h, w, C]``.
    """

    def __init__(self, first: Any, second: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.first, self.second = list(first), list(second)
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def normalized_errors(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        """Errors ``[B, C]`` as shares of the distance, and ``[B, C]`` 1 where they count."""
        points, mask = y_true[..., :2], y_true[..., 2]
        ends = [ops.mean(ops.take(points, ids, axis=1), axis=1) for ids in (self.first, self.second)]
        distance = ops.maximum(ops.norm(ends[0] - ends[1], axis=-1, keepdims=True), 1e-3)
        usable = ops.min(ops.take(mask, self.first + self.second, axis=1), axis=1, keepdims=True)
        return ops.norm(window_centroid(y_pred) - points, axis=-1) / distance, mask * usable

    def result(self) -> Any:
        return 100.0 * self.total / ops.maximum(self.count, 1.0)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "first": self.first, "second": self.second}


@keras.saving.register_keras_serializable("cunet_tf")
class NormalizedMeanError(_PointMetric):
    """NME in percent while training; ``cunet evaluate`` decodes more finely."""

    def __init__(self, first: Any, second: Any, name: str = "nme", **kwargs: Any):
        super().__init__(first, second, name=name, **kwargs)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        errors, counts = self.normalized_errors(y_true, y_pred)
        counted = ops.sum(counts, axis=1)
        mean = ops.sum(errors * counts, axis=1) / ops.maximum(counted, 1.0)
        self.total.assign_add(ops.sum(mean))
        self.count.assign_add(ops.sum(ops.cast(counted > 0, "float32")))


@keras.saving.register_keras_serializable("cunet_tf")
class PercentageOfCorrectKeypoints(_PointMetric):
    """PCK in percent while training: errors of at most ``share`` of the distance, points pooled."""

    def __init__(self, first: Any, second: Any, share: float = 0.2, name: str = "pck", **kwargs: Any):
        super().__init__(first, second, name=name, **kwargs)
        self.share = share

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        errors, counts = self.normalized_errors(y_true, y_pred)
        self.total.assign_add(ops.sum(counts * ops.cast(errors <= self.share, "float32")))
        self.count.assign_add(ops.sum(counts))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "share": self.share}


def last_head_metrics(spec: ModelSpec) -> list[list[keras.metrics.Metric]]:
    """``metrics=`` for ``compile``: one metric of the last head, nothing for the others.

    PCK@0.2 where the skeleton has a torso, else the NME under its first normalizer, none
    where it has no normalizer.
    """
    metrics: list[list[keras.metrics.Metric]] = [[] for _ in spec.config.head_names]
    normalizers = spec.skeleton.normalizers
    if "torso" in normalizers:
        metrics[-1] = [PercentageOfCorrectKeypoints(*normalizers["torso"])]
    elif normalizers:
        metrics[-1] = [NormalizedMeanError(*next(iter(normalizers.values())))]
    return metrics
