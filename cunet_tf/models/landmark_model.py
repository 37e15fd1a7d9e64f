"""Functional Keras models that carry the project's self-description, of one pass or two."""

from typing import Any

import keras

from cunet_tf.backend import tensorflow
from cunet_tf.compat import loss_tracker
from cunet_tf.memory.strategy import PLAIN, Memory
from cunet_tf.spec import ModelSpec

FIRST, LAST = "refine_first", "refine_last"  # taps: inputs of the first and of the last U-Net of pass 1


@keras.saving.register_keras_serializable("cunet_tf")
class LandmarkModel(keras.Model):
    """Functional model with ``spec``, saved in its configuration as ``cunet_spec``.

    ``spec`` is ``None`` for a bare network; training sets it, and ``model.save`` keeps it.
    """

    updates_per_step = 1  # of the optimizer
    memory: Memory = PLAIN  # what training keeps for the backward pass, no part of a saved file

    def __init__(self, *args: Any, cunet_spec: dict[str, Any] | None = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.spec: ModelSpec | None = ModelSpec.from_dict(cunet_spec) if cunet_spec else None

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> list[Any]:
        outputs = super().call(inputs, training, mask)
        outputs = outputs if isinstance(outputs, list) else [outputs]  # Keras unpacks a single one
        return self.memory.held_back(outputs) if training else outputs

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if self.spec is not None:
            config["cunet_spec"] = self.spec.to_dict()
        return config


@keras.saving.register_keras_serializable("cunet_tf")
class RefinedModel(LandmarkModel):
    """A CU-Net of two passes, trained by ``fit`` on two halves of each batch in turn.

    The first half goes through pass 1 and updates on its loss. Then the second half goes
    through both passes and updates on the loss of pass 2 only: pass 1 runs as in prediction
    (moving statistics) and passes no gradient on. So a step counts two updates of the
    optimizer. Outputs: heads of pass 1, then those of pass 2.
    """

    updates_per_step = 2

    def compile(self, optimizer: Any = "rmsprop", loss: Any = None, **options: Any) -> None:
        super().compile(optimizer, loss, **options)
        heads = len(self.outputs) // 2
        taps = [self.get_layer(name).output for name in (FIRST, LAST)]
        image = self.inputs[0]
        parts = (
            LandmarkModel(image, self.outputs[:heads]),
            keras.Model(image, taps),
            LandmarkModel(taps, self.outputs[heads:]),
        )
        self._parts = lambda: parts  # behind a function: Keras would count attributes as layers
        losses = loss if isinstance(loss, (list, tuple)) else [loss] * (2 * heads)
        self._losses_of = (list(losses[:heads]), list(losses[heads:]))

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """As Keras does for models that leave ``compile`` alone."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)

    def train_step(self, data: Any) -> dict[str, Any]:
        tf = tensorflow("iterative refinement")
        images, targets, _ = keras.utils.unpack_x_y_sample_weight(data)
        half, heads = tf.shape(images)[0] // 2, len(self.outputs) // 2
        a = [target[:half] for target in targets[:heads]]
        b = [target[half:] for target in targets[heads:]]
        outputs = self.step_first(images[:half], a) + self.step_second(images[half:], b)
        loss = self.compute_loss(images, a + b, outputs, training=True)
        loss_tracker(self).update_state(loss, sample_weight=tf.shape(images)[0])
        return self.compute_metrics(images, a + b, outputs)

    def step_first(self, images: Any, targets: list[Any]) -> list[Any]:
        """One update on the loss of pass 1; returns its heat maps.

        Args:
            images: ``[B, H, W, 3]``.
            targets: ``[B, C, 3]`` for each head of pass 1.
        """
        return self._update(self._parts()[0], images, targets, self._losses_of[0])

    def step_second(self, images: Any, targets: list[Any]) -> list[Any]:
        """One update on the loss of pass 2, through a pass 1 that stays as it is; returns its heat maps.

        Args:
            images: ``[B, H, W, 3]``.
            targets: ``[B, C, 3]`` for each head of pass 2.
        """
        tf = tensorflow("iterative refinement")
        _, taps, second = self._parts()
        state = [tf.stop_gradient(value) for value in taps(images, training=False)]
        return self._update(second, state, targets, self._losses_of[1])

    def _update(self, part: keras.Model, inputs: Any, targets: list[Any], losses: list[Any]) -> list[Any]:
        """One update on one pass; variables that the pass does not read stay as they are."""
        tf = tensorflow("iterative refinement")
        with tf.GradientTape() as tape:
            outputs = self.memory.held_back(part(inputs, training=True))
            terms = [loss(target, output) for loss, target, output in zip(losses, targets, outputs, strict=True)]
            total = self.optimizer.scale_loss(tf.add_n(terms))
        variables = part.trainable_variables
        gradients = tape.gradient(total, [variable.value for variable in variables])
        pairs = [(g, v) for g, v in zip(gradients, variables, strict=True) if g is not None]
        self.optimizer.apply([g for g, _ in pairs], [v for _, v in pairs])
        return outputs
