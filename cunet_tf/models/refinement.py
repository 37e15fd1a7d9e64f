"""Iterative refinement (paper, section 3.4): the same convolutions a second time."""

from typing import TYPE_CHECKING, Any

import keras

from cunet_tf.models.conv_count import DENSE_CONVS
from cunet_tf.models.saved import LandmarkModel
from cunet_tf.quantize.seam import tensorflow

if TYPE_CHECKING:
    from cunet_tf.models.cunet import CoupledUNets

FIRST, LAST = "refine_first", "refine_last"  # taps: inputs of the first and of the last U-Net of pass 1


def refine(unets: "CoupledUNets", first: Any, last: Any) -> Any:
    """The modified input of the second pass: dense aggregation block.

    Args:
        unets: whose options the block shares.
        first: in_0, ``[B, H/4, W/4, m]``.
        last: in_(N-1) of the first pass, of the same shape.

    Returns:
        ``[B, H/4, W/4, m]``, from [first, last] and four times g new channels, each
        convolution reading all that was made before it.
    """
    config = unets.config
    parts = [keras.layers.Identity(name=FIRST)(first), keras.layers.Identity(name=LAST)(last)]
    for index in range(DENSE_CONVS):
        parts.append(unets.conv(f"refine{index}", config.refinement, 3, bn_sets=1)(parts))
    return unets.conv("refine_input", config.main_channels, bn_sets=1)(parts)


def second_pass(unets: "CoupledUNets", first: Any, last: Any) -> list[Any]:
    """Heat maps of the second pass, with batch-normalisation variables of its own."""
    heatmaps, _ = unets(refine(unets, first, last), bn_set=1)
    names = unets.config.head_names[len(heatmaps) :]
    return [keras.layers.Identity(name=name, dtype="float32")(maps) for name, maps in zip(names, heatmaps, strict=True)]


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
            keras.Model(image, self.outputs[:heads]),
            keras.Model(image, taps),
            keras.Model(taps, self.outputs[heads:]),
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
        self._loss_tracker.update_state(loss, sample_weight=tf.shape(images)[0])
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
            outputs = part(inputs, training=True)
            outputs = outputs if isinstance(outputs, list) else [outputs]
            terms = [loss(target, output) for loss, target, output in zip(losses, targets, outputs, strict=True)]
            total = self.optimizer.scale_loss(tf.add_n(terms))
        variables = part.trainable_variables
        gradients = tape.gradient(total, [variable.value for variable in variables])
        pairs = [(g, v) for g, v in zip(gradients, variables, strict=True) if g is not None]
        self.optimizer.apply([g for g, _ in pairs], [v for _, v in pairs])
        return outputs
