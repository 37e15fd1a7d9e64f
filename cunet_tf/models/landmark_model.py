"""Functional Keras models that carry the project's self-description."""

from collections.abc import Callable
from typing import Any

import keras

from cunet_tf.aliases import Tensor
from cunet_tf.compat.hooks import HookedModel
from cunet_tf.losses import carries_maps, with_maps
from cunet_tf.memory.strategy import PLAIN, Memory
from cunet_tf.spec import ModelSpec

CARRIED = "_cunet_spec"  # attribute of a symbolic tensor


@keras.saving.register_keras_serializable("cunet_tf")
class LandmarkModel(HookedModel):
    """Functional model with ``spec``, saved in its configuration as ``cunet_spec``.

    ``spec`` is ``None`` for a bare network; training sets it, and ``model.save`` keeps it. ``teacher`` gives heat maps
    ``[B, h, w, C]`` of pictures ``[B, H, W, 3]``, which the loss of a training step finds behind its targets.
    """

    updates_per_step = 1  # of the optimizer
    memory: Memory = PLAIN  # what training keeps for the backward pass, no part of a saved file
    teacher: Callable[[Tensor], Tensor] | None = (
        None  # no part of it either: no Keras object, which Keras would count in
    )

    def __init__(self, *args: Any, cunet_spec: dict[str, Any] | None = None, **kwargs: object):
        super().__init__(*args, **kwargs)
        outputs = keras.tree.flatten(args[1:2])  # of a clone they bear the description of the model they came from
        known = ModelSpec.from_dict(cunet_spec) if cunet_spec else None
        self.spec: ModelSpec | None = known or next((getattr(each, CARRIED, None) for each in outputs), None)

    def marked(self, outputs: Any) -> Any:
        """Symbolic outputs with the description, which a clone finds on them."""
        for each in keras.tree.flatten(outputs):
            if isinstance(each, keras.KerasTensor):
                setattr(each, CARRIED, self.spec)
        return outputs

    def call(self, inputs: Tensor, training: bool | None = None, mask: Tensor = None) -> list[Tensor]:
        """Heat maps ``[B, h, w, C]`` of all heads, a list even of a single one."""
        outputs = super().call(inputs, training, mask)
        outputs = outputs if isinstance(outputs, list) else [outputs]  # Keras unpacks a single one
        return self.memory.held_back(outputs) if training else outputs

    def compute_loss(
        self,
        x: Tensor = None,
        y: Tensor = None,
        y_pred: Tensor = None,
        sample_weight: Tensor = None,
        training: bool = True,
    ) -> Tensor:
        """As Keras does; in training a teacher's heat maps stand behind the targets."""
        return super().compute_loss(x, self.taught(x, y) if training else y, y_pred, sample_weight, training)

    def taught(self, images: Tensor, targets: Tensor) -> Tensor:
        """Targets ``[B, C, 3]`` of all heads with the teacher's heat maps behind them, where that was not done yet."""
        if self.teacher is None or carries_maps(keras.tree.flatten(targets)[0]):
            return targets
        maps = self.teacher(images)
        return keras.tree.map_structure(lambda each: with_maps(each, maps), targets)

    def get_metrics_result(self) -> dict[str, Any]:
        """As Keras does, but metrics of the last head bear their own names, whatever the number of heads.

        Where there are several, Keras puts the head's name in front (``unet1_head_nme``). Losses keep it.
        """
        prefix = f"{self.output_names[-1]}_"
        results = super().get_metrics_result()
        plain = {name: name if name.endswith("loss") else name.removeprefix(prefix) for name in results}
        return {plain[name]: value for name, value in results.items()}

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments, as Keras saves them."""
        config = super().get_config()
        if self.spec is not None:
            config["cunet_spec"] = self.spec.to_dict()
        return config
