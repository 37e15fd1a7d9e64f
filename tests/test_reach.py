"""How far views look, and records that hold less."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cunet_tf.data.augment import NO_AUGMENTATION, Augmentation
from cunet_tf.data.geometry import apply, invert
from cunet_tf.data.pipeline import Examples
from cunet_tf.data.reach import reach, require_reach, turned
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.errors import CUNetError
from tests.networks import spec_of

BOX, CROP = np.array([10.0, 20.0, 60.0, 50.0]), 1.2


def test_closed_forms():
    assert reach(NO_AUGMENTATION) == 1.0
    assert turned(45.0) == turned(180.0) == pytest.approx(math.sqrt(2.0))
    assert reach(Augmentation(scale=(0.5, 1.0), shift=0.25)) == pytest.approx(3.0)
    assert reach(Augmentation(rotation=30.0)) == pytest.approx((math.sqrt(3.0) + 1.0) / 2.0)
    assert reach(Augmentation(rotation=10.0, rotation_normal=True)) == turned(20.0)
    assert reach(Augmentation(full_turns=0.1)) == turned(45.0)


@given(
    low=st.floats(0.3, 1.0), high=st.floats(1.0, 2.0), rotation=st.floats(0.0, 180.0), normal=st.booleans(),
    shift=st.floats(0.0, 0.5), turns=st.sampled_from([0.0, 1.0]), seed=st.integers(0, 99),
)  # fmt: skip
def test_no_view_shows_more(low, high, rotation, normal, shift, turns, seed):
    views = Augmentation((low, high), rotation, normal, shift, flip=0.5, full_turns=turns)
    matrix = views.draw(np.random.default_rng(seed)).matrix(BOX, CROP, 64)
    corners = apply(invert(matrix), np.array([[-0.5, -0.5], [63.5, -0.5], [-0.5, 63.5], [63.5, 63.5]]))
    half = reach(views) * CROP * 50.0 / 2.0
    assert (np.abs(corners - [35.0, 35.0]) <= half * (1 + 1e-9)).all()


def test_records_that_hold_less_are_refused_and_reduced_ones_are_said(capsys):
    spec = spec_of()
    source = replace(load_synthetic(spec.skeleton, "0:2"), reach=1.3, detail=40.0)
    Examples(source, spec)  # the plain crop is spec.crop_factor sides of the box
    assert "notice: the records of 0:2 were reduced to 40 pixels for a box, and 5" in capsys.readouterr().err
    with pytest.raises(CUNetError, match=r"may see 2\.3 sides .* the records hold 1\.3: pack again with --margin=2\.3"):
        Examples(source, spec.replace(crop_factor=1.15), Augmentation(scale=(0.5, 1.0)))
    require_reach(replace(source, reach=None), 99.0, "anything")
