"""Packing stops and goes on, keeps what is finished, and replaces nothing of others."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
import tensorflow as tf

from cunet_tf.data.record_cut import Cut
from cunet_tf.data.records import load_records
from cunet_tf.data.records_schema import Record, stem_of
from cunet_tf.data.records_write import Packing
from cunet_tf.errors import CUNetError
from tests.records_folder import PNG, faces, packed, save_pictures


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_a_stopped_packing_goes_on_where_it_was(tmp_path):
    source = faces()
    packed(source, tmp_path / "whole")
    lost = replace(source.samples[9], picture=tmp_path / "lost.jpg")
    with pytest.raises(CUNetError, match=r"lost\.jpg"):
        packed(replace(source, samples=[*source.samples[:9], lost, *source.samples[10:]]), tmp_path / "part")
    assert len(list((tmp_path / "part").glob("*.tfrecord"))) >= 1 and not list((tmp_path / "part").glob(".tmp*"))
    with pytest.raises(CUNetError, match="packing was stopped"):
        load_records(tmp_path / "part", "6:12")
    (tmp_path / "part" / ".tmp-1-abc-6_12-00001.tfrecord").write_bytes(b"half")
    first = tmp_path / "part" / "6_12-00000.tfrecord"
    before = first.stat().st_mtime_ns
    packed(source, tmp_path / "part")
    assert first.stat().st_mtime_ns == before and bytes_of(tmp_path / "part") == bytes_of(tmp_path / "whole")


def test_files_that_were_lost_are_made_again_and_whole_folders_are_left(tmp_path):
    packed(faces(), tmp_path)
    whole = bytes_of(tmp_path)
    times = {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    packed(faces(), tmp_path)
    assert times == {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    (tmp_path / "6_12-00001.tfrecord").unlink()
    (tmp_path / "6_12-00002.index").write_bytes(b"half")
    with pytest.raises(CUNetError, match="6_12-00002.index exists and was not written by cunet"):
        packed(faces(), tmp_path)
    (tmp_path / "6_12-00002.index").unlink()
    packed(faces(), tmp_path)
    assert bytes_of(tmp_path) == whole


def test_other_packings_of_a_split_are_refused_and_other_splits_are_not(tmp_path):
    packed(faces(), tmp_path)
    with pytest.raises(CUNetError, match="holds this split packed otherwise .format is 'png', not 'jpeg'.: remove it"):
        packed(faces(), tmp_path, replace(PNG, format="jpeg"))
    packed(faces(3), tmp_path)
    assert [len(load_records(tmp_path, split)) for split in ("6:3", "6:12")] == [3, 12]


def test_files_of_others_stay(tmp_path):
    for name in ("6_3.json", "6_3-00000.tfrecord"):
        (tmp_path / name).write_text("mine")
        with pytest.raises(CUNetError, match=f"{name} exists and was not written by cunet"):
            packed(faces(3), tmp_path)
        (tmp_path / name).unlink()


def test_tensorflow_reads_the_records(tmp_path):
    packed(faces(3), tmp_path)
    files = sorted(map(str, tmp_path.glob("*.tfrecord")))
    payloads = [each.numpy() for each in tf.data.TFRecordDataset(files)]
    records = [msgspec.msgpack.decode(payload, type=Record) for payload in payloads]
    source = load_records(tmp_path, "6:3")
    assert [record.name for record in records] == [sample.name for sample in source]
    for record, sample in zip(records, source, strict=True):
        np.testing.assert_array_equal(np.frombuffer(record.points, "<f4").reshape(-1, 2), sample.points)
        np.testing.assert_array_equal(tf.io.decode_png(record.image), sample.load())
        width, height = record.size
        assert record.picture_size == (160, 160) and sample.load().shape == (height, width, 3)


def test_a_jpeg_all_of_which_is_kept_stays_as_it_is(tmp_path):
    source = save_pictures(faces(2), tmp_path / "pictures")
    wide = Packing(Cut(20.0, 1000.0))
    packed(source, tmp_path / "wide", wide)
    packed(source, tmp_path / "tight", replace(wide, cut=Cut(1.2, 1000.0)))
    for number, sample in enumerate(load_records(tmp_path / "wide", "6:2")):
        file = source.samples[number].picture
        assert sample.picture.read().image == file.read_bytes()
        assert sample.picture.origin == f"part{number}/{file.name}"
    (whole, part) = (load_records(tmp_path / name, "6:2").samples[0].load() for name in ("wide", "tight"))
    assert part.shape < whole.shape


def test_reduced_records_keep_points_boxes_and_heads_in_their_pixels(tmp_path):
    (sample,) = faces(1)
    source = replace(faces(1), samples=[replace(sample, head=40.0)])
    side = max(sample.box[2:] - sample.box[:2])
    packed(source, tmp_path, replace(PNG, cut=Cut(1.5, side / 2.5)))
    loaded = load_records(tmp_path, "6:1")
    (small,) = loaded
    assert loaded.detail == side / 2.5 and small.head == 20.0
    assert max(small.box[2:] - small.box[:2]) == pytest.approx(side / 2)
    distances = [np.linalg.norm(each.points[36] - each.points[45]) for each in (sample, small)]
    assert distances[0] == pytest.approx(2 * distances[1], rel=1e-5)


@pytest.mark.parametrize("split, stem", [("helen/testset", "helen_testset"), ("7:500", "7_500"), ("..", "all"),
                                         ("lfpw/trainset@rest,afw", "lfpw_trainset@rest,afw")])  # fmt: skip
def test_file_names_of_splits(split, stem):
    assert stem_of(split) == stem
