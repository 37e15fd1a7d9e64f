"""How deep a network, and how large a batch, a memory budget holds (paper, Fig. 10)."""

from collections.abc import Callable, Sequence
from typing import Any

from cunet_tf.config import CUNetConfig
from cunet_tf.memory.names import MemoryConfig

DEPTHS, BATCHES = (2, 3), (1, 2)  # the measured points; the first U-Net has no input adapter and no history


def needed_bytes(row: dict[str, Any]) -> int:
    """What training takes on a device: network, optimizer, and the peak over the idle process."""
    return row["variable_bytes"] + row["peak_over_idle"]


def largest(budget: float, points: Sequence[tuple[int, float]]) -> int:
    """The largest whole number whose need, on the line through two measured points, stays within the budget.

    Args:
        budget: bytes.
        points: two of (number, bytes needed), at different numbers.

    Returns:
        At least 0.

    Example:
        >>> largest(100.0, ((1, 20.0), (2, 30.0)))
        9
    """
    (first, low), (second, high) = points
    slope = (high - low) / (second - first)
    if slope <= 0:
        return 0 if low > budget else second
    return max(0, int((budget - low) // slope) + first)


def fits(
    config: CUNetConfig, memory: MemoryConfig, batch_size: int, budget: float, measure: Callable[..., dict[str, Any]]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Deepest network at a batch size, and largest batch of ``config``, within a budget.

    Both come from a line through two measured points (2 and 3 U-Nets; 1 and 2 pictures), as
    networks near the budget may not fit into the machine that measures.

    Args:
        config: the network; for the depth, its number of U-Nets varies.
        memory: see :class:`~cunet_tf.memory.names.MemoryConfig`.
        batch_size: for the depth.
        budget: bytes.
        measure: :func:`cunet_tf.trainers.study.memory.process.measure` with its other arguments bound: called
            with a configuration, a mode and a batch size.

    Returns:
        ``memory, batch_size, deepest, stacks, largest_batch`` and the bytes needed at the four
        points, and the measured rows.
    """
    # All U-Nets supervised and the same order, so that the networks differ in depth alone.
    depths = [measure(_deep(config, n), memory, batch_size) for n in DEPTHS]
    passes = 2 if config.refinement else 1
    batches = [measure(config, memory, size * passes) for size in BATCHES]
    by_depth, by_batch = ([needed_bytes(row) for row in rows] for rows in (depths, batches))
    found = {
        "memory": str(memory), "batch_size": batch_size,
        "deepest": largest(budget, tuple(zip(DEPTHS, by_depth, strict=True))),
        "stacks": config.stacks,
        "largest_batch": passes * largest(budget, tuple(zip(BATCHES, by_batch, strict=True))),
        **{f"bytes_of_{n}_unets": need for n, need in zip(DEPTHS, by_depth, strict=True)},
        **{f"bytes_of_{n * passes}_pictures": need for n, need in zip(BATCHES, by_batch, strict=True)},
    }  # fmt: skip
    return found, [*depths, *batches]


def _deep(config: CUNetConfig, stacks: int) -> CUNetConfig:
    return config.replace(stacks=stacks, supervisions=None)
