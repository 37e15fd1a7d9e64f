"""A network of two passes (iterative refinement, paper, section 3.4), and how it trains."""

from typing import Any

import keras
from keras import ops

from cunet_tf.aliases import Tensor
from cunet_tf.backend import tensorflow
from cunet_tf.compat import loss_tracker
from cunet_tf.errors import CUNetError
from cunet_tf.models.landmark_model import LandmarkModel
from cunet_tf.models.stateless_step import stateless_step
from cunet_tf.replicas import whole_loss

FIRST, LAST = "refine_first", "refine_last"  # taps: inputs of the first and of the last U-Net of pass 1


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

    def compile(
        self, optimizer: str | keras.optimizers.Optimizer = "rmsprop", loss: object = None, **options: Any
    ) -> None:
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

    def train_step(self, *arguments: Any) -> Tensor:
        """As Keras calls it: with the data, under JAX with the state of all variables before them."""
        *state, data = arguments
        if state:
            return stateless_step(self, state[0], data)
        images, y, w, given = self.halved(data)
        outputs = self.step_first(images[0], *(each[: len(each) // 2] for each in (y, w)))
        outputs += self.step_second(images[1], *(each[len(each) // 2 :] for each in (y, w)))
        return self.logged(data[0], y, outputs, given)

    def halved(self, data: tuple[Tensor, ...]) -> tuple[list[Tensor], list[Tensor], list[Tensor], list[Tensor] | None]:
        """Pictures of each pass; targets and weights of each head; these weights, ``None`` where none were given.

        Raises:
            CUNetError: a batch of one picture where the batch has a fixed size.
        """
        images, targets, weights = keras.utils.unpack_x_y_sample_weight(data)
        targets = self.taught(images, targets)
        if images.shape[0] == 1:
            raise CUNetError("batch_size=1: iterative refinement trains on two halves of a batch: use 2 or more.")
        count, heads = ops.shape(images)[0], len(self.outputs) // 2
        most = max if isinstance(count, int) else ops.maximum
        parts = slice(most(count // 2, 1)), slice(count // 2, None)

        def halves(values: object, name: str) -> list[Tensor]:
            each = enumerate(self._each_head(values, name))
            return [None if value is None else value[parts[head >= heads]] for head, value in each]

        w = halves(weights, "sample_weight")
        return [images[part] for part in parts], halves(list(targets), "y"), w, None if weights is None else w

    def logged(
        self, images: Tensor, y: list[Tensor], outputs: list[Tensor], weights: list[Tensor] | None
    ) -> dict[str, Any]:
        """Loss and metrics of a step, as Keras shows them."""
        loss = self.compute_loss(images, y, outputs, weights, training=True)
        loss_tracker(self).update_state(whole_loss(loss), sample_weight=ops.shape(images)[0])
        return self.compute_metrics(images, y, outputs, weights)

    def step_first(self, images: Tensor, targets: list[Tensor], weights: list[Tensor] | None = None) -> list[Tensor]:
        """One update on the loss of pass 1; returns its heat maps.

        Args:
            images: ``[B, H, W, 3]``.
            targets: ``[B, C, 3]`` for each head of pass 1.
            weights: ``[B]`` or ``None`` for each of these heads.
        """
        return self._update(0, images, targets, weights)

    def step_second(self, images: Tensor, targets: list[Tensor], weights: list[Tensor] | None = None) -> list[Tensor]:
        """One update on the loss of pass 2, through a pass 1 that stays as it is; returns its heat maps.

        Args:
            images: ``[B, H, W, 3]``.
            targets: ``[B, C, 3]`` for each head of pass 2.
            weights: ``[B]`` or ``None`` for each of these heads.
        """
        return self._update(1, self.tapped(images), targets, weights)

    def tapped(self, images: Tensor) -> list[Tensor]:
        """What pass 2 starts from, without a gradient."""
        return [ops.stop_gradient(value) for value in self._parts()[1](images, training=False)]

    def pass_of(self, index: int) -> keras.Model:
        """Pass 1 (0) or pass 2 (1) as a model of its own, with the same layers."""
        return self._parts()[2 * index]

    def loss_of_pass(
        self, index: int, targets: list[Tensor], outputs: list[Tensor], weights: list[Tensor] | None
    ) -> Tensor:
        """The sum of a pass' losses, each with its share."""
        rows = zip(self._losses_of[index], targets, outputs, weights or [None] * len(targets), strict=True)
        return sum(share * loss(target, output, sample_weight=weight) for (loss, share), target, output, weight in rows)

    def _update(self, index: int, inputs: Tensor, targets: list[Tensor], weights: list[Tensor] | None) -> list[Tensor]:
        """One update on one pass; variables that the pass does not read stay as they are."""
        tf, part = tensorflow("iterative refinement"), self.pass_of(index)
        with tf.GradientTape() as tape:
            outputs = self.memory.held_back(part(inputs, training=True))
            total = self.optimizer.scale_loss(self.loss_of_pass(index, targets, outputs, weights))
        variables = part.trainable_variables
        gradients = tape.gradient(total, [variable.value for variable in variables])
        pairs = [(g, v) for g, v in zip(gradients, variables, strict=True) if g is not None]
        self.optimizer.apply([g for g, _ in pairs], [v for _, v in pairs])
        return outputs

    def _each_head(self, values: object, name: str) -> list[Tensor]:
        """``values`` for each head: a list of so many, or one for all."""
        heads = len(self.outputs)
        if not isinstance(values, (list, tuple)):
            return [values] * heads
        if len(values) != heads:
            raise CUNetError(f"{name} has {len(values)} entries: give one for each of the {heads} heads.")
        return list(values)
