"""What training keeps for the backward pass (paper, section 4.3 and Fig. 6).

From the ground up: :mod:`~cunet_tf.memory.waiting` (a backward pass that waits),
:mod:`~cunet_tf.memory.storage` (values in few bits), :mod:`~cunet_tf.memory.remat` (recomputed
functions), :mod:`~cunet_tf.memory.strategy` (the object that layers hold).
"""
