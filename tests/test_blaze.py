"""What a detector of BlazeFace's family says, decoded: by hand, and by what must hold of any boxes."""

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cunet_tf import blaze
from cunet_tf.blaze import GRIDS, SAME, BlazeDetector, anchor_centres, average_clusters
from cunet_tf.boxes import overlap
from cunet_tf.errors import CUNetError

few = settings(deadline=None, max_examples=40)
SIDE, ANCHORS = 128, 896


class Interpreter:
    """LiteRT's, of a network that answers with given logits ``[A]`` and values ``[A, k]``."""

    def __init__(self, logits, values, given=(1, SIDE, SIDE, 3), kind=np.float32):
        self.answers = {7: logits[None, :, None], 9: values[None]}
        self.given, self.kind, self.seen = given, kind, None

    def get_input_details(self):
        return [{"index": 0, "shape": np.array(self.given), "dtype": self.kind}]

    def get_output_details(self):
        return [{"index": index, "shape": np.array(answer.shape), "dtype": np.float32}
                for index, answer in reversed(self.answers.items())]  # fmt: skip

    def set_tensor(self, index, values):
        self.seen = values

    def invoke(self):
        pass

    def get_tensor(self, index):
        return self.answers[index]


def answers(anchors=ANCHORS, values=16):
    return np.full(anchors, -1e9, np.float32), np.zeros((anchors, values), np.float32)


@pytest.fixture
def detector_of(monkeypatch):
    def make(*arguments, **options):
        interpreter = Interpreter(*arguments, **options)
        monkeypatch.setattr(blaze, "prepare_interpreter", lambda *_: (interpreter, contextlib.nullcontext()))
        return BlazeDetector(b"", "mine.tflite"), interpreter

    return make


# Anchors ------------------------------------------------------------------------------------


@pytest.mark.parametrize("count, grids", GRIDS.items(), ids=map(str, GRIDS))
def test_anchors_of_every_file_are_as_many_as_its_key_and_lie_evenly(count, grids):
    centres = anchor_centres(grids)
    assert centres.shape == (count, 2) and centres.min() > 0 and centres.max() < 1
    np.testing.assert_allclose(centres.mean(axis=0), 0.5)
    first, start = centres[: grids[0][0] ** 2 * grids[0][1]], 0.5 / grids[0][0]
    np.testing.assert_allclose(np.unique(first.round(9)), start + np.arange(grids[0][0]) / grids[0][0], atol=1e-9)


@few
@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 3)), min_size=1, max_size=3))
def test_an_anchor_is_the_middle_of_its_cell(grids):
    expected = [
        ((column + 0.5) / cells, (row + 0.5) / cells)
        for cells, count in grids for row in range(cells) for column in range(cells) for _ in range(count)
    ]  # fmt: skip
    np.testing.assert_allclose(anchor_centres(tuple(grids)), expected)


# Decoding -----------------------------------------------------------------------------------


@few
@given(st.integers(0, ANCHORS - 1), st.floats(-20, 20), st.floats(-20, 20), st.floats(5, 60), st.floats(-180, 180))
def test_a_face_is_decoded_in_closed_form(index, x, y, side, roll):
    with pytest.MonkeyPatch.context() as patch:
        logits, values = answers()
        angle = np.deg2rad(roll)
        eyes = 10.0 * np.array([np.cos(angle), np.sin(angle)])
        logits[index], values[index, :4] = 2.0, (x, y, side, 2 * side)
        values[index, 4:8] = *-eyes, *eyes  # the person's right eye, then the left one
        patch.setattr(blaze, "prepare_interpreter", lambda *_: (Interpreter(logits, values), contextlib.nullcontext()))
        detector = BlazeDetector(b"")
    square = np.array([10.0, 20.0, 10.0 + 2 * SIDE, 20.0 + 2 * SIDE])  # two pixels of the picture to one of the crop
    (found,) = detector.detect(np.zeros((300, 300, 3), np.uint8), square)
    centre = anchor_centres(GRIDS[ANCHORS])[index] * SIDE + [x, y]
    half = np.array([side, 2 * side]) / 2
    expected = square[:2].repeat(2).reshape(2, 2).T.ravel() + 2.0 * np.concatenate([centre - half, centre + half])
    np.testing.assert_allclose(found.box, expected, atol=1e-3)
    assert found.score == pytest.approx(1 / (1 + np.exp(-2.0)))
    assert np.cos(np.deg2rad(found.roll - roll)) == pytest.approx(1.0, abs=1e-6)


def test_a_body_lies_in_the_circle_from_its_hips_through_its_top(detector_of):
    logits, values = answers(2254, 12)
    logits[0] = 1.0
    values[0, :4], values[0, 4:8] = (0, 0, 8, 8), (50, 60, 50, 30)  # hips, and 30 pixels above them the top
    detector, _ = detector_of(logits, values)
    assert detector.finds == "body"
    picture, whole = np.zeros((SIDE, SIDE, 3), np.uint8), np.array([-0.5, -0.5, SIDE - 0.5, SIDE - 0.5])
    (found,) = detector.detect(picture, whole)
    hips = anchor_centres(GRIDS[2254])[0] * SIDE + [50, 60] - 0.5
    np.testing.assert_allclose(found.box, [*(hips - 30), *(hips + 30)], atol=1e-3)
    assert found.roll == pytest.approx(0.0, abs=1e-4)
    values[0, 6:8] = 80, 60  # the top to the right of the hips
    assert detector.detect(picture, whole)[0].roll == pytest.approx(90.0, abs=1e-4)


def test_scores_are_cut_where_asked_and_bear_any_logit(detector_of):
    logits, values = answers()
    values[:, 2:4] = 4.0  # boxes so small that none meets that of another cell
    logits[[0, 60, 120, 180]] = 1e30, 1.0, 0.0, -1.0
    detector, interpreter = detector_of(logits, values)
    picture, whole = np.full((SIDE, SIDE, 3), 255, np.uint8), np.array([-0.5, -0.5, SIDE - 0.5, SIDE - 0.5])
    scores = [found.score for found in detector.detect(picture, whole)]
    np.testing.assert_allclose(scores, [1.0, 1 / (1 + np.exp(-1.0)), 0.5])
    assert [found.score for found in detector.detect(picture, whole, 0.6)] == scores[:2]
    assert interpreter.seen.shape == (1, SIDE, SIDE, 3) and interpreter.seen.max() == 1.0
    detector.detect(picture * 0, whole)
    assert interpreter.seen.min() == interpreter.seen.max() == -1.0


@pytest.mark.parametrize(
    "shape, options, words",
    [
        ((897, 16), {}, r"mine.tflite: outputs \[\(1, 897, 1\), \(1, 897, 16\)\] are not those of BlazeFace"),
        ((896, 15), {}, "are not those of BlazeFace"),
        ((896, 16), {"given": (1, 128, 96, 3)}, r"inputs \(1, 128, 96, 3\) are not square pictures in float32"),
        ((896, 16), {"given": (1, 128, 128, 1)}, "are not square pictures"),
        ((896, 16), {"kind": np.uint8}, "are not square pictures in float32"),
    ],
)
def test_other_networks_are_refused_by_their_ends(detector_of, shape, options, words):
    with pytest.raises(CUNetError, match=words):
        detector_of(*answers(*shape), **options)


# Suppression --------------------------------------------------------------------------------


@st.composite
def clouds(draw):
    """Boxes with one key point each, and scores that are all different."""
    count = draw(st.integers(0, 12))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    low = rng.uniform(0, 60, (count, 2))
    points = np.stack([low, low + rng.uniform(2, 40, (count, 2)), rng.uniform(0, 100, (count, 2))], axis=1)
    return points, rng.permutation(np.linspace(0.5, 0.99, count))


@few
@given(clouds())
def test_the_best_box_comes_first_and_no_score_is_made_up(cloud):
    points, scores = cloud
    found = average_clusters(points, scores)
    given_scores = [score for _, score in found]
    assert given_scores == sorted(given_scores, reverse=True) and set(given_scores) <= set(scores.tolist())
    assert len(found) <= len(scores) and (not found or given_scores[0] == scores.max())


@few
@given(clouds())
def test_leaders_of_clusters_do_not_overlap_and_every_other_box_has_a_better_leader(cloud):
    points, scores = cloud
    corners = points[:, :2].reshape(-1, 4)
    leaders = [int(np.flatnonzero(scores == score)[0]) for _, score in average_clusters(points, scores)]
    for index in range(len(scores)):
        shares = overlap(corners[index], corners[leaders])
        better = scores[leaders] > scores[index]
        assert (shares[better] > SAME).any() == (index not in leaders)


@few
@given(clouds())
def test_an_average_stays_between_the_boxes_of_its_cluster(cloud):
    points, scores = cloud
    for average, _ in average_clusters(points, scores):
        assert (average >= points.min(axis=0) - 1e-9).all() and (average <= points.max(axis=0) + 1e-9).all()


@few
@given(clouds(), st.floats(0.1, 10), st.floats(-100, 100), st.integers(0, 10**6))
def test_order_scale_and_place_of_the_boxes_do_not_matter(cloud, zoom, shift, seed):
    points, scores = cloud
    order = np.random.default_rng(seed).permutation(len(scores))
    plain, moved = average_clusters(points, scores), average_clusters(zoom * points[order] + shift, scores[order])
    assert [score for _, score in plain] == [score for _, score in moved]
    for (ours, _), (theirs, _) in zip(plain, moved, strict=True):
        np.testing.assert_allclose(theirs, zoom * ours + shift, atol=1e-6)


@few
@given(clouds(), st.integers(2, 4))
def test_a_box_that_is_said_several_times_is_one_object_of_the_same_place(cloud, times):
    points, scores = cloud
    once, again = (
        average_clusters(points, scores),
        average_clusters(np.tile(points, (times, 1, 1)), np.tile(scores, times)),
    )
    for (ours, score), (theirs, other) in zip(once, again, strict=True):
        np.testing.assert_allclose(theirs, ours, atol=1e-9)
        assert score == other
