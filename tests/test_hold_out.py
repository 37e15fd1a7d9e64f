"""Held-out pictures: whole, without overlap, the same each time."""

import dataclasses
from pathlib import Path

import pytest

from cunet_tf.data.hold_out import hold_out
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.errors import CUNetError
from cunet_tf.skeletons import FACE68


def test_hold_out_splits_without_overlap_and_repeatably():
    source = load_synthetic(FACE68, "1:50")
    training, validation = hold_out(source, 0.2)
    names = [{sample.name for sample in part} for part in (training, validation)]
    assert (len(training), len(validation)) == (40, 10)
    assert not names[0] & names[1] and len(names[0] | names[1]) == 50
    assert [s.name for s in hold_out(source, 0.2)[1]] == [s.name for s in validation]
    assert {s.name for s in hold_out(source, 0.2, seed=1)[1]} != names[1]
    with pytest.raises(CUNetError, match="leaves one side empty"):
        hold_out(source, 0.001)


def test_people_of_one_picture_stay_together():
    source = load_synthetic(FACE68, "1:40")
    pairs = [dataclasses.replace(s, picture=Path(f"{index // 2}.jpg")) for index, s in enumerate(source)]
    sides = [{s.picture for s in part} for part in hold_out(dataclasses.replace(source, samples=pairs), 0.3)]
    assert not sides[0] & sides[1] and len(sides[1]) == 6


def test_a_mirrored_copy_stays_with_its_picture():
    source = load_synthetic(FACE68, "1:40")
    names = [f"{index // 2}{'_mirror' * (index % 2)}.jpg" for index in range(40)]
    pairs = [dataclasses.replace(s, picture=Path(name)) for s, name in zip(source, names, strict=True)]
    sides = [{s.picture.stem.split("_")[0] for s in part}
             for part in hold_out(dataclasses.replace(source, samples=pairs), 0.3)]  # fmt: skip
    assert not sides[0] & sides[1] and len(sides[1]) == 6
