"""Landmarks of data against those of a model: by name, not by number alone."""

import sys
from dataclasses import replace

from cunet_tf.data.sample import Source
from cunet_tf.errors import CUNetError
from cunet_tf.skeletons import Skeleton


def require_matching(source: Source, skeleton: Skeleton) -> None:
    """Refuse data whose landmarks are not the model's, one by one.

    Raises:
        CUNetError: another number of landmarks, other names, or another order.
    """
    have = source.skeleton
    if have.size != skeleton.size:
        raise CUNetError(
            f"the model finds {skeleton.size} landmarks ({skeleton.name}), {source.name} has {have.size} "
            f"({have.name}): choose a model or a preset for {have.name}, or other data."
        )
    wrong = next(
        (i for i, (ours, theirs) in enumerate(zip(have.names, skeleton.names, strict=True)) if ours != theirs), None
    )
    if wrong is not None:
        same = set(have.names) == set(skeleton.names)
        advice = "they have another order: cunet_tf.matched(source, skeleton) mends it" if same else "use matching data"
        ours, theirs = have.names[wrong], skeleton.names[wrong]
        raise CUNetError(f"landmark {wrong} of {source.name} is {ours!r}, the model's is {theirs!r}: {advice}.")


def matched(source: Source, skeleton: Skeleton) -> Source:
    """The source with its landmarks in the order of ``skeleton``, said on stderr; itself, where they are.

    Raises:
        CUNetError: another number of landmarks, or other names.
    """
    have = source.skeleton
    if have.names == skeleton.names or set(have.names) != set(skeleton.names):
        require_matching(source, skeleton)
        return source
    print(f"notice: the landmarks of {source.name} are put in the model's order, by name.", file=sys.stderr)
    order = [have.names.index(name) for name in skeleton.names]
    samples = [replace(sample, points=sample.points[order], mask=sample.mask[order]) for sample in source]
    return replace(source, skeleton=have.reordered(order), samples=samples)
