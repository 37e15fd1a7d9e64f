from hypothesis import given
from hypothesis import strategies as st

from cunet_tf.models.coupling import CouplingQueues


@given(st.integers(0, 6), st.integers(0, 12))
def test_history_is_the_last_k_oldest_first(order, pushes):
    queues = CouplingQueues(order)
    for index in range(pushes):
        assert queues.history("down0") == list(range(max(0, index - order), index))
        queues.push("down0", index)


def test_positions_do_not_mix_and_only_references_are_kept():
    queues = CouplingQueues(2)
    features = object()
    queues.push("up1", features)
    assert queues.history("up0") == []
    assert queues.history("up1")[0] is features
