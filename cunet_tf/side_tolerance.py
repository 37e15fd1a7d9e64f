"""Labels whose left and right a teacher sees the other way round."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from cunet_tf.aliases import Tensor
from cunet_tf.losses import POINT, carried_maps, carries_maps
from cunet_tf.soft_decoder import peak_cells


@keras.saving.register_keras_serializable("cunet_tf")
class SideTolerantLoss(keras.losses.Loss):
    """The smaller loss of a label as it is and with left and right swapped, where a teacher contradicts its sides.

    Annotators mix up the sides of people seen from behind or upside down. Which reading holds is decided for a whole
    sample and by each head for itself; where :func:`contradicted` says no, or the targets carry no teacher's maps, as
    in validation, the label holds as it is.

    Args:
        loss: of either reading.
        permutation: of the C landmarks in a mirror image, see :attr:`cunet_tf.skeletons.Skeleton.flip_permutation`.
        tolerance: r, see :func:`contradicted`.

    ``y_true`` and ``y_pred`` as in :class:`cunet_tf.losses.HeatmapLoss`.
    """

    def __init__(
        self, loss: keras.losses.Loss, permutation: Sequence[int], tolerance: float = 0.5,
        name: str = "side_tolerant", **kwargs: object,
    ):  # fmt: skip
        super().__init__(name=name, **kwargs)
        self.loss, self.permutation, self.tolerance = loss, [int(index) for index in permutation], tolerance

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """The loss to the label or, where the teacher contradicts its sides, to the swapped one if that is smaller."""
        given = self.loss.call(y_true, y_pred)
        if not carries_maps(y_true):
            return given
        other = self.loss.call(swapped(y_true, self.permutation), y_pred)
        doubtful = contradicted(y_true, y_pred.shape[1], self.permutation, self.tolerance)
        return ops.where(doubtful, ops.minimum(given, other), given)

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, as Keras saves them."""
        own = {"loss": keras.losses.serialize(self.loss), "permutation": self.permutation, "tolerance": self.tolerance}
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "SideTolerantLoss":
        """Inverse of :meth:`get_config`."""
        return cls(**{**config, "loss": keras.losses.deserialize(config["loss"])})


def swapped(targets: Tensor, permutation: Sequence[int]) -> Tensor:
    """Targets ``[B, C, 3 + h * w]`` with left and right of the label swapped; the teacher's maps stay."""
    label = ops.take(targets[..., :POINT], ops.convert_to_tensor(permutation), axis=1)
    return ops.concatenate([label, targets[..., POINT:]], axis=-1)


def contradicted(targets: Tensor, side: int, permutation: Sequence[int], tolerance: float) -> Tensor:
    """Whether the swapped label lies nearer to the teacher's points than ``tolerance`` times the label as it is.

    Distances are in heat-map pixels, from a landmark to the maximum of the teacher's map, whose height (0 to 1) is the
    landmark's weight: what the teacher does not see has no say. Only landmarks with a partner count, and only where
    both have a label.

    Args:
        targets: ``[B, C, 3 + h * w]``, see :func:`cunet_tf.losses.with_maps`.
        side: h = w of the heat maps.
        permutation: of the C landmarks in a mirror image.
        tolerance: r, above 0 and at most 1.

    Returns:
        bool ``[B]``.
    """
    maps = carried_maps(targets, side)
    seen = ops.cast(ops.stack(peak_cells(maps), axis=-1), targets.dtype)
    other = swapped(targets, permutation)
    paired = ops.cast([own != partner for own, partner in enumerate(permutation)], targets.dtype)
    height = ops.clip(ops.max(maps, axis=(1, 2)), 0.0, 1.0)
    weights = paired * height * targets[..., 2] * other[..., 2]

    def distance(label: Tensor) -> Tensor:
        return ops.sum(weights * ops.norm(label[..., :2] - seen, axis=-1), axis=-1)

    return distance(other) < tolerance * distance(targets)
