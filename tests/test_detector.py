"""Detectors on a photograph in the public domain, and on scenes without anybody."""

import cv2
import numpy as np
import pytest

from cunet_tf import detector as module
from cunet_tf.blaze import BlazeDetector, anchor_centres, average_clusters
from cunet_tf.boxes import Detection, overlap
from cunet_tf.data.sample import read_image
from cunet_tf.data.scene import background
from cunet_tf.detector import best_of_each, detect, load_detector, tiles
from cunet_tf.errors import CUNetError
from tests.test_readme import ROOT

PHOTO = ROOT / "docs/pictures/astronaut.jpg"


@pytest.fixture(scope="module")
def photo():
    return read_image(PHOTO)


@pytest.fixture(scope="module")
def face(photo):
    (found,) = detect(photo)
    return found


def test_one_face_is_found_upright(photo, face):
    x0, y0, x1, y1 = face.box
    assert face.score > 0.8 and abs(face.roll) < 20
    assert 0 < x0 < x1 < photo.shape[1] and 0 < y0 < y1 < photo.shape[0]


@pytest.mark.parametrize("turn", [90, -60, 30])
def test_roll_is_clockwise(photo, face, turn):
    centre = face.box.reshape(2, 2).mean(axis=0)
    matrix = cv2.getRotationMatrix2D(centre.tolist(), -turn / 2, 1.0)  # OpenCV turns the other way round
    (found,) = detect(cv2.warpAffine(photo, matrix, photo.shape[1::-1]))
    assert found.roll - face.roll == pytest.approx(turn / 2, abs=8)


def test_small_faces_in_a_big_picture_are_found_once_each(photo, face):
    low, high = np.split(face.box.round().astype(int), 2)
    margin = (high - low) // 2
    head = photo[max(0, low[1] - margin[1]) : high[1] + margin[1], low[0] - margin[0] : high[0] + margin[0]]
    scene = np.full((1200, 1600, 3), 90, np.uint8)
    places = [(60, 80, 500), (900, 700, 120), (1300, 100, 90), (700, 150, 180)]
    for x, y, side in places:
        small = cv2.resize(head, (side, side * head.shape[0] // head.shape[1]), interpolation=cv2.INTER_AREA)
        scene[y : y + small.shape[0], x : x + side] = small
    found = detect(scene)
    assert len(found) == len(places)
    for x, y, side in places:
        assert any(np.linalg.norm(each.box.reshape(2, 2).mean(axis=0) - [x + side / 2, y + side / 2]) < side / 3
                   for each in found)  # fmt: skip


def test_nothing_is_found_where_nothing_is():
    rng = np.random.default_rng(0)
    for side in (100, 400, 900):
        assert detect(background(rng, side)) == []


def test_anchors_lie_in_rows_from_corner_to_corner():
    centres = anchor_centres(((2, 3), (1, 2)))
    assert centres.shape == (14, 2)
    np.testing.assert_allclose(
        centres[[0, 2, 3, 6, 13]], [[0.25, 0.25], [0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.5, 0.5]]
    )


def test_overlapping_boxes_are_averaged_by_their_scores():
    points = np.array([[[0, 0], [10, 10]], [[1, 0], [11, 10]], [[50, 50], [60, 60]]], float)
    first, second = average_clusters(points, np.array([0.9, 0.6, 0.8]))
    np.testing.assert_allclose(first[0], [[0.4, 0], [10.4, 10]])
    assert (first[1], second[1]) == (0.9, 0.8)


@pytest.mark.parametrize("width, height", [(300, 200), (400, 300), (512, 512), (1600, 900), (900, 3000)])
def test_tiles_cover_a_picture(width, height):
    covered = np.zeros((height, width), int)
    sides = set()
    for x0, y0, x1, y1 in tiles(width, height):
        sides.add(x1 - x0)
        covered[max(0, round(y0)) : round(y1 + 0.5), max(0, round(x0)) : round(x1 + 0.5)] += 1
    assert all(side >= 160 for side in sides)
    assert covered.min() > 0 if max(width, height) >= 320 else not sides


def test_of_boxes_within_each_other_the_surer_stays():
    box = np.array([0.0, 0.0, 10.0, 10.0])
    found = best_of_each([Detection(box, 0.7), Detection(box * 0.4 + 2, 0.9), Detection(box + 50, 0.6)])
    assert [each.score for each in found] == [0.9, 0.6]
    assert overlap(found[0].box, found[1].box[None])[0] == 0


def test_files_that_are_no_detectors_are_refused(tmp_path):
    with pytest.raises(CUNetError, match="auto, none, or"):
        load_detector("nowhere.tflite")
    (tmp_path / "x.onnx").write_bytes(b"nonsense")
    with pytest.raises(CUNetError, match="YuNet"):
        load_detector(str(tmp_path / "x.onnx"))
    from cunet_tf.files.shipped import find_model
    from cunet_tf.files.tflite import read_model

    with pytest.raises(CUNetError, match="not those of BlazeFace"):
        BlazeDetector(read_model(find_model("face-mobile")))


def test_without_the_package_one_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(module, "PACKAGE", "no-such-package")
    module._faces.cache_clear()
    try:
        with pytest.raises(CUNetError, match="pip install"):
            load_detector()
    finally:
        module._faces.cache_clear()
