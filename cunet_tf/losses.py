"""Losses on heat maps, drawn from points inside the loss; :mod:`cunet_tf.codec` pairs them with decoders."""

from typing import Any

import keras
from keras import ops

from cunet_tf.heatmaps import disk_maps, gaussian_maps, reference_maps


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

    ``y_true``: ``[B, C, 3]``, x, y in heat-map pixels and the mask. ``y_pred``:
    ``[B, h, w, C]``.
    """

    def __init__(
        self, sigma: float = 1.2, reference: bool = False, scale: float = 1000.0,
        name: str = "heatmap_mse", **kwargs: Any,
    ):  # fmt: skip
        super().__init__(name=name, **kwargs)
        self.sigma, self.reference, self.scale = sigma, reference, scale

    def call(self, y_true: Any, y_pred: Any) -> Any:
        draw = reference_maps if self.reference else gaussian_maps
        per_map = ops.mean(ops.square(y_pred - draw(y_true, self.sigma, y_pred.shape[1])), axis=(1, 2))
        return self.scale * ops.mean(per_map * y_true[..., 2], axis=-1)

    def get_config(self) -> dict[str, Any]:
        own = {"sigma": self.sigma, "reference": self.reference, "scale": self.scale}
        return {**super().get_config(), **own}


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
        name: str = "disk_bce", **kwargs: Any,
    ):  # fmt: skip
        super().__init__(name=name, **kwargs)
        self.radius, self.foreground, self.scale = radius, foreground, scale

    def call(self, y_true: Any, y_pred: Any) -> Any:
        labels = disk_maps(y_true, self.radius, y_pred.shape[1])
        # -log sigmoid(x) = softplus(-x); both terms stay finite for any logit.
        inside = self.foreground * labels * ops.softplus(-y_pred)
        outside = (1.0 - labels) * ops.softplus(y_pred)
        per_map = ops.mean(inside + outside, axis=(1, 2))
        return self.scale * ops.mean(per_map * y_true[..., 2], axis=-1)

    def get_config(self) -> dict[str, Any]:
        own = {"radius": self.radius, "foreground": self.foreground, "scale": self.scale}
        return {**super().get_config(), **own}
