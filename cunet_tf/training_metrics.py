"""Metrics that Keras updates batch by batch, on the device that trains."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from cunet_tf.aliases import Tensor
from cunet_tf.config import STRIDE
from cunet_tf.metrics import LEAST_FOR_AREA
from cunet_tf.soft_decoder import peak_cells
from cunet_tf.spec import ModelSpec

WINDOW = 2  # half side of the window around the maximum
SHORTEST, FAR = 1e-3, 1e6  # pixels: a distance that nothing is divided by, and a place outside of every map


def window_centroid(heatmaps: Tensor) -> Tensor:
    """Points ``[B, C, 2]`` of heat maps ``[B, h, w, C]``: centroid around each maximum.

    A cheap stand-in, inside the graph, for the decoders of :mod:`cunet_tf.heatmaps`.
    """
    height, width = heatmaps.shape[1:3]
    peak_x, peak_y = peak_cells(heatmaps)

    def near(count: int, peak: Tensor) -> Tensor:  # [B, count, C]
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
    """A mean over batches of point errors divided by a distance between landmarks, or by the size of the object.

    Args:
        first: landmarks whose centroid is one end of the normalising distance; empty for the box.
        second: landmarks of the other end; empty for the box.
        side: the longer side of the objects' boxes in heat-map pixels, the distance where there are fewer than three
            landmarks; the root of the area of the tight box of the points is it where there are more.

    ``y_true``: ``[B, C, 3]`` as in :class:`cunet_tf.losses.HeatmapLoss`; a picture whose normalising landmarks are
    masked, or span nothing, does not count. ``y_pred``: ``[B, h, w, C]``. The result is NaN where nothing counted.
    """

    def __init__(self, first: Sequence[int] = (), second: Sequence[int] = (), side: float = 0.0, **kwargs: object):
        super().__init__(**kwargs)
        self.first, self.second, self.side = list(first), list(second), float(side)
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def normalized_errors(self, y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
        """Errors ``[B, C]`` as shares of the distance, and ``[B, C]`` 1 where they count."""
        mask = y_true[..., 2]
        points = ops.where(ops.expand_dims(mask, -1) > 0, y_true[..., :2], 0.0)
        if self.first:
            ends = [ops.mean(ops.take(points, ids, axis=1), axis=1) for ids in (self.first, self.second)]
            usable = ops.min(ops.take(mask, self.first + self.second, axis=1), axis=1, keepdims=True)
            distance = ops.norm(ends[0] - ends[1], axis=-1, keepdims=True) * usable
        elif points.shape[1] < LEAST_FOR_AREA:
            distance = ops.full_like(mask[:, :1], self.side)
        else:
            distance = _tight_box(points, mask)
        counts = mask * ops.cast(distance > SHORTEST, "float32")
        return ops.norm(window_centroid(y_pred) - points, axis=-1) / ops.maximum(distance, SHORTEST), counts

    def result(self) -> Tensor:
        mean = 100.0 * self.total / ops.maximum(self.count, 1.0)
        return ops.where(self.count > 0, mean, float("nan"))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "first": self.first, "second": self.second}


def _tight_box(points: Tensor, mask: Tensor) -> Tensor:
    """Root of the area of the box around the points that count, ``[B, 1]``."""
    known = ops.expand_dims(mask, -1) > 0
    sides = ops.max(ops.where(known, points, -FAR), axis=1) - ops.min(ops.where(known, points, FAR), axis=1)
    return ops.sqrt(ops.prod(ops.maximum(sides, 0.0), axis=-1, keepdims=True))


@keras.saving.register_keras_serializable("cunet_tf")
class NormalizedMeanError(_PointMetric):
    """NME in percent while training; ``cunet evaluate`` decodes more finely."""

    def __init__(
        self,
        first: Sequence[int] = (),
        second: Sequence[int] = (),
        side: float = 0.0,
        name: str = "nme",
        **kwargs: object,
    ):
        super().__init__(first, second, side, name=name, **kwargs)

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor = None) -> None:
        """Take in a batch: points and mask ``[B, C, 3]``, heat maps ``[B, h, w, C]``."""
        errors, counts = self.normalized_errors(y_true, y_pred)
        counted = ops.sum(counts, axis=1)
        mean = ops.sum(errors * counts, axis=1) / ops.maximum(counted, 1.0)
        self.total.assign_add(ops.sum(mean))
        self.count.assign_add(ops.sum(ops.cast(counted > 0, "float32")))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, as Keras saves them."""
        return {**super().get_config(), "side": self.side}


@keras.saving.register_keras_serializable("cunet_tf")
class PercentageOfCorrectKeypoints(_PointMetric):
    """PCK in percent while training: errors of at most ``share`` of the distance, points pooled."""

    def __init__(
        self, first: Sequence[int], second: Sequence[int], share: float = 0.2, name: str = "pck", **kwargs: Any
    ):
        super().__init__(first, second, name=name, **kwargs)
        self.share = share

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor = None) -> None:
        """Take in a batch: points and mask ``[B, C, 3]``, heat maps ``[B, h, w, C]``."""
        errors, counts = self.normalized_errors(y_true, y_pred)
        self.total.assign_add(ops.sum(counts * ops.cast(errors <= self.share, "float32")))
        self.count.assign_add(ops.sum(counts))

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, as Keras saves them."""
        return {**super().get_config(), "share": self.share}


def main_metric(spec: ModelSpec) -> keras.metrics.Metric:
    """PCK@0.2 where the skeleton has a torso, else the NME under its first normalizer; without one the box serves."""
    normalizers = spec.skeleton.normalizers
    if "torso" in normalizers:
        return PercentageOfCorrectKeypoints(*normalizers["torso"])
    if normalizers:
        return NormalizedMeanError(*next(iter(normalizers.values())))
    return NormalizedMeanError(side=spec.input_size / STRIDE / spec.crop_factor)


def last_head_metrics(spec: ModelSpec) -> list[keras.metrics.Metric]:
    """``metrics=`` for ``compile``: :func:`main_metric` of the last head, nothing for the others."""
    last = [main_metric(spec)]
    heads = len(spec.config.head_names)
    return (
        [*([] for _ in range(heads - 1)), last] if heads > 1 else last
    )  # of one head Keras 3.12 takes no list in a list
