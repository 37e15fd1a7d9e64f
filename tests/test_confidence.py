import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cunet_tf.confidence import (
    FEATURES,
    Confidence,
    ShapeModel,
    agreement_feature,
    align,
    peak_features,
    shape_features,
)
from cunet_tf.errors import CUNetError

COUNT, SIDE = 9, 32


@pytest.fixture(scope="module")
def shapes():
    """Triangles of points that stretch in one way only, anywhere, of any size, mostly upright."""
    rng = np.random.default_rng(0)
    base = rng.normal(size=(COUNT, 2))
    stretched = base + rng.normal(size=(60, 1, 1)) * 0.1 * (base * [1.0, -1.0])
    return stretched * rng.uniform(5, 50, (60, 1, 1)) + rng.uniform(-99, 99, (60, 1, 2))


@pytest.fixture(scope="module")
def shape(shapes):
    return ShapeModel.fit(shapes, np.ones((60, COUNT)), 2)


def turned(points, degrees):
    angle = np.deg2rad(degrees)
    return points @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


@settings(max_examples=30, deadline=None)
@given(st.floats(0.1, 100), st.floats(-170, 170), st.floats(-50, 50))
def test_alignment_undoes_any_similarity(size, roll, shift):
    mean = np.random.default_rng(1).normal(size=(COUNT, 2))
    mean -= mean.mean(axis=0)
    mean /= np.linalg.norm(mean)
    aligned, found, turn = align(turned(mean, roll) * size + shift, mean)
    np.testing.assert_allclose(aligned, mean, atol=1e-9)
    assert found == pytest.approx(size) and turn == pytest.approx(roll, abs=1e-6)


def test_roll_is_clockwise_on_the_screen():
    mean = np.array([[-0.5, 0.0], [0.5, 0.0], [0.0, 0.5]])
    mean -= mean.mean(axis=0)
    lower_right = np.array([[0.0, 0.0], [10.0, 10.0], [0.0, 10.0]])  # the right end of the line has sunk
    assert align(lower_right, mean / np.linalg.norm(mean))[2] == pytest.approx(45.0)


def test_the_model_knows_the_way_in_which_shapes_vary(shape, shapes):
    assert shape.spread[0] > 10 * shape.spread[1]
    known = shape_features(shapes[0], shape, SIDE)
    strange = shape_features(shapes[0] + np.random.default_rng(2).normal(size=(COUNT, 2)) * 9, shape, SIDE)
    assert known[0] < strange[0] - 3


def test_the_mean_stands_as_most_shapes_do(shapes):
    lying = turned(shapes[0] - shapes[0].mean(axis=0), 80.0)
    model = ShapeModel.fit(np.concatenate([lying[None], shapes[1:]]), np.ones((60, COUNT)), 2)
    rolls = [align(points, model.mean)[2] for points in shapes[1:]]
    assert abs(np.median(rolls)) < 1.0


def test_peaks_that_are_broad_or_low_are_told_from_sharp_ones():
    rows, columns = np.mgrid[:SIDE, :SIDE]
    points = np.array([[10.0, 12.0], [20.0, 8.0]])

    def maps(sigma):
        squared = (columns[..., None] - points[:, 0]) ** 2 + (rows[..., None] - points[:, 1]) ** 2
        return np.exp(-squared / (2 * sigma**2)).astype(np.float32)

    sharp, broad = (peak_features(maps(sigma), points, np.ones(2, np.float32)) for sigma in (1.0, 5.0))
    assert sharp[2] > 0.9 > 0.5 > broad[2] and sharp[0] == 1.0
    assert np.isfinite(peak_features(np.zeros((SIDE, SIDE, 2), np.float32), points, np.zeros(2, np.float32))).all()


def test_agreement_grows_with_the_distance():
    points = np.random.default_rng(3).uniform(0, 30, (COUNT, 2))
    near, far = agreement_feature(points + 0.1, points), agreement_feature(points + 5.0, points)
    assert near < far and np.isfinite(agreement_feature(points, points)).all()


def test_confidence_round_trips_as_json(shape):
    one = Confidence(shape, np.arange(11.0) / 7, np.arange(12.0) / 7, 0.5, 0.3)
    other = Confidence.from_dict(json.loads(json.dumps(one.to_dict())))
    assert one == other and hash(one) == hash(other)
    features = np.linspace(-1, 1, 11)
    assert other(features) == pytest.approx(one(features), abs=1e-4) and 0 < other(features[:10]) < 1


@pytest.mark.parametrize(
    "change", [{"features": ["peak"]}, {"one": [1.0]}, {"two": [float("nan")] * 12}, {"visible": float("inf")}]
)
def test_what_does_not_fit_is_refused(shape, change):
    fields = Confidence(shape, np.zeros(11), np.zeros(12)).to_dict()
    with pytest.raises(ValueError, match="confidence"):
        Confidence.from_dict({**fields, **change})


def test_a_shape_model_needs_whole_objects(shapes):
    with pytest.raises(CUNetError, match="0 objects have all"):
        ShapeModel.fit(shapes, np.zeros((60, COUNT)), 2)
    assert len(FEATURES) == 11
