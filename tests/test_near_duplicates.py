"""Copies of a picture are found, other pictures are not: drawn ones as files, and real ones where they are."""

import tracemalloc
from time import perf_counter

import cv2
import numpy as np
import pytest

from cunet_tf.data.check import full_check
from cunet_tf.data.near_duplicates import BITS, coincide, hash_distances, near_pairs, picture_hash
from cunet_tf.data.sample import Sample, Source
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.data.w300 import load_300w
from cunet_tf.skeletons import FACE68, LSP14
from tests.test_check import write_face, write_sound

COPIES = {
    "encoded anew": lambda image: cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], 1),
    "resized": lambda image: cv2.resize(image, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA),
    "brightened": lambda image: np.clip(image * 1.25 + 15.0, 0, 255).astype(np.uint8),
    "cropped": lambda image: crop(image, 0.015),
    "mirrored": lambda image: np.ascontiguousarray(image[:, ::-1]),
    "all of it": lambda image: COPIES["encoded anew"](COPIES["mirrored"](crop(image, 0.015))),
}


def crop(image, share):
    """A picture without this share of each side at each of its edges."""
    height, width = (round(side * share) for side in image.shape[:2])
    return np.ascontiguousarray(image[height:-height, width:-width])


def write(folder, name, image):
    file = folder / f"{name}.png"
    cv2.imwrite(str(file), image[..., ::-1])
    return file


def pairs_of(files):
    hashes = np.array([picture_hash(cv2.imread(str(file))[..., ::-1]) for file in files])
    return list(near_pairs(files, hashes))


@pytest.fixture(scope="module")
def drawn():
    return [sample.load() for sample in load_synthetic(FACE68, "3:60")]


@pytest.mark.parametrize("copy", COPIES)
def test_each_copy_finds_its_original_and_nothing_else(drawn, copy, tmp_path):
    files = [write(tmp_path, f"{place:02}", image) for place, image in enumerate(drawn[:20])]
    files += [write(tmp_path, f"{place:02}_copy", COPIES[copy](image)) for place, image in enumerate(drawn[:20])]
    assert pairs_of(files) == [(20 + place, place) for place in range(20)]


@pytest.mark.parametrize("skeleton", [FACE68, LSP14])
def test_different_drawings_are_no_duplicates(skeleton, tmp_path):
    files = [write(tmp_path, f"{place:03}", sample.load()) for place, sample in
             enumerate(load_synthetic(skeleton, "0:150"))]  # fmt: skip
    assert pairs_of(files) == []


def test_the_hash_of_a_mirror_image_is_as_far_from_all_others(drawn):
    hashes = np.array([picture_hash(image) for image in drawn])
    mirrored = np.array([picture_hash(np.ascontiguousarray(image[:, ::-1])) for image in drawn])
    distances = hash_distances(hashes, hashes)
    assert hashes.shape == (60, BITS) and set(np.unique(hashes)) == {-1, 1}
    np.testing.assert_array_equal(distances, distances.T)
    np.testing.assert_array_equal(distances.diagonal(), 0)
    np.testing.assert_allclose(hash_distances(mirrored, hashes), distances, atol=2)
    naive = [[min((a != b).sum(), (a != c).sum()) for b, c in zip(hashes, mirrored, strict=True)] for a in hashes]
    np.testing.assert_allclose(distances, naive, atol=2)


def test_coincidence_does_not_depend_on_the_order(drawn):
    small = [cv2.resize(image[..., 1], (64, 64), interpolation=cv2.INTER_AREA) for image in drawn[:12]]
    small += [np.ascontiguousarray(image[2:-1, 1:-2][:, ::-1]) for image in small[:6]]
    small[12:] = [cv2.resize(image, (64, 64)) for image in small[12:]]
    answers = np.array([[coincide(one, other) for other in small] for one in small])
    np.testing.assert_array_equal(answers, answers.T)
    assert answers.diagonal().all() and answers[np.arange(6), np.arange(12, 18)].all() and answers.sum() == 18 + 12


def test_pictures_of_one_colour_and_absent_files_are_like_nothing(tmp_path):
    flat = [write(tmp_path, name, np.full((40, 50, 3), level, np.uint8)) for name, level in (("a", 0), ("b", 255))]
    assert pairs_of(flat) == []
    gone = [tmp_path / "gone.png", tmp_path / "too.png"]
    assert list(near_pairs(gone, np.ones((2, BITS), np.int8))) == []
    assert list(near_pairs([], np.zeros((0, BITS), np.int8), (flat, np.ones((2, BITS), np.int8)))) == []
    assert list(near_pairs(flat, np.ones((2, BITS), np.int8), ([], np.zeros((0, BITS), np.int8)))) == []


def test_check_names_both_files_within_a_split_and_across_splits(tmp_path):
    write_sound(tmp_path / "afw", 3)
    write_sound(tmp_path / "ibug", 2, seed=7)
    for number, (folder, copy) in enumerate((("afw", "resized"), ("ibug", "brightened")), 1):
        sample = load_synthetic(FACE68, "6:3").samples[number]
        write_face(tmp_path / folder / "zcopy", sample)
        write(tmp_path / folder, "zcopy", COPIES[copy](sample.load()))
    findings = full_check(load_300w(str(tmp_path), "afw"), against=load_300w(str(tmp_path), "ibug"))
    near = {finding.kind: finding for finding in findings if finding.kind.startswith("near")}
    assert {finding.severity for finding in near.values()} == {"warning"} and len(near) == 2
    assert near["near duplicate"].file.endswith("afw/zcopy.png") and "afw/sound01.png" in str(near["near duplicate"])
    across = near["nearly in both splits"]
    assert across.file.endswith("afw/sound02.png") and "split ibug: " in str(across) and "ibug/zcopy.png" in str(across)


def test_what_is_the_same_is_no_near_duplicate_and_drawn_samples_are_not_compared(drawn, tmp_path):
    file = write(tmp_path, "a", drawn[0])
    (tmp_path / "b.png").write_bytes(file.read_bytes())
    points = load_synthetic(FACE68, "3:1").samples[0]
    samples = [Sample(name, "all", points.points, points.mask, points.box, tmp_path / name)
               for name in ("a.png", "b.png")]  # fmt: skip
    assert [each.kind for each in full_check(Source("mine", "all", FACE68, samples))] == ["duplicate picture"]
    twice = [Sample(str(k), "all", points.points, points.mask, points.box, lambda k=k: drawn[0] + np.uint8(k))
             for k in range(2)]  # fmt: skip
    assert full_check(Source("mine", "all", FACE68, twice)) == []


def test_thousands_are_compared_in_seconds_and_little_memory(drawn, tmp_path):
    rng = np.random.default_rng(0)
    hashes = rng.choice(np.array([-1, 1], np.int8), (8000, BITS))
    hashes[5000] = hashes[17]
    files = [write(tmp_path, "a", drawn[0])] * len(hashes)
    tracemalloc.start()
    start = perf_counter()
    assert list(near_pairs(files, hashes)) == [(5000, 17)]
    seconds, peak = perf_counter() - start, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seconds < 30 and peak < 100e6


@pytest.mark.slow  # hundreds of real pictures
def test_recall_on_real_faces(w300_root, tmp_path):
    """200 faces, copied in each way: how many of the copies find their original."""
    faces = load_300w(str(w300_root), "helen/trainset").samples[::4][:200]
    images, files = [face.load() for face in faces], [face.picture for face in faces]
    originals = np.array([picture_hash(image) for image in images])
    recall = {}
    for name, make in {**COPIES, "cropped by 6 %": lambda image: crop(image, 0.03)}.items():
        copies = [make(image) for image in images]
        places = [tmp_path / f"{name}_{place}.bmp" for place in range(len(copies))]
        for file, copy in zip(places, copies, strict=True):
            cv2.imwrite(str(file), copy[..., ::-1])
        found = near_pairs(places, np.array([picture_hash(copy) for copy in copies]), (files, originals))
        recall[name] = sum(place == original for place, original in found) / len(files)
    print(recall)
    assert recall.pop("cropped by 6 %") >= 0.95 and min(recall.values()) >= 0.98, recall
