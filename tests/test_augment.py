import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cunet_tf.data.augment import NO_AUGMENTATION, Augmentation, View, random_stream
from cunet_tf.data.geometry import apply
from cunet_tf.errors import CUNetError

FULL = Augmentation((0.75, 1.25), rotation=30.0, shift=0.1, flip=0.5, gain=(0.6, 1.4), occlude=0.5, blur=0.5)
seeds = st.tuples(*[st.integers(0, 2**31)] * 3)


def draws(augmentation: Augmentation, count: int = 2000) -> list[View]:
    return [augmentation.draw(random_stream(0, 0, index)) for index in range(count)]


def ranges(low: float, high: float):
    return st.tuples(st.floats(low, high), st.floats(low, high)).map(sorted).map(tuple)


@settings(deadline=None, max_examples=50)
@given(seeds)
def test_the_defaults_change_nothing(key):
    assert NO_AUGMENTATION.draw(random_stream(*key)) == View()


@settings(deadline=None, max_examples=50)
@given(seeds, ranges(0.3, 3.0), st.floats(0, 180), st.booleans(), st.floats(0, 0.5), ranges(0.0, 2.0))
def test_every_draw_is_inside_its_range(key, scale, rotation, normal, shift, gain):
    view = Augmentation(scale, rotation, normal, shift, 0.5, gain).draw(random_stream(*key))
    assert scale[0] * (1 - 1e-12) <= view.scale <= scale[1] * (1 + 1e-12)
    assert abs(view.rotation) <= rotation * (2 if normal else 1)
    assert len(view.shift) == 2 and max(np.abs(view.shift)) <= shift
    assert len(view.gain) == 3 and gain[0] <= min(view.gain) and max(view.gain) <= gain[1]


@settings(deadline=None, max_examples=50)
@given(seeds, seeds)
def test_draws_depend_on_seed_epoch_and_index_alone(key, other):
    first = FULL.draw(random_stream(*key))
    apart = FULL.draw(random_stream(*other))
    assert FULL.draw(random_stream(*key)) == first
    assert (apart == first) == (key == other)


@pytest.mark.parametrize("key", [(1, 2, 4), (1, 3, 3), (2, 2, 3)])
def test_each_of_seed_epoch_and_index_matters(key):
    assert FULL.draw(random_stream(*key)) != FULL.draw(random_stream(1, 2, 3))


@pytest.mark.parametrize(
    "changes, touched",
    [
        ({"scale": (0.5, 2.0)}, "scale"),
        ({"rotation": 90.0}, "rotation"),
        ({"rotation_normal": True}, "rotation"),
        ({"shift": 0.4}, "shift"),
        ({"flip": 1.0}, "flip"),
        ({"gain": (0.1, 3.0)}, "gain"),
        ({"occlude": 1.0}, "occlusion"),
        ({"blur": 1.0}, "blur"),
        ({"full_turns": 0.7}, "rotation"),
    ],
    ids=lambda value: str(value),
)
def test_a_changed_range_leaves_the_other_draws_alone(changes, touched):
    for index in range(10):
        before = dataclasses.asdict(FULL.draw(random_stream(0, 0, index)))
        after = dataclasses.asdict(dataclasses.replace(FULL, **changes).draw(random_stream(0, 0, index)))
        assert {name for name in before if before[name] != after[name]} <= {touched}


def test_views_are_those_of_earlier_versions():
    """What the version before full turns drew for the second key, so that its trainings can be made again."""
    view = FULL.draw(random_stream(1, 2, 2))
    numbers = [view.scale, view.rotation, *view.shift, *view.gain, *view.occlusion]
    expected = [1.1690646279202164, -4.054015485101807, 0.08454819778792427, -0.09279419862504301, 0.8374137240081938,
                0.791133695109994, 1.2587333741442084, 0.05802225411554043, 0.4665536018106149, 0.39293451195550555,
                0.11882503139182535]  # fmt: skip
    np.testing.assert_allclose(numbers, expected, rtol=1e-14)
    assert view.flip and view.blur == 0.0


@pytest.mark.parametrize("share, low, high", [(0.0, 0.0, 0.0), (0.3, 0.21, 0.29), (1.0, 0.80, 0.86)])
def test_full_turns_are_uniform_over_the_circle(share, low, high):
    turns = np.array([view.rotation for view in draws(Augmentation(rotation=30.0, full_turns=share))])
    assert np.abs(turns).max() <= 180.0
    assert low <= np.mean(np.abs(turns) > 30.0) <= high  # five sixths of the circle
    if share == 1.0:
        np.testing.assert_allclose(np.quantile(turns, [0.25, 0.5, 0.75]), [-90, 0, 90], atol=9)


@pytest.mark.parametrize(
    "field, value",
    [("scale", (0.0, 1.0)), ("scale", (1.2, 0.8)), ("scale", (1.0, 1e3)), ("gain", (-0.1, 1.0)), ("rotation", 181.0),
     ("rotation", float("nan")), ("shift", 0.51), ("flip", 1.5), ("occlude", -0.1), ("full_turns", 2.0)],
)  # fmt: skip
def test_values_out_of_range_are_refused_by_the_name_of_the_flag(field, value):
    with pytest.raises(CUNetError, match=f"--{field}=.*give"):
        Augmentation(**{field: value})


@pytest.mark.parametrize("chance, low, high", [(0.0, 0.0, 0.0), (0.3, 0.26, 0.34), (1.0, 1.0, 1.0)])
def test_share_of_mirror_images(chance, low, high):
    share = np.mean([view.flip for view in draws(Augmentation(flip=chance))])
    assert low <= share <= high


@pytest.mark.parametrize("chance, low, high", [(0.0, 0.0, 0.0), (0.3, 0.26, 0.34), (1.0, 1.0, 1.0)])
def test_share_of_occluded_and_of_blurred_views(chance, low, high):
    views = draws(Augmentation(occlude=chance, blur=chance))
    assert low <= np.mean([view.occlusion is not None for view in views]) <= high
    assert low <= np.mean([view.blur > 0 for view in views]) <= high
    both = np.mean([view.occlusion is not None and view.blur > 0 for view in views])
    assert both == pytest.approx(chance**2, abs=0.04)  # one does not bring the other


@settings(deadline=None, max_examples=50)
@given(seeds)
def test_occlusion_covers_a_part_of_the_crop_and_blur_stays_small(key):
    view = Augmentation(occlude=1.0, blur=1.0).draw(random_stream(*key))
    x, y, width, height = view.occlusion
    assert 0.0 <= min(x, y) <= max(x, y) <= 0.9
    assert 0.1 <= min(width, height) <= max(width, height) <= 0.4
    assert 0.002 <= view.blur <= 0.02


def test_scale_is_uniform_in_the_logarithm():
    logs = np.log2([view.scale for view in draws(Augmentation(scale=(0.5, 4.0)))])
    quarters = np.quantile(logs, [0.25, 0.5, 0.75])
    np.testing.assert_allclose(quarters, [-0.25, 0.5, 1.25], atol=0.1)


def test_uniform_rotation_has_the_given_bound():
    turns = np.array([view.rotation for view in draws(Augmentation(rotation=30.0))])
    np.testing.assert_allclose(np.quantile(turns, [0.0, 0.25, 0.5, 0.75, 1.0]), [-30, -15, 0, 15, 30], atol=1.5)


def test_shift_goes_to_all_sides_alike():
    shifts = np.array([view.shift for view in draws(Augmentation(shift=0.2))])
    for axis in (0, 1):
        quarters = np.quantile(shifts[:, axis], [0.0, 0.25, 0.5, 0.75, 1.0])
        np.testing.assert_allclose(quarters, [-0.2, -0.1, 0.0, 0.1, 0.2], atol=0.015)
    assert abs(np.corrcoef(shifts.T)[0, 1]) < 0.1


def test_normal_rotation_has_the_given_sigma_cut_at_two():
    turns = np.array([view.rotation for view in draws(Augmentation(rotation=20.0, rotation_normal=True))])
    assert np.abs(turns).max() == 40.0
    assert np.mean(np.abs(turns) < 20.0) == pytest.approx(0.683, abs=0.03)
    assert np.mean(np.abs(turns) == 40.0) == pytest.approx(0.0455, abs=0.015)


def test_view_passes_each_of_its_values_to_the_crop():
    box = np.array([10.0, 20.0, 30.0, 40.0])  # centre (20, 30), side 20
    size = 40  # 2 crop pixels for one picture pixel, centre of the crop 19.5
    right_of_centre = np.array([25.0, 30.0])

    def place(**view):
        return apply(View(**view).matrix(box, 1.0, size), right_of_centre)

    np.testing.assert_allclose(place(), [29.5, 19.5])
    np.testing.assert_allclose(place(scale=1.5), [34.5, 19.5])
    np.testing.assert_allclose(place(rotation=90.0), [19.5, 9.5])
    np.testing.assert_allclose(place(shift=(0.1, -0.2)), [33.5, 11.5])
    np.testing.assert_allclose(place(flip=True), [9.5, 19.5])


def noise_image(rng: np.random.Generator, size: int = 100) -> np.ndarray:
    return rng.random((size, size, 3), np.float32)


def test_the_plain_view_leaves_the_colours_alone(rng):
    image = noise_image(rng)
    np.testing.assert_array_equal(View().colour(image), image)


def test_gain_multiplies_each_channel_and_stops_at_one(rng):
    image = noise_image(rng)
    coloured = View(gain=(0.5, 1.0, 1.4)).colour(image)
    assert coloured.dtype == np.float32
    np.testing.assert_allclose(coloured, np.minimum(image * [0.5, 1.0, 1.4], 1.0), atol=1e-6)


def test_occlusion_is_a_grey_rectangle_in_shares_of_the_side(rng):
    image = noise_image(rng)
    before = image.copy()
    covered = View(occlusion=(0.1, 0.6, 0.2, 0.3)).colour(image)
    inside = np.zeros((100, 100), bool)
    inside[60:90, 10:30] = True
    assert (covered[inside] == 0.5).all()
    np.testing.assert_array_equal(covered[~inside], image[~inside])
    np.testing.assert_array_equal(image, before)


def test_occlusion_over_the_edge_is_cut(rng):
    covered = View(occlusion=(0.9, 0.9, 0.4, 0.4)).colour(noise_image(rng))
    assert covered.shape == (100, 100, 3) and (covered[90:, 90:] == 0.5).all()


def test_blur_has_its_sigma_in_shares_of_the_side():
    image = np.zeros((100, 100, 3), np.float32)
    image[50, 50] = 1.0
    blurred = View(blur=0.02).colour(image)[..., 0].astype(np.float64)
    x = np.arange(100) - 50
    assert (blurred.sum(axis=0) * x**2).sum() == pytest.approx(2.0**2, rel=0.05)
    assert blurred.sum() == pytest.approx(1.0, rel=1e-3)
