"""Packed samples: the same examples, read one at a time, and faults named."""

import hashlib
import json
import tracemalloc
import zlib
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from cunet_tf.data import records
from cunet_tf.data.check import full_check
from cunet_tf.data.hold_out import hold_out
from cunet_tf.data.pipeline import Examples
from cunet_tf.data.records import Crop, load_records, splits_in
from cunet_tf.data.sharing import Share
from cunet_tf.data.sources import Request, load_source
from cunet_tf.data.tfrecord import framed
from cunet_tf.data.worker_pool import WorkerPool, cached
from cunet_tf.errors import CUNetError
from cunet_tf.skeletons import FACE68, LSP14
from cunet_tf.trainers.manifest import data_digest
from cunet_tf.trainers.recipes import FACE_MOBILE
from tests.networks import spec_of
from tests.records_folder import faces, packed, save_pictures

SPEC = spec_of().replace(crop_factor=FACE_MOBILE.crop_factor)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with twelve faces in several files."""
    folder = tmp_path_factory.mktemp("packed")
    assert len(packed(faces(), folder).shards) >= 3
    return folder


@pytest.fixture
def folder(made, tmp_path):
    """A copy that may be damaged."""
    for file in made.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def load(folder):
    return load_source("packed", Request(str(folder), "6:12", FACE68))


def test_examples_are_those_of_the_pictures(made):
    """Crops in PNG, not reduced: the same pixels but for rounding in the transform."""
    source = load(made)
    assert (source.name, source.split, source.box, source.skeleton) == ("packed", "synthetic 6:12", "tight", FACE68)
    assert source.reach == 2.3 and source.detail is None
    ours, theirs = (Examples(each, SPEC, FACE_MOBILE.augmentation, seed=3) for each in (faces(), source))
    for index in range(12):
        (image, target), (other, moved) = ours.make(1, index), theirs.make(1, index)
        np.testing.assert_allclose(target, moved, atol=1e-4)
        assert np.abs(image - other).mean() < 0.1 / 255 and np.abs(image - other).max() < 4 / 255
        assert source.samples[index].name == ours.source.samples[index].name


def test_workers_and_caches_read_records(made):
    examples = Examples(load(made), SPEC, FACE_MOBILE.augmentation)
    expected = examples.make_batch(2, np.arange(5))
    with WorkerPool(1, [examples], cache=10**8) as pool:
        for _ in range(2):
            found = pool.result(pool.submit(examples, 2, np.arange(5)))
            for one, two in zip(expected, found, strict=True):
                np.testing.assert_array_equal(one, two)
    kept = cached(examples.source, 10**8)
    assert kept.samples[3].load() is kept.samples[3].load()


def test_a_worker_of_several_reads_its_own_records_alone(made, monkeypatch):
    read = []
    real = records.read_record
    monkeypatch.setattr(records, "read_record", lambda *a: read.append(a[:2]) or real(*a))
    examples = Examples(load(made), SPEC)
    share = Share(replicas=2, first=1)
    list(examples.dataset(4, share=share))
    mine = np.concatenate(share.validation(12, 4))
    places = {(sample.picture.shard, sample.picture.offset) for sample in examples.source.subset(mine)}
    assert set(read) == places and len(read) == len(mine) == 6


def test_a_digest_and_a_check(made):
    source = load(made)
    digest = data_digest(source)
    assert digest == data_digest(load(made)) != data_digest(faces())
    longer = replace(source.samples[0].picture, length=1)
    changed = [replace(source.samples[0], picture=longer), *source.samples[1:]]
    assert data_digest(replace(source, samples=changed)) != digest
    assert not [finding for finding in full_check(source) if finding.severity == "error"]


def test_the_same_pictures_are_held_out(tmp_path):
    source = save_pictures(faces(8), tmp_path / "pictures")
    twice = [replace(source.samples[0], name="second person"), *source.samples]  # of one picture
    source = replace(source, samples=twice)
    packed(source, tmp_path / "packed")
    ours, theirs = (hold_out(each, 0.3) for each in (source, load_records(tmp_path / "packed", "6:8")))
    for one, two in zip(ours, theirs, strict=True):
        assert [sample.name for sample in one] == [sample.name for sample in two]


@pytest.mark.parametrize("ending", [".tfrecord", ".index"])
def test_files_that_are_missing_or_cut(folder, ending):
    file = sorted(folder.glob(f"*{ending}"))[1]
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    with pytest.raises(CUNetError, match=rf"{file.name}: .*(pack|copy it) again"):
        load(folder)
    file.unlink()
    with pytest.raises(CUNetError, match=rf"{file.name}: cannot be read"):
        load(folder)


def test_a_damaged_record_is_named_by_training_and_check(folder):
    file = sorted(folder.glob("*.tfrecord"))[1]
    data = bytearray(file.read_bytes())
    data[len(data) - 1000] ^= 4
    file.write_bytes(data)
    source = load(folder)
    broken = [sample for sample in source if sample.picture.shard == file][-1]
    place = rf"{file.name}, record {broken.picture.number} .{broken.name}."
    with pytest.raises(CUNetError, match=rf"{place}: its checksum is wrong"):
        broken.load()
    (finding,) = [finding for finding in full_check(source) if finding.severity == "error"]
    assert finding.sample == broken.name and finding.file == str(broken.picture)


def test_annotations_alone_are_kept(made):
    load(made)
    tracemalloc.start()
    source = load(made)
    each = tracemalloc.get_traced_memory()[0] / len(source)
    tracemalloc.stop()
    print(f"{each:.0f} bytes a sample of 68 points")  # 816 of them are the points and the mask
    assert 816 < each < 4000 < source.samples[0].picture.length


def test_a_record_of_another_sample(made):
    source = load(made)
    other = replace(source.samples[0].picture, name="another")
    with pytest.raises(CUNetError, match="holds face68/6/0, not another: copy it again"):
        other()
    assert isinstance(other, Crop)


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"version": 2}, "version 2 of the records, this cunet reads 1: pack again"),
        ({"finished": False}, "packing was stopped: give the same cunet pack command again"),
        ({"samples": 13}, "13 samples are said and 12 are there"),
        ({"margin": "wide"}, "margin: expected `float`"),
        ({"written_by": "somebody"}, "no index of records that cunet pack wrote"),
    ],
)
def test_an_index_that_does_not_fit(folder, changes, words):
    file = folder / "6_12.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    with pytest.raises(CUNetError, match=f"6_12.json.*{words}"):
        load(folder)


def test_places_outside_of_the_folder_are_refused(folder):
    file = folder / "6_12.json"
    content = json.loads(file.read_text())
    content["shards"][0]["file"] = "../6_12-00000.tfrecord"
    file.write_text(json.dumps(content))
    with pytest.raises(CUNetError, match="records of another folder are named"):
        load(folder)


def test_other_folders_splits_boxes_and_landmarks(made, tmp_path):
    def ask(root, split="6:12", box=None):
        return load_source("packed", Request(root, split, FACE68, box=box))

    with pytest.raises(CUNetError, match="--data=packed needs --root"):
        ask(None)
    with pytest.raises(CUNetError, match="none: no such folder"):
        ask(str(tmp_path / "none"))
    with pytest.raises(CUNetError, match="split 'train' is not packed there. No split is packed there"):
        ask(str(tmp_path), "train")
    with pytest.raises(CUNetError, match="split '6:13' is not packed there. Did you mean '6:12'"):
        ask(str(made), "6:13")
    with pytest.raises(CUNetError, match="--box=given: the records were cut around tight boxes"):
        ask(str(made), box="given")
    assert len(ask(str(made), box="tight")) == 12
    with pytest.raises(CUNetError, match="the model finds 14 landmarks"):
        Examples(load(made), SPEC.with_skeleton(LSP14))


@pytest.mark.parametrize("seed", range(30))
def test_whatever_is_changed_is_refused_in_a_sentence_or_does_not_matter(folder, seed):
    rng = np.random.default_rng(seed)
    files = sorted(folder.iterdir())
    file = files[int(rng.integers(len(files)))] if seed % 3 else folder / "6_12.json"
    data = bytearray(file.read_bytes())
    place = int(rng.integers(len(data)))
    data[place : place + int(rng.integers(3))] = rng.bytes(int(rng.integers(1, 3)))
    file.write_bytes(data)
    try:
        for sample in load(folder):
            sample.load()
    except CUNetError as error:
        assert str(folder) in str(error)


# Columns that were changed, and told so -----------------------------------------------------


def rewrite(folder, **changes):
    """Columns of the first shard changed, with the sum that the index of the split has of them; their file."""
    index = folder / "6_12.json"
    content = json.loads(index.read_text())
    shard = content["shards"][0]
    file = (folder / shard["file"]).with_suffix(".index")
    columns = msgspec.msgpack.decode(file.read_bytes())
    data = changes.get("data") or msgspec.msgpack.encode(
        {**columns, **{key: change(columns[key]) for key, change in changes.items()}}
    )
    file.write_bytes(data)
    shard["sha256_of_index"] = hashlib.sha256(data).hexdigest()
    index.write_text(json.dumps(content))
    return file


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"names": lambda names: names[1:]}, "names: not . of them"),
        ({"subsets": lambda names: [*names, "x"]}, "names: not . of them"),
        ({"boxes": lambda data: data[:-1]}, r"boxes: \d+ bytes do not fit"),
        ({"heads": lambda data: data + bytes(8)}, r"heads: \d+ bytes do not fit"),
        ({"points": lambda data: "text"}, "not readable .*points"),
        ({"offsets": lambda data: b"\xff" * 8 + data[8:]}, "record 0: lies outside of its file"),
        ({"lengths": lambda data: data[:7] + b"\x7f" + data[8:]}, "record 0: lies outside of its file"),
        ({"data": b"\xc1"}, "not readable"),
    ],
)
def test_columns_that_do_not_fit_are_named(folder, changes, words):
    file = rewrite(folder, **changes)
    with pytest.raises(CUNetError, match=f"{file.name}.*{words}.*copy it again, or pack again"):
        load(folder)


def test_columns_of_another_packing_are_not_taken(folder):
    file = sorted(folder.glob("*.index"))[0]
    file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(CUNetError, match=f"{file.name}: not the file that was written with {file.stem}.tfrecord"):
        load(folder)


def test_a_head_size_is_there_or_not(folder):
    sizes = [12.5] + [float("nan")] * 3
    rewrite(folder, heads=lambda data: np.resize(sizes, len(data) // 8).tobytes())
    heads = [sample.head for sample in load(folder)]
    assert heads[:2] == [12.5, None] and heads[-1] is None


@pytest.mark.parametrize("payload, words", [(b"\xc1", "no record of cunet pack"), (b"\x80", "no record .*name")])
def test_a_sound_record_of_something_else(tmp_path, payload, words):
    (tmp_path / "a.tfrecord").write_bytes(framed(payload))
    crop = Crop(tmp_path / "a.tfrecord", 3, 0, len(payload), zlib.crc32(payload), "one", "")
    with pytest.raises(CUNetError, match=rf"a.tfrecord, record 3 \(one\): {words}"):
        crop()


def test_other_json_in_the_folder_is_passed_over(folder):
    (folder / "notes.json").write_text("{}")
    (folder / "broken.json").write_text("{")
    assert list(splits_in(folder)) == ["6:12"]
