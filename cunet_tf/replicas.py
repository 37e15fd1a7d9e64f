"""What the replicas of a network, each with its part of a batch, tell each other (TensorFlow's ``tf.distribute``).

Under JAX there is one program for all devices: its compiler does the same by itself.
"""

from cunet_tf.aliases import Tensor
from cunet_tf.backend import on_tensorflow


def count() -> int:
    """Replicas that train together here: 1 outside of a step that a strategy runs."""
    if not on_tensorflow():
        return 1
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    return 1 if context is None else context.num_replicas_in_sync


def gathered(row: Tensor) -> Tensor:
    """The ``[C]`` of every replica as ``[replicas, C]``, in their order and to the last bit; has no gradient.

    By a sum of rows that are zero but for one's own: every strategy has sums.
    """
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    replicas = context.num_replicas_in_sync
    own = tf.equal(tf.range(replicas), context.replica_id_in_sync_group)
    return summed(tf.where(own[:, None], row[None], tf.zeros([], row.dtype)))


def summed(tensor: Tensor) -> Tensor:
    """The sum of a tensor over the replicas; its gradient is the sum of theirs."""
    import tensorflow as tf

    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, tensor)


def whole_loss(loss: Tensor) -> Tensor:
    """A loss as Keras logs it: in a replica Keras divides losses by the number of replicas, so that they add up."""
    return loss * float(count()) if count() > 1 else loss
