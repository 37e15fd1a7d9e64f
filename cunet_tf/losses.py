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
        foreground: w; each pixel's error weighs ``1 + w * target``. On a 32x32 map a Gaussian of sigma 1.2 has 9
            pixels' worth of target, and the flat rest outweighs it. 0 is the plain mean of the reference.

    ``y_true``: ``[B, C, 3]``, x, y in heat-map pixels and the mask. ``y_pred``:
    ``[B, h, w, C]``.
    """

    def __init__(
        self, sigma: float = 1.2, reference: bool = False, scale: float = 1000.0, foreground: float = 0.0,
        name: str = "heatmap_mse", **kwargs: Any,
    ):  # fmt: skip
        super().__init__(name=name, **kwargs)
        self.sigma, self.reference, self.scale, self.foreground = sigma, reference, scale, foreground

    def call(self, y_true: Any, y_pred: Any) -> Any:
        draw = reference_maps if self.reference else gaussian_maps
        target = draw(y_true, self.sigma, y_pred.shape[1])
        errors = ops.square(y_pred - target)
        if self.foreground:
            errors = errors * (1.0 + self.foreground * target)
        per_map = ops.mean(errors, axis=(1, 2))
        return self.scale * ops.mean(per_map * y_true[..., 2], axis=-1)

    def get_config(self) -> dict[str, Any]:
        own = {"sigma": self.sigma, "reference": self.reference, "scale": self.scale, "foreground": self.foreground}
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
