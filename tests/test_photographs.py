"""Photographs of strangers: the page's example, its figures, a collage, and a scene without anybody."""

import csv
import re

import cv2
import numpy as np
import pytest

from cunet_tf.data.geometry import tight_box
from cunet_tf.data.scene import background
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.errors import CUNetError
from cunet_tf.localizer import Localizer
from cunet_tf.skeletons import FACE68
from tests.test_readme import ROOT

PAGE = (ROOT / "docs/photographs.md").read_text()
PHOTO = ROOT / "docs/pictures/astronaut.jpg"
FACE = np.array([112.0, 84.0, 214.0, 185.0])  # by eye


@pytest.fixture(scope="module")
def localizer():
    return Localizer.load("face-mobile")


def rows_of(name):
    with (ROOT / "docs/results" / name).open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_pages_example_runs(tmp_path, monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.jpg").write_bytes(PHOTO.read_bytes())
    scope = {}
    exec(compile(code, "photographs.md", "exec"), scope)
    assert "(68, 2)" in capsys.readouterr().out
    assert scope["picture"].shape == (600, 680, 3) and len(scope["boxes"]) == 1


def test_the_page_quotes_the_committed_figures():
    for row in rows_of("boxes.csv"):
        nme, failed = f"{float(row['nme_percent']):.3f}", f"{float(row['failure_percent']):.2f} %"
        if row["boxes"] == "blazeface" and row["looks"] != "3":
            assert f"| {nme} | {failed} |" in PAGE.replace("*", ""), row
    shares = {(row["looks"], row["results"]): row for row in rows_of("confidence_face-mobile.csv")}
    for name in ("good", "failed", "lost"):
        row = shares["one look", name]
        assert f"{float(row['below_threshold_percent']):.1f} % of {int(row['count']):,}" in PAGE, row


def test_the_face_of_the_photograph_is_found_with_confidence(localizer):
    (face,) = localizer.locate_all(str(PHOTO))
    assert face.found and face.confidence > 0.8 and face.box_from == "detector"
    np.testing.assert_allclose(tight_box(face.points), FACE, atol=12)
    turned = cv2.rotate(cv2.imread(str(PHOTO))[..., ::-1].copy(), cv2.ROTATE_180)
    assert not any(each.found for each in localizer.locate_all(turned))  # upside down: nothing, not garbage


def test_every_face_of_a_collage_is_found_once(localizer):
    scene = cv2.resize(background(np.random.default_rng(3), 300), (1200, 900))
    places = [(30, 40, 400), (500, 60, 160), (700, 300, 240), (1000, 60, 110), (1050, 700, 90), (480, 500, 300)]
    true = []
    for (x, y, side), sample in zip(places, load_synthetic(FACE68, "20:6"), strict=True):
        scene[y : y + side, x : x + side] = cv2.resize(sample.load(), (side, side), interpolation=cv2.INTER_AREA)
        true.append((sample.points + 0.5) * side / 160 - 0.5 + [x, y])
    found = localizer.locate_all(scene)
    assert len(found) == len(places) and all(face.found for face in found)
    for points in true:
        apart = min(np.linalg.norm(face.points - points, axis=1).mean() for face in found)
        assert apart < 0.12 * np.linalg.norm(points[36] - points[45])


def test_nobody_is_found_in_an_empty_scene(localizer):
    for seed in range(4):
        assert localizer.locate_all(background(np.random.default_rng(seed), 400)) == []


def test_a_whole_picture_closes_in_on_the_face(localizer):
    picture = cv2.imread(str(PHOTO))[30:230, 60:270, ::-1]
    face = localizer.locate(picture)
    assert face.box_from == "whole picture" and face.found
    np.testing.assert_allclose(tight_box(face.points), FACE - [60, 30, 60, 30], atol=14)
    assert not localizer.locate(PHOTO).found  # the face fills too little of this picture to be closed in on


def test_a_box_beside_the_face_is_not_found(localizer):
    assert not localizer.locate(PHOTO, (0, 150, 100, 280)).found


def test_a_head_that_lies_is_turned_upright(localizer):
    upright = cv2.imread(str(PHOTO))[..., ::-1].copy()
    (face,) = localizer.locate_all(upright)
    matrix = cv2.getRotationMatrix2D((163.0, 135.0), 40, 1.0)
    (turned,) = localizer.locate_all(cv2.warpAffine(upright, matrix, (340, 300)))
    expected = face.points @ matrix[:, :2].T + matrix[:, 2]
    eyes = np.linalg.norm(face.points[36] - face.points[45])
    assert turned.found and np.linalg.norm(turned.points - expected, axis=1).mean() < 0.06 * eyes


def test_what_a_caller_hands_over_is_told_apart(localizer):
    picture = cv2.imread(str(PHOTO))
    for call, words in [
        (lambda: localizer.locate(picture / 255.0), "uint8 in 0..255"),
        (lambda: localizer.locate(picture, (50, 50, 10, 10)), "empty or reversed"),
        (lambda: localizer.locate(picture, (500, 500, 600, 600)), "outside the picture"),
        (lambda: localizer.locate_batch([picture], []), "1 pictures and 0 boxes"),
        (lambda: Localizer(object()), "a Localizer runs an engine, not a object"),
        (lambda: Localizer.load("pose-mobile").locate_all(picture), "takes boxes of pose_detection"),
    ]:
        with pytest.raises(CUNetError, match=words):
            call()
    assert localizer.locate_batch([], []) == []
