import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng

from cunet_tf.errors import CUNetError
from cunet_tf.smoothing import OneEuroFilter, low_pass, object_size

few = settings(deadline=None, max_examples=30)
seeds = st.integers(0, 10**6)
cutoffs = st.floats(0.05, 20.0)
betas = st.floats(0.0, 20.0)
steps = st.lists(st.floats(1e-3, 0.2), min_size=1, max_size=30)
FACE = np.array([[0.0, 0.0], [100.0, 40.0], [60.0, 80.0]])  # size 100
STEP = 1.0 / 30.0


def run(one_euro: OneEuroFilter, path: np.ndarray, times: np.ndarray) -> np.ndarray:
    return np.stack([one_euro(points, time) for points, time in zip(path, times, strict=True)])


def walk(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """A random walk of 5 landmarks and irregular times."""
    rng = default_rng(seed)
    path = rng.uniform(0, 100, (5, 2)) + np.cumsum(rng.normal(0, 3, (count, 5, 2)), axis=0)
    return path, np.cumsum(rng.uniform(0.005, 0.1, count))


def ramp(velocity: float, count: int = 400) -> tuple[np.ndarray, np.ndarray]:
    times = STEP * np.arange(count)
    return FACE + velocity * times[:, None, None] * np.array([0.6, 0.8]), times


@few
@given(steps, cutoffs)
def test_step_response_of_the_low_pass_is_the_exponential_at_any_sampling(intervals, cutoff):
    answer, zero = np.zeros(2), np.zeros(2)
    for interval in intervals:
        answer = low_pass(answer, zero + 1.0, cutoff, interval)
    np.testing.assert_allclose(answer, 1.0 - math.exp(-2.0 * math.pi * cutoff * sum(intervals)), atol=1e-12)


@few
@given(steps, cutoffs)
def test_step_response_of_the_filter_without_beta_is_the_exponential(intervals, cutoff):
    one_euro = OneEuroFilter(cutoff, beta=0.0)
    times = np.cumsum([0.0, *intervals])
    answers = run(one_euro, np.stack([FACE, *[FACE + 7.0] * len(intervals)]), times)
    expected = 7.0 * (1.0 - np.exp(-2.0 * np.pi * cutoff * times))
    np.testing.assert_allclose(answers - FACE, np.broadcast_to(expected[:, None, None], answers.shape), atol=1e-9)


def test_for_short_steps_the_weight_is_the_paper_s():
    for step in (1e-3, 1e-4):
        paper = 1.0 / (1.0 + 1.0 / (2.0 * math.pi * 1.5 * step))
        ours = float(low_pass(np.zeros(1), np.ones(1), 1.5, step)[0])
        assert abs(ours - paper) < (2.0 * math.pi * 1.5 * step) ** 2


@few
@given(steps, cutoffs, betas)
def test_a_constant_signal_passes_unchanged(intervals, cutoff, beta):
    times = np.cumsum([0.0, *intervals])
    answers = run(OneEuroFilter(cutoff, beta), np.stack([FACE] * len(times)), times)
    np.testing.assert_array_equal(answers, np.stack([FACE] * len(times)))


def test_lag_behind_a_steady_motion_has_its_closed_form():
    for beta in (0.0, 0.5, 2.0):
        path, times = ramp(velocity=50.0)
        behind = np.linalg.norm(path[-1] - run(OneEuroFilter(1.0, beta), path, times)[-1], axis=-1)
        # In the steady state: behind = kept * (behind + v dt), at the cutoff that the speed sets.
        speed = (behind[0] + 50.0 * STEP) / STEP / 100.0
        kept = math.exp(-2.0 * math.pi * (1.0 + beta * speed) * STEP)
        np.testing.assert_allclose(behind, 50.0 * STEP * kept / (1.0 - kept), rtol=1e-6)


def test_lag_falls_with_beta_and_with_speed():
    def seconds_behind(beta: float, velocity: float) -> float:
        path, times = ramp(velocity)
        return float(np.linalg.norm(path[-1] - run(OneEuroFilter(1.0, beta), path, times)[-1], axis=-1)[0] / velocity)

    by_beta = [seconds_behind(beta, 50.0) for beta in (0.0, 0.5, 1.0, 2.0, 5.0)]
    assert by_beta == sorted(by_beta, reverse=True) and by_beta[-1] < 0.3 * by_beta[0]
    assert seconds_behind(0.0, 50.0) == pytest.approx(seconds_behind(0.0, 200.0))
    assert seconds_behind(2.0, 200.0) < 0.6 * seconds_behind(2.0, 50.0)


def test_beta_raises_the_cutoff_after_a_jump():
    gaps = [FACE[0, 0] + 50.0 - run(OneEuroFilter(1.0, beta), np.stack([FACE, FACE + 50.0]), np.array([0.0, STEP]))[1]
            for beta in (0.0, 1.0, 3.0)]  # fmt: skip
    first = [gap[0, 0] for gap in gaps]
    assert first[0] > first[1] > first[2] > 0.0


def test_jitter_falls_with_the_cutoff():
    noise = FACE + default_rng(0).normal(0.0, 1.0, (300, 3, 2))
    times = STEP * np.arange(300)
    spread = [run(OneEuroFilter(cutoff, 0.0), noise, times)[100:].std(axis=0).mean() for cutoff in (0.3, 1.0, 3.0)]
    assert spread[0] < spread[1] < spread[2] < 1.0
    kept = math.exp(-2.0 * math.pi * 1.0 * STEP)  # white noise through a first-order low-pass
    assert spread[1] == pytest.approx(math.sqrt((1.0 - kept) / (1.0 + kept)), rel=0.15)


@few
@given(seeds, st.floats(0.1, 20.0), cutoffs, betas)
def test_parameters_do_not_depend_on_resolution(seed, zoom, cutoff, beta):
    path, times = walk(seed, 12)
    path[:, 0] = path[:, 1] + 200.0  # the object is large enough at every zoom
    small = run(OneEuroFilter(cutoff, beta), path, times)
    large = run(OneEuroFilter(cutoff, beta), path * zoom, times)
    np.testing.assert_allclose(large, small * zoom, rtol=1e-9, atol=1e-9)


@few
@given(seeds, st.floats(-1000, 1000), st.floats(-1000, 1000), betas)
def test_places_in_the_picture_and_the_origin_of_time_do_not_matter(seed, shift, origin, beta):
    path, times = walk(seed, 12)
    still = run(OneEuroFilter(1.0, beta), path, times)
    moved = run(OneEuroFilter(1.0, beta), path + shift, times + origin)
    np.testing.assert_allclose(moved - shift, still, atol=1e-6)


@few
@given(seeds, betas)
def test_landmarks_do_not_mix_and_answers_stay_between_the_measurements(seed, beta):
    path, times = walk(seed, 12)
    answers = run(OneEuroFilter(1.0, beta), path, times)
    order = default_rng(seed).permutation(5)
    np.testing.assert_allclose(run(OneEuroFilter(1.0, beta), path[:, order], times), answers[:, order])
    assert (answers >= np.minimum.accumulate(path) - 1e-9).all()
    assert (answers <= np.maximum.accumulate(path) + 1e-9).all()


def test_first_frame_and_first_after_a_reset_come_back_unchanged():
    one_euro = OneEuroFilter(1.0, 1.0)
    np.testing.assert_array_equal(one_euro(FACE, 5.0), FACE)
    one_euro(FACE + 30.0, 5.1)
    one_euro.reset()
    np.testing.assert_array_equal(one_euro(FACE[:2] - 4.0, 0.0), FACE[:2] - 4.0)
    fresh = OneEuroFilter(1.0, 1.0)
    fresh(FACE[:2] - 4.0, 0.0)
    np.testing.assert_array_equal(one_euro(FACE[:2], 0.1), fresh(FACE[:2], 0.1))


def test_a_repeated_time_stamp_leaves_no_trace():
    once, twice = OneEuroFilter(1.0, 1.0), OneEuroFilter(1.0, 1.0)
    for one_euro in (once, twice):
        one_euro(FACE, 0.0)
        one_euro(FACE + 9.0, 0.1)
    before = twice(FACE + 9.0, 0.1)
    np.testing.assert_array_equal(twice(FACE - 500.0, 0.1), before)
    np.testing.assert_array_equal(once(FACE + 9.0, 0.2), twice(FACE + 9.0, 0.2))


def test_after_a_long_pause_the_measurement_counts_alone():
    one_euro = OneEuroFilter(1.0, 1.0)
    one_euro(FACE, 0.0)
    np.testing.assert_allclose(one_euro(FACE + 40.0, 60.0), FACE + 40.0)


def test_answers_and_input_share_no_memory():
    one_euro, points = OneEuroFilter(), FACE.copy()
    first = one_euro(points, 0.0)
    first += 1000.0
    points += 1000.0
    np.testing.assert_array_equal(one_euro(FACE, 0.1), FACE)


def test_misuse_is_named():
    one_euro = OneEuroFilter()
    one_euro(FACE, 1.0)
    with pytest.raises(CUNetError, match="0.5 s after 1 s: reset"):
        one_euro(FACE, 0.5)
    with pytest.raises(CUNetError, match=r"\(2, 2\) after \(3, 2\): reset"):
        one_euro(FACE[:2], 2.0)


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"min_cutoff": 0.0}, "min_cutoff=0.0"), ({"min_cutoff": math.nan}, "min_cutoff=nan"),
        ({"derivative_cutoff": -1.0}, "derivative_cutoff=-1.0"), ({"derivative_cutoff": math.inf}, "inf"),
        ({"beta": -0.1}, "beta=-0.1"), ({"beta": math.nan}, "beta=nan"),
    ],
)  # fmt: skip
def test_bad_parameters_are_refused(arguments, words):
    with pytest.raises(CUNetError, match=words):
        OneEuroFilter(**arguments)


def test_object_size_is_the_longer_side_and_never_0():
    assert object_size(FACE) == 100.0 and object_size(FACE[:, ::-1] * 0.5) == 50.0
    assert object_size(FACE[:1]) == 1.0


@few
@given(seeds, betas)
def test_a_mirror_and_changed_axes_do_not_matter(seed, beta):
    path, times = walk(seed, 12)
    still = run(OneEuroFilter(1.0, beta), path, times)
    for matrix in ([[-1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]], [[0.0, -1.0], [1.0, 0.0]]):
        moved = run(OneEuroFilter(1.0, beta), path @ np.array(matrix), times)
        np.testing.assert_allclose(moved, still @ np.array(matrix), atol=1e-9)


@few
@given(seeds, seeds, cutoffs)
def test_without_beta_sums_are_smoothed_as_their_parts(one, other, cutoff):
    (first, times), (second, _) = walk(one, 12), walk(other, 12)
    apart = run(OneEuroFilter(cutoff, 0.0), first, times) + 2.0 * run(OneEuroFilter(cutoff, 0.0), second, times)
    np.testing.assert_allclose(run(OneEuroFilter(cutoff, 0.0), first + 2.0 * second, times), apart, atol=1e-8)


@few
@given(seeds, st.lists(cutoffs, min_size=1, max_size=5), st.floats(1e-3, 0.2))
def test_each_value_of_the_low_pass_has_its_own_cutoff_and_nears_the_measurement(seed, several, step):
    before, now = default_rng(seed).uniform(-50, 50, (2, len(several)))
    found = low_pass(before, now, np.array(several), step)
    alone = [low_pass(before[[i]], now[[i]], cutoff, step)[0] for i, cutoff in enumerate(several)]
    np.testing.assert_allclose(found, alone, atol=1e-12)
    assert (np.abs(found - now) <= np.abs(before - now)).all()
