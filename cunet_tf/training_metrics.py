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


@keras.saving.register_keras_serializable("cunet_tf")
class NormalizedMeanError(keras.metrics.Metric):
    """NME in percent while training; ``cunet evaluate`` decodes more finely.

    Args:
        first: landmarks whose centroid is one end of the normalising distance.
        second: landmarks of the other end.

    ``y_true``: ``[B, C, 3]`` as in :class:`cunet_tf.losses.HeatmapLoss`; a picture whose
    normalising landmarks are masked does not count. ``y_pred``: ``[B, h, w, C]``.
    """

    def __init__(self, first: Any, second: Any, name: str = "nme", **kwargs: Any):
        super().__init__(name=name, **kwargs)
        self.first, self.second = list(first), list(second)
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        points, mask = y_true[..., :2], y_true[..., 2]
        ends = [ops.mean(ops.take(points, ids, axis=1), axis=1) for ids in (self.first, self.second)]
        distance = ops.norm(ends[0] - ends[1], axis=-1)
        usable = ops.min(ops.take(mask, self.first + self.second, axis=1), axis=1)
        error = ops.norm(window_centroid(y_pred) - points, axis=-1)
        mean = ops.sum(error * mask, axis=1) / ops.maximum(ops.sum(mask, axis=1), 1.0)
        self.total.assign_add(ops.sum(usable * mean / ops.maximum(distance, 1e-3)))
        self.count.assign_add(ops.sum(usable))

    def result(self) -> Any:
        return 100.0 * self.total / ops.maximum(self.count, 1.0)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "first": self.first, "second": self.second}


def last_head_metrics(spec: ModelSpec) -> list[list[keras.metrics.Metric]]:
    """``metrics=`` for ``compile``: the NME of the last head, nothing for the others.

    The distance is the first normalizer of the skeleton; without one there is no metric.
    """
    metrics: list[list[keras.metrics.Metric]] = [[] for _ in spec.config.supervised]
    for first, second in list(spec.skeleton.normalizers.values())[:1]:
        metrics[-1].append(NormalizedMeanError(first, second))
    return metrics
