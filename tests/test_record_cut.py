"""Where crops for records lie, and what they hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cunet_tf.data.record_cut import Cut, Place, place_of
from cunet_tf.errors import CUNetError

PICTURE = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)


def test_an_unreduced_crop_is_a_part_of_the_picture():
    place = place_of(Cut(1.5, 100.0), np.array([40.0, 30.0, 60.0, 40.0]), 120, 90)
    assert place == Place((34, 19), (32, 32), 1)  # the box' side is 20, its centre (50, 35), a pixel more on each side
    np.testing.assert_array_equal(place.cut(PICTURE), PICTURE[19:51, 34:66])
    np.testing.assert_array_equal(place.to_crop(np.array([40.0, 30.0])), [6.0, 11.0])


def test_a_reduced_crop_holds_the_means_of_blocks():
    place = place_of(Cut(1.0, 10.0), np.array([40.0, 30.0, 60.0, 40.0]), 120, 90)
    (x, y), (width, height) = place.corner, place.size
    assert place.factor == 2 and x % 2 == y % 2 == 0
    blocks = PICTURE[y : y + 2 * height, x : x + 2 * width].reshape(height, 2, width, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(place.cut(PICTURE), blocks, atol=0.51)
    np.testing.assert_allclose(place.to_crop(np.array([x + 0.5, y + 0.5])), [0.0, 0.0])


sides = st.floats(-200.0, 400.0)


@given(x=sides, y=sides, side=st.floats(1.0, 300.0), margin=st.floats(1.0, 5.0), detail=st.floats(1.0, 300.0))
def test_a_crop_lies_in_the_picture_and_holds_what_is_asked_for(x, y, side, margin, detail):
    place = place_of(Cut(margin, detail), np.array([x, y, x + side, y + side / 2]), 120, 90)
    low, ends = np.array(place.corner), np.array(place.corner) + np.array(place.size) * place.factor
    assert (low >= 0).all() and (np.array(place.size) >= 1).all() and (ends <= [120, 90]).all()
    assert place.factor == 1 or side / place.factor >= detail
    middle, half = np.array([x + side / 2, y + side / 4]), margin * side / 2
    blocks = np.array([120, 90]) // place.factor * place.factor
    wanted_low, wanted_end = np.clip(middle - half, 0, blocks), np.clip(middle + half, 0, blocks)
    inside = wanted_end > wanted_low
    assert (low <= wanted_low)[inside].all() and (ends >= wanted_end)[inside].all()


@given(x=sides, y=sides, factor=st.integers(1, 9))
def test_points_come_back(x, y, factor):
    place = Place((7 * factor, 3 * factor), (10, 10), factor)
    np.testing.assert_allclose(place.to_picture(place.to_crop(np.array([x, y]))), [x, y], atol=1e-9)


def test_a_margin_out_of_range():
    with pytest.raises(CUNetError, match="--margin=0.5: give the side of what is kept in sides of the box"):
        Cut(0.5, 100.0)
