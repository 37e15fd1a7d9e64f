"""Losses on heat maps, drawn from points inside the loss."""

from typing import Any

import keras
from keras import ops

from cunet_tf.config import NetworkConfig
from cunet_tf.errors import CUNetError, did_you_mean
from cunet_tf.heatmaps import DISK_RADIUS, DiskCodec, GaussianCodec

TARGETS = ("gaussian", "reference", "disk")


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
        labels = DiskCodec(y_pred.shape[1], self.radius).encode(y_true)
        # -log sigmoid(x) = softplus(-x); both terms stay finite for any logit.
        inside = self.foreground * labels * ops.softplus(-y_pred)
        outside = (1.0 - labels) * ops.softplus(y_pred)
        per_map = ops.mean(inside + outside, axis=(1, 2))
        return self.scale * ops.mean(per_map * y_true[..., 2], axis=-1)

    def get_config(self) -> dict[str, Any]:
        own = {"radius": self.radius, "foreground": self.foreground, "scale": self.scale}
        return {**super().get_config(), **own}


def loss_for(targets: str, sigma: float) -> keras.losses.Loss:
    """The loss of a kind of supervision.

    Args:
        targets: ``"gaussian"`` (regression, sub-pixel centres), ``"reference"`` (regression
            to the published reference's maps) or ``"disk"`` (detection).
        sigma: of the Gaussians, or the disks' radius, in heat-map pixels.

    Raises:
        CUNetError: another kind.
    """
    if targets not in TARGETS:
        raise CUNetError(f"--targets={targets}: {did_you_mean(targets, TARGETS)}")
    return DetectionLoss(sigma) if targets == "disk" else HeatmapLoss(sigma, targets == "reference")


def losses_for(targets: str, sigma: float, config: NetworkConfig) -> list[keras.losses.Loss]:
    """One loss for each head of a network.

    Args:
        targets: a name as in :func:`loss_for`, or one for each pass with a comma between:
            ``"disk,gaussian"`` is detection, then regression (paper, Table 6).
        sigma: of the last pass' targets; another kind before it takes its default.
        config: of the network.

    Raises:
        CUNetError: unknown name, or another number of names than the network has passes.
    """
    names, passes = targets.split(","), getattr(config, "passes", 1)
    if len(names) not in (1, passes):
        raise CUNetError(f"--targets={targets}: give one name, or one for each pass of the network ({passes}).")
    names = names * (passes if len(names) == 1 else 1)
    sizes = [sigma if _is_disk(name) == _is_disk(names[-1]) else _default_size(name) for name in names]
    one_pass = len(config.head_names) // passes
    return [loss_for(name, size) for name, size in zip(names, sizes, strict=True) for _ in range(one_pass)]


def _is_disk(name: str) -> bool:
    return name == "disk"


def _default_size(name: str) -> float:
    return DISK_RADIUS if _is_disk(name) else HeatmapLoss().sigma
