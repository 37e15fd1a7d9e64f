"""Losses on heat maps, drawn from points inside the loss."""

from typing import Any

import keras
from keras import ops

from cunet_tf.heatmaps import GaussianCodec


@keras.saving.register_keras_serializable("cunet_tf")
class HeatmapLoss(keras.losses.Loss):
    """Mean squared error to Gaussian targets, unannotated landmarks masked.

    The mean is over all C maps of a picture, a masked map contributing zero, so that every
    annotated landmark weighs the same. Given to ``compile`` it is applied to each
    supervised U-Net and summed, as the reference does.

    Args:
        sigma: of the targets, in heat-map pixels.
        reference: the published reference's drawing, see
            :class:`cunet_tf.heatmaps.GaussianCodec`.
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
        codec = GaussianCodec(y_pred.shape[1], self.sigma, self.reference)
        per_map = ops.mean(ops.square(y_pred - codec.encode(y_true)), axis=(1, 2))
        return self.scale * ops.mean(per_map * y_true[..., 2], axis=-1)

    def get_config(self) -> dict[str, Any]:
        own = {"sigma": self.sigma, "reference": self.reference, "scale": self.scale}
        return {**super().get_config(), **own}
