"""A backward pass that waits for its gradient.

TensorFlow would run a recomputation that does not depend on the incoming gradient at once, in the
forward pass, and save nothing; XLA ignores control dependencies. So everything in a backward pass
reads a zero that is computed from the gradient.
"""

from cunet_tf.aliases import Tensor
from cunet_tf.backend import tensorflow


def zero_of(gradient: Tensor) -> Tensor:
    """A float32 zero that exists only once ``gradient`` does; NaN where its first entry is.

    No optimizer folds it: that ``min(|g|, 0)`` is 0 holds for numbers, not for NaN.
    """
    tf = tensorflow("memory")
    first = tf.reshape(gradient, [-1])[0]
    return tf.minimum(tf.abs(tf.cast(first, tf.float32)), 0.0)


def held_back(outputs: list[Tensor]) -> list[Tensor]:
    """The identity on a network's heat maps; no gradient passes before that of the last ones exists.

    The loss of an early head is known while later U-Nets still run: without this the backward
    pass of each early head would begin at once, and its gradient, a full map, wait for the rest.
    """
    tf = tensorflow("memory")

    @tf.custom_gradient
    def together(*maps: Tensor) -> Tensor:
        def backward(*gradients: Tensor) -> list[Tensor]:
            zero = zero_of(gradients[-1])
            return [g + tf.cast(zero, g.dtype) for g in gradients[:-1]] + [gradients[-1]]

        return [tf.identity(map_) for map_ in maps], backward

    return list(together(*outputs)) if len(outputs) > 1 else outputs
