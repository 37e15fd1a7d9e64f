"""Boxes against their points, and values that stand for missing points."""

import numpy as np
import pytest

from cunet_tf.data.check_fit import corner_findings, fits
from cunet_tf.data.sample import Sample, Source
from cunet_tf.skeletons import Skeleton

THREE = Skeleton("three", ("left_eye", "right_eye", "nose"), ((0, 1),))


def sample(points, box=(20, 20, 80, 80), mask=(1, 1, 1), name="a"):
    return Sample(
        name, "x", np.array(points, np.float32), np.array(mask, np.float32), np.array(box, float), lambda: None
    )


def found(*samples):
    source = Source("folder", "all", THREE, list(samples))
    return [(finding.severity, finding.kind, finding.message) for finding in fits(source)]


GOOD = [[60, 40], [40, 40], [50, 50]]


def test_points_in_their_box_are_fine():
    assert found(sample(GOOD), sample([[15, 40], [85, 40], [50, 87]])) == []  # the crop is a quarter larger


def test_a_box_without_points_is_an_error():
    ((severity, kind, text),) = found(sample(GOOD, box=(80, 80, 99, 99)))
    assert (severity, kind) == ("error", "box without points") and "box of another object" in text


def test_x_y_width_height_read_as_corners_is_suspected_aloud():
    ((_, _, text),) = found(sample([[90, 95], [60, 61], [80, 82]], box=(50, 50, 55, 58)))
    assert "it looks like x, y, width, height, and x0, y0, x1, y1 are needed" in text


def test_a_point_beside_the_box_is_a_warning():
    ((severity, kind, text),) = found(sample([[60, 40], [40, 40], [150, 50]]))
    assert (severity, kind) == ("warning", "point outside the box") and text.startswith("1 of 3 points")
    assert found(sample([[60, 40], [40, 40], [150, 50]], mask=(1, 1, 0))) == []


@pytest.mark.parametrize("value", [(0, 0), (-1, -1)])
def test_stand_ins_are_named_and_counted(value):
    odd = [sample([[60, 40], [40, 41], value], box=(-2, -2, 60, 60), name=str(index)) for index in range(3)]
    ((severity, kind, text),) = found(sample(GOOD), *odd)
    assert (severity, kind) == ("warning", "stand-in for a missing point")
    assert text.startswith(f"nose is ({value[0]}, {value[1]}) in 3 of 4 samples")


def test_one_point_may_lie_in_the_corner_two_do_not():
    assert found(sample([[0, 0], [40, 40], [50, 50]], box=(0, 0, 50, 50))) == []
    assert len(found(sample([[0, 0], [0, 0], [50, 50]], box=(0, 0, 50, 50)))) == 2
    corner = sample([[99, 49], [99, 49], [50, 20]], box=(0, 0, 99, 49))
    (finding,) = corner_findings(corner, THREE, 100, 50)
    assert finding.message.startswith("2 points lie in the corner (99, 49)")
    assert not list(corner_findings(sample(GOOD), THREE, 100, 100))


def test_what_others_report_is_left_alone():
    assert found(sample([[1, 2]]), sample(GOOD, mask=(0, 0, 0)), sample(GOOD, box=(np.nan, 0, 1, 1))) == []
