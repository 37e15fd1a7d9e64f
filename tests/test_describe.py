"""The command that measures a model's confidence, on drawn faces, and its parts."""

import csv

import numpy as np
import pytest

from cunet_tf.boxes import BoxMap, Detection
from cunet_tf.data.sample import Source
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.engines import load_engine
from cunet_tf.errors import CUNetError
from cunet_tf.localizer import Localizer
from cunet_tf.skeletons import FACE68, Skeleton
from cunet_tf.trainers.study.describe.__main__ import main
from cunet_tf.trainers.study.describe.fitting import fit_box_map, shape_of
from cunet_tf.trainers.study.describe.logistic import fit_logistic
from cunet_tf.trainers.study.describe.views import KINDS, disturbed, moved


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    folder = tmp_path_factory.mktemp("described")
    flags = ["--model=face-mobile", "--data=synthetic", "--split=0:60", "--test_split=1:40", "--images=60"]
    assert main(["describe", *flags, f"--out={folder / 'new.cunet'}", f"--results={folder}"]) == 0
    return folder


@pytest.mark.slow  # finds thousands of views for a description
def test_the_file_tells_good_results_from_lost_ones(described):
    localizer = Localizer.load(str(described / "new.cunet"))
    samples = load_synthetic(FACE68, "2:20").samples
    good = [localizer.locate(sample.load(), sample.box) for sample in samples]
    beside = [localizer.locate(sample.load(), [0, 0, 40, 40]) for sample in samples]
    assert sum(each.found for each in good) >= 15 and sum(each.found for each in beside) <= 2
    assert all(0 <= each.confidence <= 1 for each in good + beside)
    assert np.mean([each.visible.mean() for each in good]) > 0.6 and not any(each.visible.any() for each in beside if
                                                                           not each.found)  # fmt: skip


@pytest.mark.slow  # finds thousands of views for a description
def test_the_network_is_the_same(described):
    images = np.random.default_rng(0).random((2, 128, 128, 3), dtype=np.float32)
    new, old = load_engine(str(described / "new.cunet")), load_engine("face-mobile")
    np.testing.assert_array_equal(new(images), old(images))
    assert new.spec.replace(confidence=None, detector=None) == old.spec.replace(confidence=None, detector=None)
    assert new.spec.detector.name == "blazeface" and 0.7 < new.spec.detector.scale < 1.2


@pytest.mark.slow  # as above
def test_the_page_holds_what_the_table_does(described):
    rows = list(csv.DictReader((described / "confidence_face-mobile.csv").read_text().splitlines()))
    shares = {(row["looks"], row["results"]): float(row["below_threshold_percent"]) for row in rows}
    assert shares["one look", "good"] < 15 and shares["one look", "lost"] > 90
    assert {looks for looks, _ in shares} == {"one look", "two looks"}
    page = (described / "confidence_face-mobile.md").read_text()
    assert "--split=0:60" in page and (described / "confidence_face-mobile.png").exists()


@pytest.mark.parametrize(
    "flags, words",
    [
        (["--model=face-mobile"], "--out=FILE"),
        (["--out=x.cunet"], "give --model"),
        (["--model=face-mobile", "--out=x.tflite", "--data=synthetic", "--split=0:30"], "ends in .cunet"),
        (["--model=face-mobile", "--out=x.cunet", "--images=3"], "--images=3"),
    ],
)
def test_bad_flags(flags, words, capsys):
    assert main(["describe", *flags]) == 2
    assert words in capsys.readouterr().err


def test_two_landmarks_have_no_shape():
    two = Source("two", "all", Skeleton("two", ("a", "b")), load_synthetic(FACE68, "3:2").samples)
    with pytest.raises(CUNetError, match="needs three"):
        shape_of(two)


def test_views_are_repeatable_and_of_every_kind():
    source = load_synthetic(FACE68, "3:2")
    first, second = list(disturbed(source, 1)), list(disturbed(source, 1))
    assert [view.kind for view in first] == list(KINDS) * 2
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.box, other.box)
        np.testing.assert_array_equal(one.image, other.image)
        assert one.image.dtype == np.uint8 and (one.box[2:] > one.box[:2]).all()
    assert {view.kind for view in first if view.sample is None} == {"elsewhere", "scrambled", "drawn"}
    np.testing.assert_allclose(moved(np.array([0.0, 0, 10, 20]), np.array([0.5, 0]), 2.0), [5, -10, 25, 30])


def test_logistic_regression_finds_the_weights_that_made_the_data():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(20000, 2)) * [1.0, 10.0] + [3.0, -5.0]
    chance = 1 / (1 + np.exp(-(1.0 + 2.0 * (features[:, 0] - 3.0) - 0.1 * (features[:, 1] + 5.0))))
    weights = fit_logistic(features, rng.random(20000) < chance, np.ones(20000))
    np.testing.assert_allclose(weights[1:], [2.0, -0.1], rtol=0.1)


def test_a_map_of_boxes_is_the_median_and_none_where_the_detector_fails():
    source = load_synthetic(FACE68, "3:5")

    class Known:
        name = "known"

        def __init__(self, boxes):
            self.boxes = iter(boxes)

        def __call__(self, image):
            return [Detection(box, 0.9) for box in [next(self.boxes)] if box is not None]

    squares = []
    for sample in source:
        centre, half = sample.box.reshape(2, 2).mean(axis=0), np.max(sample.box[2:] - sample.box[:2])
        squares.append(np.concatenate([centre - half, centre + half]) - [0, half / 2, 0, half / 2])
    assert fit_box_map(source, Known(squares)) == BoxMap("known", (0.0, 0.25), 0.5)
    assert fit_box_map(source, Known([*squares[:1], None, None, None, None])) is None
