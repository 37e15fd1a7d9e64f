"""Which side of the person each landmark is on, for drawing."""

from collections import defaultdict

from cunet_tf.skeletons import Skeleton

RIGHT_LEFT, FIRST_SECOND = ("right", "left"), ("first", "second")


def sides_of(skeleton: Skeleton) -> tuple[str, ...]:
    """The side of each landmark: ``right`` or ``left``, the person's own, or ``middle`` without a flip partner.

    A mirror image does not care in which order a pair is written, so the order alone does not tell the side. Names
    do; a pair without such names is on the side that its lines lead to, else it goes the way of most named ones.
    Where no name tells, sides are ``first`` and ``second``, of the first pair that the lines reach.
    """
    told = {pair: _first_is_right(*(skeleton.names[index] for index in pair)) for pair in skeleton.mirror_pairs}
    named = {pair: says for pair, says in told.items() if says is not None}
    usual = 2 * sum(named.values()) >= len(named)
    words = RIGHT_LEFT if named else FIRST_SECOND
    side = {index: (says == (place == 0)) for pair, says in named.items() for place, index in enumerate(pair)}
    joined = defaultdict(set)
    for one, other in skeleton.edges:
        joined[one].add(other)
        joined[other].add(one)
    waiting = [pair for pair in skeleton.mirror_pairs if pair not in named]
    while waiting:
        votes = {pair: _vote(pair, joined, side) for pair in waiting}
        pair = next((pair for pair in waiting if votes[pair]), waiting[0])
        says = votes[pair] > 0 if votes[pair] else usual
        side |= {pair[0]: says, pair[1]: not says}
        waiting.remove(pair)
    return tuple("middle" if index not in side else words[0 if side[index] else 1] for index in range(skeleton.size))


def _first_is_right(first: str, second: str) -> bool | None:
    """What the names of a pair say; ``None`` where they do not tell."""
    first, second = first.lower(), second.lower()
    if "right" in first or "left" in second:
        return True
    return False if "left" in first or "right" in second else None


def _vote(pair: tuple[int, int], joined: dict[int, set[int]], side: dict[int, bool]) -> int:
    """Positive where lines join the first of a pair with known points of the right, or the second with the left."""
    return sum(
        (1 if side[near] else -1) * sign
        for index, sign in zip(pair, (1, -1), strict=True)
        for near in joined.get(index, ())
        if near in side
    )
