"""Landmark sets: names, mirror pairs, edges to draw, groups to report."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cunet_tf.errors import CUNetError, did_you_mean


@dataclass(frozen=True)
class Skeleton:
    """A set of C landmarks; indices are 0-based.

    Attributes:
        name: short name, for example ``"face68"``.
        names: one name for each landmark.
        flip_pairs: (left, right) indices that a mirror image swaps; ``()`` where it swaps nothing, ``None`` where
            nobody has said: then mirrored pictures and the flip test, which would mix up left and right, are refused.
        edges: index pairs joined by a line when drawn.
        groups: group name -> landmark indices, for per-group figures.
        normalizers: name -> two index tuples; a distance between their centroids.
        scored: indices that count in the pooled figures; all of them when empty.

    Raises:
        CUNetError: an index is out of range, or the flip map is not an involution.
    """

    name: str
    names: tuple[str, ...]
    flip_pairs: tuple[tuple[int, int], ...] | None = None
    edges: tuple[tuple[int, int], ...] = ()
    groups: dict[str, tuple[int, ...]] = field(default_factory=dict)
    normalizers: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = field(default_factory=dict)
    scored: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        paired = [index for pair in self.mirror_pairs for index in pair]
        normalizing = [ids for pair in self.normalizers.values() for ids in pair]
        lists = [paired, self.scored, *self.edges, *self.groups.values(), *normalizing]
        used = [index for ids in lists for index in ids]
        if any(not 0 <= index < len(self.names) for index in used):
            raise CUNetError(f"skeleton {self.name}: an index is outside 0..{len(self.names) - 1}.")
        if len(set(paired)) != len(paired):
            raise CUNetError(f"skeleton {self.name}: flip_pairs name a landmark twice.")

    @property
    def size(self) -> int:
        """C, the number of landmarks."""
        return len(self.names)

    @property
    def mirror_pairs(self) -> tuple[tuple[int, int], ...]:
        """``flip_pairs``, empty where they are not known."""
        return self.flip_pairs or ()

    def require_pairs(self, what: str) -> None:
        """Refuse what needs a mirror image.

        Raises:
            CUNetError: nobody has said what a mirror image swaps.
        """
        if self.flip_pairs is None:
            raise CUNetError(
                f"{what}: the landmarks of {self.name} have no flip_pairs, and a mirror image would mix up left and "
                "right: give the pairs, or [] where no landmark has a partner."
            )

    def reordered(self, order: Sequence[int]) -> "Skeleton":
        """The same landmarks in another order: new landmark i is old landmark ``order[i]``."""
        place = {old: new for new, old in enumerate(order)}

        def moved(indices: Sequence[int]) -> tuple[Any, ...]:
            return tuple(place[index] for index in indices)

        return Skeleton(
            self.name, tuple(self.names[index] for index in order),
            None if self.flip_pairs is None else tuple(moved(pair) for pair in self.flip_pairs),
            tuple(moved(edge) for edge in self.edges), {name: moved(ids) for name, ids in self.groups.items()},
            {name: (moved(a), moved(b)) for name, (a, b) in self.normalizers.items()}, moved(self.scored),
        )  # fmt: skip

    @property
    def flip_permutation(self) -> np.ndarray:
        """``[C]`` ints: landmark i of the mirror image is landmark ``perm[i]`` of the picture."""
        perm = np.arange(self.size)
        for left, right in self.mirror_pairs:
            perm[left], perm[right] = right, left
        return perm

    def contour_neighbours(self, groups: Sequence[str]) -> tuple[tuple[int, int], ...]:
        """Of each landmark the two beside it on a contour, which is a group whose landmarks edges join to a chain.

        A landmark stands for itself where there is none: once at an open end, twice where it is on no contour.

        Args:
            groups: names of those that are contours.

        Raises:
            CUNetError: no such group, or one that edges join to no chain.
        """
        beside: list[list[int]] = [[] for _ in self.names]
        for name in groups:
            if name not in self.groups:
                known = did_you_mean(name, self.groups) if self.groups else "they have no groups at all."
                raise CUNetError(f"the landmarks of {self.name} have no group {name!r}: {known}")
            inside = set(self.groups[name])
            edges = [edge for edge in self.edges if inside.issuperset(edge)]
            for one, other in edges:
                beside[one].append(other)
                beside[other].append(one)
            if not edges or max(len(beside[index]) for index in inside) > 2:
                raise CUNetError(f"the landmarks of {self.name}: edges join group {name!r} to no chain: name another.")
        first_two = ([*ids, own, own][:2] for own, ids in enumerate(beside))
        return tuple((before, after) for before, after in first_two)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, as they stand in ``cunet_spec``; unknown ``flip_pairs`` are left out."""
        known = {} if self.flip_pairs is None else {"flip_pairs": [list(pair) for pair in self.flip_pairs]}
        return {
            "name": self.name,
            "names": list(self.names),
            **known,
            "edges": [list(edge) for edge in self.edges],
            "groups": {name: list(ids) for name, ids in self.groups.items()},
            "normalizers": {name: [list(a), list(b)] for name, (a, b) in self.normalizers.items()},
            "scored": list(self.scored),
        }

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "Skeleton":
        """Inverse of :meth:`to_dict`; only ``names`` is required."""
        pairs = fields.get("flip_pairs")
        return cls(
            name=fields.get("name", "custom"),
            names=tuple(fields["names"]),
            flip_pairs=None if pairs is None else tuple((int(a), int(b)) for a, b in pairs),
            edges=tuple((int(a), int(b)) for a, b in fields.get("edges", ())),
            groups={name: tuple(ids) for name, ids in fields.get("groups", {}).items()},
            normalizers={name: (tuple(a), tuple(b)) for name, (a, b) in fields.get("normalizers", {}).items()},
            scored=tuple(fields.get("scored", ())),
        )


def _chain(first: int, last: int, closed: bool = False) -> tuple[tuple[int, int], ...]:
    edges = tuple((i, i + 1) for i in range(first, last))
    return (*edges, (last, first)) if closed else edges


def _numbered(*parts: tuple[str, int]) -> tuple[str, ...]:
    return tuple(f"{name}_{i}" for name, count in parts for i in range(count))


_FACE_PARTS = (("jaw", 17), ("right_brow", 5), ("left_brow", 5), ("nose", 9),
               ("right_eye", 6), ("left_eye", 6), ("outer_lip", 12), ("inner_lip", 8))  # fmt: skip

FACE68 = Skeleton(
    name="face68",  # iBUG mark-up; right and left are the person's own
    names=_numbered(*_FACE_PARTS),
    flip_pairs=(
        *((i, 16 - i) for i in range(8)), *((17 + i, 26 - i) for i in range(5)), (31, 35), (32, 34),
        (36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46),
        (48, 54), (49, 53), (50, 52), (55, 59), (56, 58), (60, 64), (61, 63), (65, 67),
    ),
    edges=(
        *_chain(0, 16), *_chain(17, 21), *_chain(22, 26), *_chain(27, 30), *_chain(31, 35),
        *_chain(36, 41, True), *_chain(42, 47, True), *_chain(48, 59, True), *_chain(60, 67, True),
    ),
    groups={
        "jaw": tuple(range(17)), "brows": tuple(range(17, 27)), "nose": tuple(range(27, 36)),
        "eyes": tuple(range(36, 48)), "mouth": tuple(range(48, 68)),
    },
    normalizers={
        "interocular": ((36,), (45,)),
        "interpupil": (tuple(range(36, 42)), tuple(range(42, 48))),
    },
)  # fmt: skip

LSP14 = Skeleton(
    name="lsp14",  # person-centric
    names=("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle",
           "right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow",
           "left_wrist", "neck", "head_top"),
    flip_pairs=((0, 5), (1, 4), (2, 3), (6, 11), (7, 10), (8, 9)),
    edges=((0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (6, 7), (7, 8), (8, 9), (9, 10), (10, 11),
           (12, 13), (8, 12), (9, 12), (2, 8), (3, 9)),
    groups={"Head": (12, 13), "Sho": (8, 9), "Elb": (7, 10), "Wri": (6, 11),
            "Hip": (2, 3), "Knee": (1, 4), "Ank": (0, 5)},
    normalizers={"torso": ((9,), (2,))},
)  # fmt: skip

MPII16 = Skeleton(
    name="mpii16",  # person-centric
    names=("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle",
           "pelvis", "thorax", "upper_neck", "head_top", "right_wrist", "right_elbow",
           "right_shoulder", "left_shoulder", "left_elbow", "left_wrist"),
    flip_pairs=((0, 5), (1, 4), (2, 3), (10, 15), (11, 14), (12, 13)),
    edges=((0, 1), (1, 2), (2, 6), (6, 3), (3, 4), (4, 5), (6, 7), (7, 8), (8, 9),
           (10, 11), (11, 12), (12, 7), (7, 13), (13, 14), (14, 15)),
    groups={"Head": (8, 9), "Sho": (12, 13), "Elb": (11, 14), "Wri": (10, 15),
            "Hip": (2, 3), "Knee": (1, 4), "Ank": (0, 5)},
    normalizers={"torso": ((13,), (2,))},
    scored=(0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15),  # without pelvis and thorax
)  # fmt: skip

SKELETONS = {skeleton.name: skeleton for skeleton in (FACE68, LSP14, MPII16)}
