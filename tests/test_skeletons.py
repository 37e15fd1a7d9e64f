import dataclasses
import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cunet_tf.errors import CUNetError
from cunet_tf.skeletons import FACE68, LSP14, MPII16, Skeleton

# The mirror pairs as published for each mark-up, 0-based.
PAIRS = {
    "face68": (
        "(0,16)(1,15)(2,14)(3,13)(4,12)(5,11)(6,10)(7,9)(17,26)(18,25)(19,24)(20,23)(21,22)(31,35)(32,34)"
        "(36,45)(37,44)(38,43)(39,42)(40,47)(41,46)(48,54)(49,53)(50,52)(55,59)(56,58)(60,64)(61,63)(65,67)"
    ),
    "mpii16": "(0,5)(1,4)(2,3)(10,15)(11,14)(12,13)",
    "lsp14": "(0,5)(1,4)(2,3)(6,11)(7,10)(8,9)",
}
FIXED = {
    "face68": [8, 27, 28, 29, 30, 33, 51, 57, 62, 66],
    "mpii16": [6, 7, 8, 9],
    "lsp14": [12, 13],
}
SEVEN_GROUPS = ["Head", "Sho", "Elb", "Wri", "Hip", "Knee", "Ank"]
TRIANGLE = Skeleton(name="triangle", names=("right", "left", "top"))

every_skeleton = pytest.mark.parametrize("skeleton", (FACE68, LSP14, MPII16), ids=lambda s: s.name)


@every_skeleton
def test_flip_permutation_is_an_involution(skeleton):
    perm = skeleton.flip_permutation
    assert sorted(perm) == list(range(skeleton.size))
    assert (perm[perm] == np.arange(skeleton.size)).all()


@every_skeleton
def test_flip_pairs_are_the_published_ones(skeleton):
    published = {(int(a), int(b)) for a, b in re.findall(r"\((\d+),(\d+)\)", PAIRS[skeleton.name])}
    assert set(skeleton.flip_pairs) == published
    unmoved = np.flatnonzero(skeleton.flip_permutation == np.arange(skeleton.size))
    assert unmoved.tolist() == FIXED[skeleton.name]


@pytest.mark.parametrize("skeleton", [LSP14, MPII16], ids=lambda skeleton: skeleton.name)
def test_flip_swaps_the_sides_in_the_names(skeleton):
    swap = {"right": "left", "left": "right"}
    for name, partner in zip(skeleton.names, skeleton.flip_permutation, strict=True):
        side, _, part = name.partition("_")
        expected = f"{swap[side]}_{part}" if side in swap else name
        assert skeleton.names[partner] == expected


def test_face_flip_stays_inside_mirrored_parts():
    partner = {"right_brow": "left_brow", "left_brow": "right_brow", "right_eye": "left_eye", "left_eye": "right_eye"}
    for name, index in zip(FACE68.names, FACE68.flip_permutation, strict=True):
        part = name.rpartition("_")[0]
        assert FACE68.names[index].rpartition("_")[0] == partner.get(part, part)


def test_joint_orders():
    assert LSP14.names == (
        "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "right_wrist",
        "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist", "neck", "head_top",
    )  # fmt: skip
    assert MPII16.names == (
        "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "pelvis", "thorax",
        "upper_neck", "head_top", "right_wrist", "right_elbow", "right_shoulder", "left_shoulder",
        "left_elbow", "left_wrist",
    )  # fmt: skip


def test_face_parts_are_where_the_markup_has_them():
    first = {"jaw": 0, "right_brow": 17, "left_brow": 22, "nose": 27, "right_eye": 36, "left_eye": 42,
             "outer_lip": 48, "inner_lip": 60}  # fmt: skip
    assert {part: FACE68.names.index(f"{part}_0") for part in first} == first
    assert sorted(index for ids in FACE68.groups.values() for index in ids) == list(range(68))


@every_skeleton
def test_names_are_unique_and_groups_do_not_overlap(skeleton):
    grouped = [index for ids in skeleton.groups.values() for index in ids]
    assert len(set(skeleton.names)) == skeleton.size
    assert len(set(grouped)) == len(grouped)


def test_normalizers():
    assert FACE68.normalizers["interocular"] == ((36,), (45,))
    assert FACE68.normalizers["interpupil"] == (tuple(range(36, 42)), tuple(range(42, 48)))
    assert LSP14.normalizers["torso"] == ((9,), (2,))
    left, right = MPII16.normalizers["torso"]
    assert [MPII16.names[index] for index in (*left, *right)] == ["left_shoulder", "right_hip"]


def test_pooled_figures_leave_out_pelvis_and_thorax():
    left_out = set(range(16)) - set(MPII16.scored)
    assert {MPII16.names[index] for index in left_out} == {"pelvis", "thorax"}
    assert list(MPII16.groups) == list(LSP14.groups) == SEVEN_GROUPS


@pytest.mark.parametrize(
    "fields",
    [
        {"flip_pairs": ((0, 3),)},
        {"flip_pairs": ((-1, 0),)},
        {"edges": ((1, 3),)},
        {"groups": {"all": (0, 3)}},
        {"normalizers": {"width": ((0,), (3,))}},
        {"scored": (0, 1, 3)},
    ],
    ids=str,
)
def test_an_index_out_of_range_is_refused(fields):
    with pytest.raises(CUNetError, match=r"triangle.*outside 0\.\.2"):
        dataclasses.replace(TRIANGLE, **fields)


@pytest.mark.parametrize("pairs", [((0, 1), (1, 2)), ((0, 1), (1, 0)), ((2, 2),)])
def test_flip_pairs_that_are_no_involution_are_refused(pairs):
    with pytest.raises(CUNetError, match="triangle.*twice"):
        dataclasses.replace(TRIANGLE, flip_pairs=pairs)


@every_skeleton
def test_dict_round_trip_through_json(skeleton):
    assert Skeleton.from_dict(json.loads(json.dumps(skeleton.to_dict()))) == skeleton


def test_from_dict_needs_only_names():
    skeleton = Skeleton.from_dict({"names": ["a", "b"]})
    assert (skeleton.size, skeleton.name, skeleton.edges, skeleton.scored) == (2, "custom", (), ())
    assert skeleton.flip_permutation.tolist() == [0, 1]


@st.composite
def skeletons(draw):
    size = draw(st.integers(1, 12))
    ids = st.integers(0, size - 1)
    shuffled = draw(st.permutations(range(size)))
    pairs = draw(st.integers(0, size // 2))
    some = st.lists(ids, min_size=1, max_size=4).map(tuple)
    return Skeleton(
        name=draw(st.text(max_size=5)),
        names=tuple(draw(st.lists(st.text(max_size=5), min_size=size, max_size=size))),
        flip_pairs=tuple((shuffled[2 * i], shuffled[2 * i + 1]) for i in range(pairs)),
        edges=tuple(draw(st.lists(st.tuples(ids, ids), max_size=5))),
        groups=draw(st.dictionaries(st.text(max_size=5), some, max_size=3)),
        normalizers=draw(st.dictionaries(st.text(max_size=5), st.tuples(some, some), max_size=3)),
        scored=tuple(draw(st.lists(ids, max_size=4))),
    )


@settings(deadline=None, max_examples=40)
@given(skeletons())
def test_any_skeleton_round_trips_and_flips_back(skeleton):
    assert Skeleton.from_dict(json.loads(json.dumps(skeleton.to_dict()))) == skeleton
    perm = skeleton.flip_permutation
    assert (perm[perm] == np.arange(skeleton.size)).all()
    assert (perm != np.arange(skeleton.size)).sum() == 2 * len(skeleton.flip_pairs)


def test_neighbours_on_the_jaw_and_on_closed_contours():
    beside = FACE68.contour_neighbours(["jaw", "mouth"])
    assert beside[0] == (1, 0) and beside[8] == (7, 9) and beside[16] == (15, 16)
    assert beside[48] == (49, 59) and beside[60] == (61, 67)  # both lips are closed
    assert all(beside[index] == (index, index) for index in range(17, 48))


def test_brows_are_two_chains():
    beside = FACE68.contour_neighbours(["brows"])
    assert beside[21] == (20, 21) and beside[22] == (23, 22)


def test_a_mirror_image_has_the_same_neighbours():
    beside, swap = FACE68.contour_neighbours(["jaw", "eyes"]), FACE68.flip_permutation
    for own, pair in enumerate(beside):
        assert {swap[index] for index in pair} == set(beside[swap[own]])


@pytest.mark.parametrize(
    "skeleton, group, words",
    [
        (FACE68, "jaws", "Did you mean 'jaw'?"),
        (Skeleton("mine", ("a", "b"), edges=((0, 1),)), "jaw", "have no group 'jaw': they have no groups at all"),
        (Skeleton("mine", ("a", "b"), groups={"all": (0, 1)}), "all", "edges join group 'all' to no chain"),
        (Skeleton("star", ("a", "b", "c", "d"), edges=((0, 1), (0, 2), (0, 3)), groups={"all": (0, 1, 2, 3)}), "all",
         "to no chain"),
    ],
)  # fmt: skip
def test_what_is_no_contour_is_refused(skeleton, group, words):
    with pytest.raises(CUNetError, match=re.escape(words)):
        skeleton.contour_neighbours([group])
