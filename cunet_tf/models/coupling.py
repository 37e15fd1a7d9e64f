"""Order-K coupling (paper, sections 3.2, 3.3 and 4.2): which earlier features a U-Net reads."""

from collections import defaultdict, deque

from cunet_tf.aliases import Tensor


class CouplingQueues:
    """One ``deque(maxlen=K)`` of references for each block position, oldest first.

    Only references are kept, nothing is copied; the queues live as long as one build of the
    network and hold no state of any layer. With K = 0 every queue stays empty (a plain
    stack), with K = N-1 nothing is ever dropped (fully dense).

    Example:
        >>> queues = CouplingQueues(order=1)
        >>> queues.push("d0", "f of U-Net 0")
        >>> queues.push("d0", "f of U-Net 1")
        >>> queues.history("d0")
        ['f of U-Net 1']
    """

    def __init__(self, order: int):
        self._queues: defaultdict[str, deque] = defaultdict(lambda: deque(maxlen=order))

    def history(self, position: str) -> list[Tensor]:
        """Features of the previous c_i U-Nets at ``position``, oldest first."""
        return list(self._queues[position])

    def push(self, position: str, features: Tensor) -> None:
        """Hand ``features`` to the next K U-Nets; the oldest reference falls out."""
        self._queues[position].append(features)
