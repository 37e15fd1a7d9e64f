"""Labels whose sides a teacher contradicts."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cunet_tf.codec import GaussianCodec, ReferenceCodec
from cunet_tf.errors import CUNetError
from cunet_tf.heatmaps import gaussian_maps
from cunet_tf.losses import HeatmapLoss, with_maps
from cunet_tf.side_tolerance import SideTolerantLoss, contradicted, swapped
from cunet_tf.skeletons import LSP14, Skeleton
from cunet_tf.trainers.supervision import partners

SIDE, PERMUTATION = 16, [1, 0, 3, 2, 4]  # two pairs and one landmark in the middle
RIGHT = [[2.0, 3.0], [10.0, 3.0], [3.0, 9.0], [12.0, 9.0], [7.0, 13.0]]
INNER = HeatmapLoss(1.2, foreground=5.0, teacher=0.5)


def label(points=RIGHT, mask=(1, 1, 1, 1, 1)):
    return np.concatenate([points, np.array(mask)[:, None]], axis=1).astype("float32")[None]


CROSSED = label(np.array(RIGHT)[PERMUTATION])


def maps(points=RIGHT, heights=(1, 1, 1, 1, 1)):
    return np.asarray(gaussian_maps(label(points), 1.2, SIDE)) * np.array(heights, "float32")


def taught(targets, teacher):
    return np.asarray(with_maps(targets, teacher))


def in_doubt(targets, teacher, tolerance=0.5):
    [answer] = np.asarray(contradicted(taught(targets, teacher), SIDE, PERMUTATION, tolerance))
    return bool(answer)


def test_crossed_sides_are_found_and_right_ones_are_not():
    assert in_doubt(CROSSED, maps()) and not in_doubt(label(), maps())
    assert in_doubt(label(), maps(np.array(RIGHT)[PERMUTATION]))


@pytest.mark.parametrize("tolerance, expected", [(0.34, True), (0.33, False)])
def test_the_tolerance_is_a_share_of_the_labels_own_distance(tolerance, expected):
    """One pair 8 pixels apart; the teacher sees both 2 pixels nearer to the middle: 2 and 6 pixels, a third."""
    seen = np.array(RIGHT)
    seen[0, 0], seen[1, 0] = 4.0, 8.0
    crossed = label(np.array(RIGHT)[PERMUTATION], mask=(1, 1, 0, 0, 0))
    assert in_doubt(crossed, maps(seen), tolerance) is expected


def test_landmarks_without_a_partner_or_a_partners_label_have_no_say():
    away = np.array(RIGHT)
    away[4] = [0.0, 0.0]
    assert in_doubt(label(away[PERMUTATION]), maps())
    assert not in_doubt(label(np.array(RIGHT)[PERMUTATION], mask=(1, 0, 0, 1, 1)), maps())


def test_what_the_teacher_does_not_see_has_no_say():
    """One pair crossed, one not and further apart; the teacher's heights decide which of them counts."""
    half = np.array(RIGHT)[[1, 0, 2, 3, 4]]
    assert not in_doubt(label(half), maps())
    assert in_doubt(label(half), maps(heights=(1, 1, 0.01, 0.01, 1)))
    assert not in_doubt(CROSSED, np.zeros((1, SIDE, SIDE, 5), "float32"))


def test_the_smaller_loss_counts_only_where_the_teacher_contradicts():
    loss = SideTolerantLoss(INNER, PERMUTATION, 0.5)
    answers = {}
    for name, targets in (("crossed", CROSSED), ("right", label())):
        targets = taught(targets, maps())
        either = [float(INNER.call(each, maps())[0]) for each in (targets, swapped(targets, PERMUTATION))]
        answers[name] = float(loss.call(targets, maps())[0]), either
    value, (given_one, other) = answers["crossed"]
    assert value == pytest.approx(other) and other < 0.01 * given_one
    student = maps(np.array(RIGHT)[PERMUTATION])  # sees the swapped sides, but the teacher does not
    targets = taught(label(), maps())
    assert float(loss.call(targets, student)[0]) == pytest.approx(float(INNER.call(targets, student)[0]))


def test_a_batch_is_decided_sample_by_sample_and_the_smaller_one_has_the_gradient():
    loss = SideTolerantLoss(INNER, PERMUTATION, 0.5)
    targets = taught(np.concatenate([label(), CROSSED]), np.concatenate([maps(), maps()]))
    values = np.asarray(loss.call(targets, np.concatenate([maps(), maps()])))
    np.testing.assert_allclose(values, values[0], rtol=1e-5)
    kept = np.asarray(INNER.call(targets, np.concatenate([maps(), maps()])))
    assert kept[1] > 100 * values[1]


def test_without_a_teachers_maps_the_label_holds():
    loss = SideTolerantLoss(INNER, PERMUTATION, 1.0)
    assert float(loss.call(CROSSED, maps())[0]) == float(INNER.call(CROSSED, maps())[0])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31))
def test_swapping_twice_changes_nothing_and_only_one_reading_can_contradict(seed):
    rng = np.random.default_rng(seed)
    targets = taught(label(rng.random((5, 2)) * 15, rng.random(5) < 0.8), rng.random((1, SIDE, SIDE, 5), "float32"))
    other = swapped(targets, PERMUTATION)
    np.testing.assert_array_equal(swapped(other, PERMUTATION), targets)
    both = [bool(contradicted(each, SIDE, PERMUTATION, 1.0)[0]) for each in (targets, other)]
    assert not all(both)


@pytest.mark.parametrize("codec", [GaussianCodec, ReferenceCodec])
def test_codecs_wrap_their_loss_and_it_serialises(codec):
    plain = codec(1.2, teacher=0.5)
    tolerant = codec(1.2, teacher=0.5, tolerance=0.5, permutation=tuple(PERMUTATION))
    assert not isinstance(plain.loss(), SideTolerantLoss) and tolerant.terms["side_tolerance"] == 0.5
    again = keras.losses.deserialize(keras.losses.serialize(tolerant.loss()))
    assert (again.permutation, again.tolerance) == (PERMUTATION, 0.5) and again.loss.teacher == 0.5
    targets = taught(CROSSED, maps())
    assert float(again.call(targets, maps())[0]) < 0.1 * float(plain.loss().call(targets, maps())[0])


def test_landmarks_without_sides_are_refused():
    assert partners("--side_tolerance=0.5", LSP14)[0] == 5
    for pairs, words in ((None, "have no flip_pairs"), ((), "no landmark of bare has a partner")):
        with pytest.raises(CUNetError, match=f"--side_tolerance=0.5.*{words}"):
            partners("--side_tolerance=0.5", Skeleton("bare", ("a", "b"), flip_pairs=pairs))
