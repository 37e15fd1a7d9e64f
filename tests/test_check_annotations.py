"""Left and right, told from the points alone."""

import dataclasses

import numpy as np
import pytest

from cunet_tf.data.check import quick_check
from cunet_tf.data.sample import Source
from cunet_tf.skeletons import Skeleton
from tests.test_check import CORNERS, SQUARE, findings_of, person


def behind(points=CORNERS):
    return np.asarray(points)[[1, 0, 3, 2]]


def people(*shapes):
    return [person(str(index), points) for index, points in enumerate(shapes)]


def test_people_seen_from_behind_are_no_finding():
    assert findings_of(*people(*[CORNERS] * 14, *[behind()] * 6)) == []


def test_most_samples_the_wrong_way_round():
    assert findings_of(*people(*[CORNERS] * 4, *[behind()] * 16)) == [("warning", "left and right")]
    assert findings_of(*people(behind(), behind(), CORNERS)) == []  # too few to tell


def test_one_sample_the_wrong_way_round():
    found = quick_check(Source("mine", "all", SQUARE, people(*[CORNERS] * 19, behind())))
    assert [(finding.sample, finding.kind) for finding in found] == [("19", "left and right")]


def test_one_pair_against_the_others():
    skeleton = Skeleton("six", (*SQUARE.names, "right_c", "left_c"), ((0, 1), (3, 2), (4, 5)))
    crossed = np.array([*CORNERS, [40, 30], [10, 30]])
    found = quick_check(Source("mine", "all", skeleton, people(*[crossed] * 12)))
    assert ["right_c and left_c lie against the other pairs" in finding.message for finding in found] == [True]


@pytest.mark.parametrize("pairs", [((0, 1), (1, 2)), ((0, 4),), ((0, 2), (1, 3))], ids=["twice", "range", "one side"])
def test_flip_map(pairs):
    forged = dataclasses.replace(SQUARE)
    object.__setattr__(forged, "flip_pairs", pairs)  # the constructor refuses the first two
    found = quick_check(Source("mine", "all", forged, []))
    assert found and {(finding.severity, finding.kind) for finding in found} == {("error", "flip map")}
