"""Iterative refinement (paper, section 3.4): the same convolutions a second time."""

from typing import Any

import keras

from cunet_tf.models.cunet import CoupledUNets
from cunet_tf.models.saved import PACKAGE, LandmarkModel
from cunet_tf.quantize.seam import tensorflow

DENSE_CONVS = 4  # densely connected 3x3 convolutions of the aggregation block
FIRST, LAST = "refine_first", "refine_last"  # taps: inputs of the first and of the last U-Net of pass 1


def refine(unets: CoupledUNets, first: Any, last: Any) -> Any:
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


def second_pass(unets: CoupledUNets, first: Any, last: Any) -> list[Any]:
    """Heat maps of the second pass, with batch-normalisation variables of its own."""
    heatmaps, _ = unets(refine(unets, first, last), bn_set=1)
    names = unets.config.head_names[len(heatmaps) :]
    return [keras.layers.Identity(name=name, dtype="float32")(maps) for name, maps in zip(names, heatmaps, strict=True)]


@keras.saving.register_keras_serializable(PACKAGE)
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
        self._losses_of = (loss[:heads], loss[heads:])

    def train_step(self, data: Any) -> dict[str, Any]:
        tf = tensorflow("iterative refinement")
        images, targets, _ = keras.utils.unpack_x_y_sample_weight(data)
        half, heads = tf.shape(images)[0] // 2, len(self.outputs) // 2
        a = [target[:half] for target in targets[:heads]]
        b = [target[half:] for target in targets[heads:]]
        first, taps, second = self._parts()
        outputs = self._update(first, images[:half], a, self._losses_of[0])
        state = [tf.stop_gradient(value) for value in taps(images[half:], training=False)]
        outputs += self._update(second, state, b, self._losses_of[1])
        loss = self.compute_loss(images, a + b, outputs, training=True)
        self._loss_tracker.update_state(loss, sample_weight=tf.shape(images)[0])
        return self.compute_metrics(images, a + b, outputs)

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
