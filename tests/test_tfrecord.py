"""The same files as TensorFlow's own writer makes, and faults named."""

import zlib

import pytest
import tensorflow as tf

from cunet_tf.data.tfrecord import FRAME, framed, read_record
from cunet_tf.errors import FaultyFile

PAYLOADS = [b"", b"one", bytes(range(256)) * 13]


@pytest.fixture
def file(tmp_path):
    target = tmp_path / "a.tfrecord"
    target.write_bytes(b"".join(map(framed, PAYLOADS)))
    return target


def places():
    offset = 0
    for payload in PAYLOADS:
        yield offset, payload
        offset += FRAME + len(payload)


def test_tensorflow_writes_the_same_bytes_and_reads_them(file, tmp_path):
    with tf.io.TFRecordWriter(str(tmp_path / "b.tfrecord")) as writer:
        for payload in PAYLOADS:
            writer.write(payload)
    assert (tmp_path / "b.tfrecord").read_bytes() == file.read_bytes()
    assert [each.numpy() for each in tf.data.TFRecordDataset(str(file))] == PAYLOADS


def test_records_are_read_in_any_order(file):
    for offset, payload in reversed(list(places())):
        assert read_record(file, offset, len(payload)) == payload


@pytest.mark.parametrize("place, words", [(3, "length is not"), (20, "checksum is wrong"), (-1, "checksum is wrong")])
def test_a_changed_byte_is_found(file, place, words):
    data = bytearray(file.read_bytes())
    offset, payload = list(places())[2]
    data[offset + place if place >= 0 else place] ^= 1
    file.write_bytes(data)
    with pytest.raises(FaultyFile, match=f"here: .*{words}.*: copy the file again, or pack again"):
        read_record(file, offset, len(payload), "here")


def test_a_checksum_that_is_known_takes_the_place_of_the_file_s_own(file):
    offset, payload = list(places())[2]
    assert read_record(file, offset, len(payload), check=zlib.crc32(payload)) == payload
    with pytest.raises(FaultyFile, match="checksum is wrong"):
        read_record(file, offset, len(payload), check=1)


def test_files_that_end_early_or_are_not_there(file, tmp_path):
    offset, payload = list(places())[2]
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(FaultyFile, match=r"a\.tfrecord: the file ends within this record"):
        read_record(file, offset, len(payload))
    with pytest.raises(FaultyFile, match=r"none\.tfrecord: cannot be read \(No such file"):
        read_record(tmp_path / "none.tfrecord", 0, 1)
