"""Losses on heat maps, drawn from points inside the loss; :mod:`cunet_tf.codec` pairs them with decoders."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from cunet_tf.aliases import Tensor
from cunet_tf.heatmaps import disk_maps, gaussian_maps, reference_maps
from cunet_tf.soft_decoder import seen_points, soft_points

POINT = 3  # x, y and the mask; a teacher's map may follow
SHORTEST = 1e-3  # heat-map pixels; neighbours closer together give no direction


@keras.saving.register_keras_serializable("cunet_tf")
class HeatmapLoss(keras.losses.Loss):
    """Mean squared error to Gaussian targets, unannotated landmarks masked.

    The mean is over all C maps of a picture, a masked map contributing zero, so that every
    annotated landmark weighs the same. Given to ``compile`` it is applied to each
    supervised U-Net and summed, as the reference does.

    Args:
        sigma: of the targets, in heat-map pixels.
        reference: the published reference's drawing, see
            :func:`cunet_tf.heatmaps.reference_maps`.
        scale: constant factor; it changes what is printed, not what RMSprop does.
        foreground: w; each pixel's error weighs ``1 + w * target``. On a 32x32 map a Gaussian of sigma 1.2 has 9
            pixels' worth of target, and the flat rest outweighs it. 0 is the plain mean of the reference.
        teacher: a; where ``y_true`` carries a teacher's maps (:func:`with_maps`) the target is
            ``(1 - a) * drawn + a * teacher's``, and the foreground is that of this mixture. Of two errors with weights
            1 - a and a the squares have the same gradient, but only while both weigh pixels alike; with a foreground
            of its own each would pull towards its own peak, and the network would learn their union, not their mean.
            A masked landmark stays masked.

    ``y_true``: ``[B, C, 3]``, x, y in heat-map pixels and the mask, or ``[B, C, 3 + h * w]``. ``y_pred``:
    ``[B, h, w, C]``.
    """

    def __init__(
        self, sigma: float = 1.2, reference: bool = False, scale: float = 1000.0, foreground: float = 0.0,
        teacher: float = 0.0, name: str = "heatmap_mse", **kwargs: object,
    ):  # fmt: skip
        super().__init__(name=name, **kwargs)
        self.sigma, self.reference, self.scale, self.foreground = sigma, reference, scale, foreground
        self.teacher = teacher

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Weighted squared error of heat maps ``[B, h, w, C]`` to points and mask ``[B, C, 3]``."""
        draw = reference_maps if self.reference else gaussian_maps
        target = draw(y_true, self.sigma, y_pred.shape[1])
        if self.teacher and carries_maps(y_true):
            target = target + self.teacher * (carried_maps(y_true, y_pred.shape[1]) - target)
        errors = ops.square(y_pred - target)
        if self.foreground:
            errors = errors * (1.0 + self.foreground * ops.relu(target))  # a teacher's map dips below zero
        per_map = ops.mean(errors, axis=(1, 2))
        return self.scale * ops.mean(per_map * y_true[..., 2], axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, as Keras saves them."""
        own = {"sigma": self.sigma, "reference": self.reference, "scale": self.scale, "foreground": self.foreground}
        return {**super().get_config(), **own, "teacher": self.teacher}


def with_maps(targets: Tensor, maps: Tensor) -> Tensor:
    """Targets ``[B, C, 3]`` with the heat maps ``[B, h, w, C]`` of a teacher behind them, ``[B, C, 3 + h * w]``."""
    height, width, landmarks = maps.shape[1:]
    rows = ops.reshape(ops.transpose(maps, (0, 3, 1, 2)), (-1, landmarks, height * width))
    return ops.concatenate([targets, ops.cast(rows, targets.dtype)], axis=-1)


def carries_maps(targets: Tensor) -> bool:
    """Whether targets are those of :func:`with_maps`."""
    return targets.shape[-1] > POINT


def carried_maps(targets: Tensor, side: int) -> Tensor:
    """The heat maps ``[B, side, side, C]`` that :func:`with_maps` has put there."""
    rows = ops.reshape(targets[..., POINT:], (-1, targets.shape[1], side, side))
    return ops.transpose(rows, (0, 2, 3, 1))


@keras.saving.register_keras_serializable("cunet_tf")
class CoordinateLoss(keras.losses.Loss):
    """Smooth L1 of the decoded points, in heat-map pixels; unannotated landmarks masked.

    Points are decoded as :func:`cunet_tf.soft_decoder.soft_points` says. The error of a landmark has two components
    that count alone: quadratic below one pixel, linear above, so that a maximum at another place altogether, which only
    the heat-map loss can move, pulls no harder than one that is a pixel off. For landmarks on a contour they are the
    ones along and across it, else x and y. The mean is over all C landmarks, a masked one contributing zero.

    Args:
        sigma: of the targets, in heat-map pixels.
        scale: constant factor.
        along: weight of the component along a contour; where on a jaw a point lies is arbitrary to people, too.
        neighbours: the two landmarks beside each one on its contour, see
            :meth:`cunet_tf.skeletons.Skeleton.contour_neighbours`; the line through their true points is the tangent.
            A masked neighbour is replaced by the landmark itself. Empty: no contours.

    ``y_true`` and ``y_pred`` as in :class:`HeatmapLoss`.
    """

    def __init__(
        self, sigma: float = 1.2, scale: float = 1.0, along: float = 1.0,
        neighbours: Sequence[Sequence[int]] = (), name: str = "coordinates", **kwargs: object,
    ):  # fmt: skip
        super().__init__(name=name, **kwargs)
        self.sigma, self.scale, self.along = sigma, scale, along
        self.neighbours = [list(pair) for pair in neighbours]

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Error of the points decoded from ``[B, h, w, C]`` to points and mask ``[B, C, 3]``."""
        found, cells = soft_points(y_pred, self.sigma)
        errors = found - seen_points(y_true[..., :2], cells, self.sigma, y_pred.shape[1])
        tangent, along = self._frame(y_true)
        first = ops.sum(errors * tangent, axis=-1)
        second = errors[..., 1] * tangent[..., 0] - errors[..., 0] * tangent[..., 1]
        per_point = along * smooth_l1(first) + smooth_l1(second)
        return self.scale * ops.mean(per_point * y_true[..., 2], axis=-1)

    def _frame(self, y_true: Tensor) -> tuple[Tensor, Tensor]:
        """Unit tangents ``[B, C, 2]``, along x where there is no contour, and weights ``[B, C]`` along them."""
        points, known = y_true[..., :2], y_true[..., 2:POINT] > 0
        level = ops.broadcast_to(ops.convert_to_tensor([1.0, 0.0]), ops.shape(points))
        if not self.neighbours:
            return level, ops.ones_like(points[..., 0])
        before, after = (
            ops.where(ops.take(known, ids, axis=1), ops.take(points, ids, axis=1), points)
            for ids in zip(*self.neighbours, strict=True)
        )
        length = ops.norm(after - before, axis=-1, keepdims=True)
        on_contour = length > SHORTEST
        tangent = ops.where(on_contour, (after - before) / ops.maximum(length, SHORTEST), level)
        return tangent, ops.where(on_contour[..., 0], self.along, 1.0)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, as Keras saves them."""
        own = {"sigma": self.sigma, "scale": self.scale, "along": self.along, "neighbours": self.neighbours}
        return {**super().get_config(), **own}


def smooth_l1(errors: Tensor) -> Tensor:
    """Half the square below 1, the magnitude less a half above."""
    size = ops.abs(errors)
    return ops.where(size < 1.0, 0.5 * ops.square(errors), size - 0.5)


@keras.saving.register_keras_serializable("cunet_tf")
class LossSum(keras.losses.Loss):
    """The sum of losses of the same targets and heat maps."""

    def __init__(self, terms: Sequence[keras.losses.Loss], name: str = "sum", **kwargs: object):
        super().__init__(name=name, **kwargs)
        self.terms = list(terms)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """The sum of the terms."""
        first, *others = (term.call(y_true, y_pred) for term in self.terms)
        return sum(others, first)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, as Keras saves them."""
        return {**super().get_config(), "terms": [keras.losses.serialize(term) for term in self.terms]}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LossSum":
        """Inverse of :meth:`get_config`."""
        return cls(**{**config, "terms": [keras.losses.deserialize(term) for term in config["terms"]]})


@keras.saving.register_keras_serializable("cunet_tf")
class DetectionLoss(keras.losses.Loss):
    """Binary cross entropy with logits to disks (the paper's detection supervision, Table 6).

    Masks and means as in :class:`HeatmapLoss`.

    Args:
        radius: of the disks, in heat-map pixels.
        foreground: weight of the pixels inside a disk, which are few.
        scale: constant factor.
    """

    def __init__(
        self, radius: float = 2.0, foreground: float = 5.0, scale: float = 100.0,
        name: str = "disk_bce", **kwargs: object,
    ):  # fmt: skip
        super().__init__(name=name, **kwargs)
        self.radius, self.foreground, self.scale = radius, foreground, scale

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Weighted cross entropy of logits ``[B, h, w, C]`` to disks about points and mask ``[B, C, 3]``."""
        labels = disk_maps(y_true, self.radius, y_pred.shape[1])
        # -log sigmoid(x) = softplus(-x); both terms stay finite for any logit.
        inside = self.foreground * labels * ops.softplus(-y_pred)
        outside = (1.0 - labels) * ops.softplus(y_pred)
        per_map = ops.mean(inside + outside, axis=(1, 2))
        return self.scale * ops.mean(per_map * y_true[..., 2], axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, as Keras saves them."""
        own = {"radius": self.radius, "foreground": self.foreground, "scale": self.scale}
        return {**super().get_config(), **own}
