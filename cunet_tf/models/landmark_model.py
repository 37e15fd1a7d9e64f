"""Functional Keras models that carry the project's self-description, of one pass or two."""

from collections.abc import Callable
from typing import Any

import keras

from cunet_tf.backend import tensorflow
from cunet_tf.compat import loss_tracker
from cunet_tf.errors import CUNetError
from cunet_tf.losses import carries_maps, with_maps
from cunet_tf.memory.strategy import PLAIN, Memory
from cunet_tf.spec import ModelSpec

CARRIED = "_cunet_spec"  # attribute of a symbolic tensor
FIRST, LAST = "refine_first", "refine_last"  # taps: inputs of the first and of the last U-Net of pass 1


@keras.saving.register_keras_serializable("cunet_tf")
class LandmarkModel(keras.Model):
    """Functional model with ``spec``, saved in its configuration as ``cunet_spec``.

    ``spec`` is ``None`` for a bare network; training sets it, and ``model.save`` keeps it. ``teacher`` gives heat maps
    ``[B, h, w, C]`` of pictures ``[B, H, W, 3]``, which the loss of a training step finds behind its targets.
    """

    updates_per_step = 1  # of the optimizer
    memory: Memory = PLAIN  # what training keeps for the backward pass, no part of a saved file
    teacher: Callable[[Any], Any] | None = None  # no part of it either: no Keras object, which Keras would count in

    def __init__(self, *args: Any, cunet_spec: dict[str, Any] | None = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        outputs = keras.tree.flatten(args[1:2])  # of a clone they bear the description of the model they came from
        known = ModelSpec.from_dict(cunet_spec) if cunet_spec else None
        self.spec: ModelSpec | None = known or next((getattr(each, CARRIED, None) for each in outputs), None)

    def _run_through_graph(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """As Keras does, which builds clones by it; their constructor gets nothing but tensors."""
        outputs = super()._run_through_graph(inputs, *args, **kwargs)
        for each in keras.tree.flatten(outputs):
            if isinstance(each, keras.KerasTensor):
                setattr(each, CARRIED, self.spec)
        return outputs

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> list[Any]:
        outputs = super().call(inputs, training, mask)
        outputs = outputs if isinstance(outputs, list) else [outputs]  # Keras unpacks a single one
        return self.memory.held_back(outputs) if training else outputs

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """As Keras does; in training a teacher's heat maps stand behind the targets."""
        return super().compute_loss(x, self.taught(x, y) if training else y, y_pred, sample_weight, training)

    def taught(self, images: Any, targets: Any) -> Any:
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
    optimizer. Of an odd number of pictures the second half has one more; a last batch of a
    single picture is both halves. Outputs: heads of pass 1, then those of pass 2.
    """

    updates_per_step = 2

    def compile(self, optimizer: Any = "rmsprop", loss: Any = None, **options: Any) -> None:
        """As Keras does; ``loss`` and ``loss_weights`` are one for all heads, or a list of one for each.

        Raises:
            CUNetError: the optimizer accumulates gradients, which here belong to two different losses.
        """
        weighted = options.get("loss_weights") is not None
        losses = self._each_head(loss, "loss")
        super().compile(optimizer, losses if weighted else loss, **options)
        if getattr(self.optimizer, "gradient_accumulation_steps", None):
            raise CUNetError("gradient_accumulation_steps: iterative refinement updates twice a step: leave it out.")
        # On all variables: each update sees those of its own pass only.
        self.optimizer.build(self.trainable_variables)
        heads = len(self.outputs) // 2
        taps = [self.get_layer(name).output for name in (FIRST, LAST)]
        image = self.inputs[0]
        parts = (
            LandmarkModel(image, self.outputs[:heads]),
            keras.Model(image, taps),
            LandmarkModel(taps, self.outputs[heads:]),
        )
        self._parts = lambda: parts  # behind a function: Keras would count attributes as layers
        shares = [
            1.0 if share is None else share for share in self._each_head(options.get("loss_weights"), "loss_weights")
        ]
        terms = list(zip(losses, shares, strict=True))
        self._losses_of = (terms[:heads], terms[heads:])

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """As Keras does for models that leave ``compile`` alone."""
        self.compile(**keras.saving.deserialize_keras_object(config))

    def train_step(self, data: Any) -> dict[str, Any]:
        tf = tensorflow("iterative refinement")
        images, targets, weights = keras.utils.unpack_x_y_sample_weight(data)
        targets = self.taught(images, targets)
        if images.shape[0] == 1:
            raise CUNetError("batch_size=1: iterative refinement trains on two halves of a batch: use 2 or more.")
        count, heads = tf.shape(images)[0], len(self.outputs) // 2
        first, second = slice(tf.maximum(count // 2, 1)), slice(count // 2, None)

        def halves(values: Any, name: str) -> list[Any]:
            each = enumerate(self._each_head(values, name))
            return [None if value is None else value[first if head < heads else second] for head, value in each]

        y, w = halves(list(targets), "y"), halves(weights, "sample_weight")
        outputs = self.step_first(images[first], y[:heads], w[:heads])
        outputs += self.step_second(images[second], y[heads:], w[heads:])
        given = None if weights is None else w
        loss = self.compute_loss(images, y, outputs, given, training=True)
        loss_tracker(self).update_state(loss, sample_weight=count)
        return self.compute_metrics(images, y, outputs, given)

    def step_first(self, images: Any, targets: list[Any], weights: list[Any] | None = None) -> list[Any]:
        """One update on the loss of pass 1; returns its heat maps.

        Args:
            images: ``[B, H, W, 3]``.
            targets: ``[B, C, 3]`` for each head of pass 1.
            weights: ``[B]`` or ``None`` for each of these heads.
        """
        return self._update(self._parts()[0], images, targets, weights, self._losses_of[0])

    def step_second(self, images: Any, targets: list[Any], weights: list[Any] | None = None) -> list[Any]:
        """One update on the loss of pass 2, through a pass 1 that stays as it is; returns its heat maps.

        Args:
            images: ``[B, H, W, 3]``.
            targets: ``[B, C, 3]`` for each head of pass 2.
            weights: ``[B]`` or ``None`` for each of these heads.
        """
        tf = tensorflow("iterative refinement")
        _, taps, second = self._parts()
        state = [tf.stop_gradient(value) for value in taps(images, training=False)]
        return self._update(second, state, targets, weights, self._losses_of[1])

    def _update(
        self, part: keras.Model, inputs: Any, targets: list[Any], weights: list[Any] | None, losses: list[Any]
    ) -> list[Any]:
        """One update on one pass; variables that the pass does not read stay as they are."""
        tf = tensorflow("iterative refinement")
        weights = weights or [None] * len(targets)
        with tf.GradientTape() as tape:
            outputs = self.memory.held_back(part(inputs, training=True))
            terms = [
                share * loss(target, output, sample_weight=weight)
                for (loss, share), target, output, weight in zip(losses, targets, outputs, weights, strict=True)
            ]
            total = self.optimizer.scale_loss(tf.add_n(terms))
        variables = part.trainable_variables
        gradients = tape.gradient(total, [variable.value for variable in variables])
        pairs = [(g, v) for g, v in zip(gradients, variables, strict=True) if g is not None]
        self.optimizer.apply([g for g, _ in pairs], [v for _, v in pairs])
        return outputs

    def _each_head(self, values: Any, name: str) -> list[Any]:
        """``values`` for each head: a list of so many, or one for all."""
        heads = len(self.outputs)
        if not isinstance(values, (list, tuple)):
            return [values] * heads
        if len(values) != heads:
            raise CUNetError(f"{name} has {len(values)} entries: give one for each of the {heads} heads.")
        return list(values)
