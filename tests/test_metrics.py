import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cunet_tf.errors import CUNetError
from cunet_tf.metrics import (
    AUC_THRESHOLD,
    auc,
    ced,
    failure_rate,
    nme_per_image,
    normalizer_distance,
    pck,
    pck_means,
    point_errors,
)
from cunet_tf.skeletons import FACE68, LSP14, MPII16, Skeleton

NMES = np.array([0.0, 0.02, 0.04, 0.08, 0.10])
few = settings(deadline=None, max_examples=25)
many_nmes = arrays(np.float64, st.integers(1, 30), elements=st.floats(0, 0.3))


def face(**named: tuple[float, float]) -> np.ndarray:
    """One face, points at the origin but for those given as ``p36=(x, y)``."""
    points = np.zeros((1, 68, 2))
    for name, place in named.items():
        points[0, int(name[1:])] = place
    return points


def test_point_errors_are_euclidean():
    truth = np.array([[[1.0, 1.0], [2.0, 5.0]]], np.float32)
    predicted = np.array([[[4.0, 5.0], [2.0, 5.0]]])
    np.testing.assert_array_equal(point_errors(predicted, truth), [[5.0, 0.0]])


def test_interocular_distance_is_between_the_outer_eye_corners():
    truth = face(p36=(10, 20), p45=(40, 60), p39=(1, 1), p42=(2, 2))
    np.testing.assert_allclose(normalizer_distance(truth, FACE68, "interocular"), [50.0])


def test_interpupil_distance_is_between_the_means_of_the_eyes():
    truth = face(**{f"p{index}": (index, 0) for index in range(36, 42)}, **{f"p{i}": (i, 8) for i in range(42, 48)})
    np.testing.assert_allclose(normalizer_distance(truth, FACE68, "interpupil"), [10.0])  # 6 to the side, 8 down


def test_box_distance_is_the_root_of_the_area_of_the_tight_box():
    truth = np.concatenate([face(p0=(4, 1), p5=(0, 9)), face(p0=(-2, 0), p5=(0, -2))])
    np.testing.assert_allclose(normalizer_distance(truth, FACE68, "box"), [6.0, 2.0])


@pytest.mark.parametrize("skeleton, left_shoulder", [(LSP14, 9), (MPII16, 13)])
def test_torso_is_left_shoulder_to_right_hip(skeleton, left_shoulder):
    truth = np.zeros((1, skeleton.size, 2))
    truth[0, left_shoulder], truth[0, 2] = (3, 0), (0, 4)
    np.testing.assert_allclose(normalizer_distance(truth, skeleton, "torso"), [5.0])


@pytest.mark.parametrize("missing", [2, 9])
def test_torso_is_unknown_where_one_of_its_ends_is_not_annotated(missing):
    truth = np.zeros((2, 14, 2))
    truth[:, 9] = 6, 8
    mask = np.ones((2, 14))
    mask[1, missing] = 0
    mask[0, 5] = 0  # not part of the torso
    np.testing.assert_array_equal(normalizer_distance(truth, LSP14, "torso", mask), [10.0, np.nan])


def test_box_leaves_out_what_is_not_annotated():
    truth = np.zeros((3, 14, 2))
    truth[:, 1], truth[:, 2] = (10, 20), (14, 29)
    mask = np.zeros((3, 14))
    mask[0, [1, 2]] = 1
    mask[1, [0, 2]] = 1
    expected = [6.0, np.sqrt(14 * 29), np.nan]
    np.testing.assert_allclose(normalizer_distance(truth, LSP14, "box", mask), expected)


def test_unknown_normalizer_lists_the_known_ones():
    with pytest.raises(CUNetError, match="face68 has no normalizer 'torso'. Known: interocular, interpupil, box"):
        normalizer_distance(face(), FACE68, "torso")


def test_nme_by_hand():
    errors = np.array([[1.0, 2.0, 3.0], [4.0, 4.0, 10.0]])
    mask = np.array([[1, 1, 1], [1, 1, 0]])
    np.testing.assert_allclose(nme_per_image(errors, mask, np.array([10.0, 50.0])), [0.2, 0.08])


def test_nme_of_a_picture_without_points_is_nan():
    nme = nme_per_image(np.ones((2, 3)), np.array([[0, 0, 0], [0, 1, 0]], np.float32), np.array([2.0, 4.0]))
    np.testing.assert_array_equal(nme, [np.nan, 0.25])


@few
@given(arrays(np.float64, (4, 5), elements=st.floats(0, 100)), arrays(bool, (4, 5)), st.data())
def test_nme_ignores_masked_points_and_scales_with_the_distance(errors, mask, data):
    distance = data.draw(arrays(np.float64, 4, elements=st.floats(1, 50)))
    rows = zip(errors, mask, distance, strict=True)
    expected = [row[kept].mean() / far if kept.any() else np.nan for row, kept, far in rows]
    np.testing.assert_allclose(nme_per_image(errors, mask.astype(np.float32), distance), expected, rtol=1e-6)
    spoiled = np.where(mask, errors, 1e6)
    np.testing.assert_allclose(nme_per_image(spoiled, mask.astype(np.float32), distance), expected, rtol=1e-6)


def test_failure_rate_counts_what_is_above_the_threshold():
    assert AUC_THRESHOLD == 0.08
    assert failure_rate(NMES) == pytest.approx(0.2)
    assert failure_rate(NMES, 0.03) == pytest.approx(0.6)
    assert failure_rate(NMES, 0.1) == 0.0


def test_ced_by_hand():
    limits = np.array([-0.01, 0.0, 0.03, 0.04, 0.09, 1.0])
    np.testing.assert_allclose(ced(NMES, limits), [0, 0.2, 0.4, 0.6, 0.8, 1.0])


def test_auc_by_hand():
    # Areas up to 0.08: 0.08, 0.06, 0.04, 0 and 0, over 5 pictures and the threshold.
    assert auc(NMES) == pytest.approx(0.18 / 5 / 0.08)
    assert auc(np.zeros(3)) == 1.0
    assert auc(np.full(3, 0.2)) == 0.0
    assert auc(NMES, 0.02) == pytest.approx(0.2)


@few
@given(many_nmes, st.floats(0.01, 0.2))
def test_auc_is_the_integral_of_the_ced(nmes, threshold):
    # Midpoint rule: wrong by at most one step of the curve in every cell that holds a jump.
    cells = 4000
    limits = (np.arange(cells) + 0.5) * threshold / cells
    assert auc(nmes, threshold) == pytest.approx(ced(nmes, limits).mean(), abs=1.0 / cells)


@few
@given(many_nmes, st.floats(0.01, 0.2))
def test_failure_rate_is_what_the_ced_leaves_at_the_threshold(nmes, threshold):
    assert failure_rate(nmes, threshold) == pytest.approx(1.0 - ced(nmes, np.array([threshold]))[0])


@few
@given(many_nmes)
def test_ced_counts_pictures_one_by_one(nmes):
    limits = np.concatenate([np.linspace(0, 0.3, 7), nmes])
    counted = [sum(value <= limit for value in nmes) / len(nmes) for limit in limits]
    np.testing.assert_allclose(ced(nmes, limits), counted)


def test_pictures_without_points_are_left_out_of_the_curve():
    spoiled = np.insert(NMES, [0, 2, 5], np.nan)
    limits = np.array([0.0, 0.05, 0.2])
    assert failure_rate(spoiled) == failure_rate(NMES)
    assert auc(spoiled) == auc(NMES)
    np.testing.assert_array_equal(ced(spoiled, limits), ced(NMES, limits))


def test_pck_by_hand():
    errors = np.array([[1.0, 2.0, 2.1], [0.0, 9.0, 4.0]])
    distance = np.array([10.0, 20.0])  # limits 2 and 4
    assert pck(errors, np.ones((2, 3)), distance, 0.2) == pytest.approx(4 / 6)
    assert pck(errors, np.array([[0, 1, 1], [1, 0, 0]]), distance, 0.2) == pytest.approx(2 / 3)
    assert pck(errors, np.ones((2, 3)), distance, 0.5) == 1.0


def test_pck_pools_points_and_not_pictures():
    errors = np.array([[0.0, 0.0, 0.0], [9.0, 9.0, 9.0]])
    mask = np.array([[1, 1, 1], [1, 0, 0]])
    assert pck(errors, mask, np.ones(2), 0.2) == pytest.approx(0.75)


def test_pck_leaves_out_pictures_without_a_distance():
    errors = np.array([[0.0, 9.0], [0.0, 0.0]])
    assert pck(errors, np.ones((2, 2)), np.array([1.0, np.nan]), 0.2) == pytest.approx(0.5)


def test_nme_of_a_picture_without_a_distance_is_nan():
    np.testing.assert_array_equal(
        nme_per_image(np.ones((2, 3)), np.ones((2, 3)), np.array([np.nan, 2.0])), [np.nan, 0.5]
    )


def test_figures_of_nothing_are_not_defined():
    """A figure that nothing counted for must never pass for a perfect one, or a worst one."""
    assert np.isnan(pck(np.zeros((2, 3)), np.zeros((2, 3)), np.ones(2), 0.2))
    means = pck_means(np.zeros((1, 16)), np.eye(16)[None, 8], np.ones(1), 0.5, MPII16)  # the neck alone
    assert means["per_group"]["Head"] == means["groups"] == means["joints"] == 100.0
    assert means["limbs"] is means["per_group"]["Ank"] is means["per_joint"]["pelvis"] is None
    nothing = np.full(3, np.nan)
    assert np.isnan(failure_rate(nothing)) and np.isnan(auc(nothing)) and not ced(nothing, np.ones(2)).any()


def test_points_that_span_nothing_divide_nothing():
    line = Skeleton("line", ("a", "b", "c"), normalizers={"a-b": ((0,), (1,))})
    truth = np.array([[[2, 4], [2, 4], [8, 4]], [[2, 4], [5, 8], [8, 4]]], float)
    np.testing.assert_array_equal(normalizer_distance(truth, line, "box"), [np.nan, np.sqrt(24)])
    np.testing.assert_array_equal(normalizer_distance(truth, line, "a-b"), [np.nan, 5.0])


@pytest.mark.parametrize("count", [1, 2])
def test_the_own_box_serves_one_or_two_landmarks(count):
    few = Skeleton("few", ("a", "b")[:count])
    truth, boxes = np.full((1, count, 2), 7.0), np.array([[10, 20, 30, 70]])
    np.testing.assert_array_equal(normalizer_distance(truth, few, "box", boxes=boxes), [50.0])
    assert np.isnan(normalizer_distance(truth, few, "box"))


def test_each_mean_of_pck_by_hand():
    """MPII: pelvis and thorax are found, one ankle and the head top are not."""
    errors, mask = np.zeros((1, 16)), np.ones((1, 16))
    errors[0, [0, 9]] = 9.0
    means = pck_means(errors, mask, np.ones(1), 0.5, MPII16)
    assert means["joints"] == pytest.approx(100 * 12 / 14)
    assert means["groups"] == pytest.approx((50 + 5 * 100 + 50) / 7)
    assert means["limbs"] == pytest.approx(100 * 11 / 12)
    assert (means["per_group"]["Ank"], means["per_group"]["Head"], means["per_group"]["Hip"]) == (50, 50, 100)
    assert means["per_joint"]["right_ankle"] == 0 and means["per_joint"]["left_ankle"] == 100


def test_pelvis_and_thorax_do_not_count_in_any_mean():
    errors, mask = np.zeros((1, 16)), np.ones((1, 16))
    errors[0, [6, 7]] = 9.0
    means = pck_means(errors, mask, np.ones(1), 0.5, MPII16)
    assert (means["joints"], means["groups"], means["limbs"]) == (100, 100, 100)


def test_means_that_need_groups_are_absent_without_them():
    skeleton = Skeleton("pair", ("a", "b"))
    means = pck_means(np.array([[0.0, 1.0]]), np.ones((1, 2)), np.ones(1), 0.5, skeleton)
    assert (means["joints"], means["groups"], means["limbs"]) == (50, None, None)
    assert means["per_joint"] == {"a": 100, "b": 0}


# Properties ---------------------------------------------------------------------------------

shares = st.floats(0.01, 2.0)
every_normalizer = pytest.mark.parametrize(
    "skeleton, name",
    [(skeleton, name) for skeleton in (FACE68, LSP14, MPII16) for name in (*skeleton.normalizers, "box")],
    ids=lambda value: getattr(value, "name", value),
)


def people(seed: int, skeleton: Skeleton, count: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, answers and masks; about one point in five is not annotated."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0, 100, (count, skeleton.size, 2))
    mask = (rng.random((count, skeleton.size)) < 0.8).astype(np.float32)
    return truth, truth + rng.normal(0, 5, truth.shape), mask


def nmes(truth, found, mask, skeleton, name):
    return nme_per_image(point_errors(found, truth), mask, normalizer_distance(truth, skeleton, name, mask))


@every_normalizer
@few
@given(st.integers(0, 10**6), st.floats(0.01, 50), st.tuples(st.floats(-500, 500), st.floats(-500, 500)))
def test_nme_bears_a_common_scale_and_shift_and_follows_its_pictures(skeleton, name, seed, zoom, shift):
    truth, found, mask = people(seed, skeleton)
    plain = nmes(truth, found, mask, skeleton, name)
    np.testing.assert_allclose(nmes(zoom * truth + shift, zoom * found + shift, mask, skeleton, name), plain, rtol=1e-6)
    order = np.random.default_rng(seed).permutation(len(truth))
    np.testing.assert_array_equal(nmes(truth[order], found[order], mask[order], skeleton, name), plain[order])


@pytest.mark.parametrize("name", ["interocular", "interpupil", "box"])
@few
@given(st.integers(0, 10**6))
def test_faces_in_a_mirror_have_the_same_nme(name, seed):
    skeleton, there = FACE68, np.array([-1.0, 1.0])
    truth, found, mask = people(seed, skeleton)
    swap = skeleton.flip_permutation
    mirrored = nmes(truth[:, swap] * there, found[:, swap] * there, mask[:, swap], skeleton, name)
    np.testing.assert_allclose(mirrored, nmes(truth, found, mask, skeleton, name))


@few
@given(st.integers(0, 10**6), shares, shares)
def test_pck_rises_with_its_share_and_pools_what_its_means_pool(seed, one, other):
    truth, found, mask = people(seed, MPII16)
    errors, distance = point_errors(found, truth), normalizer_distance(truth, MPII16, "torso")
    low, high = (pck(errors, mask, distance, share) for share in sorted((one, other)))
    assert 0.0 <= low <= high <= 1.0
    means = pck_means(errors, mask, distance, one, MPII16)
    known = [value for value in means["per_joint"].values() if value is not None]
    assert min(known) - 1e-9 <= means["limbs"] <= max(known) + 1e-9
    weights = [mask[:, index].sum() for index in MPII16.scored]
    joints = [means["per_joint"][MPII16.names[index]] or 0.0 for index in MPII16.scored]
    assert means["joints"] == pytest.approx(np.average(joints, weights=weights))


@few
@given(st.integers(0, 10**6), shares, st.floats(1.0, 10.0))
def test_pck_asks_for_the_ratio_of_error_and_distance_alone(seed, share, zoom):
    truth, found, mask = people(seed, LSP14)
    errors, distance = point_errors(found, truth), normalizer_distance(truth, LSP14, "torso")
    plain = pck(errors, mask, distance, share)
    assert pck(2 * errors, mask, 2 * distance, share) == plain
    assert pck(errors, mask, zoom * distance, share) >= plain  # the same errors on larger people


@few
@given(many_nmes, st.floats(0.01, 0.1), st.floats(1.0, 3.0))
def test_the_area_lies_between_nothing_and_the_share_of_successes(nmes, threshold, wider):
    """A curve that only rises: its mean is below its end, and the mean over a longer way is higher."""
    area = auc(nmes, threshold)
    assert 0.0 <= area <= 1.0 - failure_rate(nmes, threshold) + 1e-12
    assert area <= auc(nmes, wider * threshold) + 1e-12
    assert auc(nmes / 2, threshold) >= area - 1e-12


@few
@given(many_nmes, arrays(np.float64, 8, elements=st.floats(-0.1, 0.5)))
def test_the_curve_of_errors_never_falls_and_ends_at_one(nmes, limits):
    curve = ced(nmes, np.sort(limits))
    assert (np.diff(curve) >= 0).all() and ced(nmes, np.array([nmes.max()])) == 1.0
    np.testing.assert_array_equal(ced(np.tile(nmes, 3), limits), ced(nmes, limits))
