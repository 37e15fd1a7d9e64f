import numpy as np
import pytest

from cunet_tf.data.drawn_figure import LSP_FROM_MPII
from cunet_tf.data.synthetic import SIDE, SPLITS, draw, load_synthetic
from cunet_tf.errors import CUNetError
from cunet_tf.skeletons import FACE68, LSP14, MPII16, Skeleton

every_skeleton = pytest.mark.parametrize("skeleton", (FACE68, LSP14, MPII16), ids=lambda s: s.name)


def stacked(skeleton: Skeleton, split: str) -> np.ndarray:
    return np.stack([sample.points for sample in load_synthetic(skeleton, split)])


@every_skeleton
def test_samples_are_complete(skeleton):
    source = load_synthetic(skeleton, "7:5")
    assert (len(source), source.name, source.split, source.skeleton) == (5, "synthetic", "7:5", skeleton)
    assert len({sample.name for sample in source}) == 5
    for sample in source:
        assert sample.points.shape == (skeleton.size, 2) and sample.points.dtype == np.float32
        np.testing.assert_array_equal(sample.mask, np.ones(skeleton.size, np.float32))
        np.testing.assert_array_equal(sample.box, [*sample.points.min(axis=0), *sample.points.max(axis=0)])
        assert sample.points.min() > 0 and sample.points.max() < SIDE - 1
        image = sample.load()
        assert image.shape == (SIDE, SIDE, 3) and image.dtype == np.uint8


@every_skeleton
def test_loading_twice_gives_the_same_points_and_pictures(skeleton):
    for first, second in zip(load_synthetic(skeleton, "3:3"), load_synthetic(skeleton, "3:3"), strict=True):
        np.testing.assert_array_equal(first.points, second.points)
        np.testing.assert_array_equal(first.load(), second.load())


def test_named_splits_have_their_seed_and_number():
    assert SPLITS["train"] == (0, 2000)
    seed, count = SPLITS["test"]
    assert len(load_synthetic(FACE68, "test")) == count == 200
    np.testing.assert_array_equal(stacked(FACE68, f"{seed}:5"), stacked(FACE68, "test")[:5])


def test_train_and_test_share_no_face():
    train = {face.tobytes() for face in stacked(FACE68, "train")}
    test = {face.tobytes() for face in stacked(FACE68, "test")}
    assert len(train) == 2000 and len(test) == 200
    assert not train & test


def test_pictures_of_splits_differ():
    assert (draw("face68", 0, 0) != draw("face68", 1, 0)).mean() > 0.5
    assert (draw("face68", 0, 0) != draw("face68", 0, 1)).mean() > 0.5


def test_a_longer_split_begins_with_the_shorter_one():
    np.testing.assert_array_equal(stacked(LSP14, "4:9")[:3], stacked(LSP14, "4:3"))


def test_both_kinds_of_figures_show_the_same_people():
    mpii, lsp = stacked(MPII16, "2:4"), stacked(LSP14, "2:4")
    np.testing.assert_array_equal(mpii[:, list(LSP_FROM_MPII)], lsp)
    np.testing.assert_array_equal(draw("mpii16", 2, 0), draw("lsp14", 2, 0))


def test_the_mouth_is_darker_than_the_cheeks():
    """The painted face is under its points: open mouths are dark, skin is not."""
    dark, bright = [], []
    for index, sample in enumerate(load_synthetic(FACE68, "0:200")):
        if sample.points[66, 1] - sample.points[62, 1] < 4:  # closed
            continue
        image = draw("face68", 0, index).mean(axis=2)
        mouth = sample.points[[62, 66]].mean(axis=0)
        cheek = sample.points[[3, 31]].mean(axis=0)
        for place, values in ((mouth, dark), (cheek, bright)):
            x, y = np.round(place).astype(int)
            values.append(image[y, x])
    assert len(dark) > 10
    assert np.median(dark) < 0.75 * np.median(bright)


@pytest.mark.parametrize("split", ["", "dev", "7", "7:", ":7", "7:0", "7:-1", "-1:7", "1:2:3", "1.5:3", "a:b"])
def test_a_bad_split_is_refused_with_the_syntax(split):
    with pytest.raises(CUNetError, match="SEED:COUNT such as 7:500") as error:
        load_synthetic(FACE68, split)
    assert repr(split) in str(error.value)


def test_other_skeletons_are_refused():
    with pytest.raises(CUNetError, match="no 'face5'. Did you mean 'face68'.*lsp14.*mpii16"):
        load_synthetic(Skeleton("face5", ("a",) * 5))


def test_own_landmarks_by_a_known_name_are_not_drawn():
    with pytest.raises(CUNetError, match="other landmarks by the name of face68"):
        load_synthetic(Skeleton("face68", ("left", "right")), "1:1")
