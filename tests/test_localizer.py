import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from cunet_tf.data.geometry import crop_matrix, warp
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.errors import CUNetError
from cunet_tf.heatmaps import gaussian_maps
from cunet_tf.localizer import Localizer
from cunet_tf.presets import preset
from cunet_tf.skeletons import FACE68, Skeleton

SKELETON = Skeleton("two", ("left", "right"), flip_pairs=((0, 1),))


class DotFinder:
    """A perfect network for pictures with one red and one green dot."""

    def __init__(self):
        config = preset("face-mobile").config.replace(landmarks=2, input_size=64)
        self.spec = preset("face-mobile").replace(config=config, skeleton=SKELETON, crop_factor=1.6)

    def __call__(self, images):
        grid = np.stack(np.meshgrid(np.arange(64), np.arange(64)), axis=-1)
        points = []
        for image in images:
            weights = [image[..., c] / image[..., c].sum() for c in (0, 1)]
            points.append([(w[..., None] * grid).sum(axis=(0, 1)) for w in weights])
        return np.asarray(gaussian_maps(((np.array(points) + 0.5) / 4 - 0.5).astype("float32"), 1.2, 16))


def picture(points, size=(100, 140)):
    """Black picture (height, width) with a soft red and a soft green dot."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    image = np.zeros((*size, 3))
    for channel, (x, y) in enumerate(points):
        image[..., channel] = 250 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 18)
    return image.astype(np.uint8)


@pytest.mark.parametrize("box", [None, (20.0, 15.0, 110.0, 90.0)])
def test_points_come_back_in_the_pictures_own_pixels(box):
    truth = np.array([[40.3, 33.7], [90.2, 70.4]])
    found = Localizer(DotFinder()).locate(picture(truth), box)
    np.testing.assert_allclose(found.points, truth, atol=0.4)
    assert found.scores.shape == (2,) and found.scores.min() > 0.8
    expected = (-0.5, -0.5, 139.5, 99.5) if box is None else box
    np.testing.assert_allclose(found.box, expected)


def test_whole_picture_is_padded_to_a_square_and_not_enlarged():
    matrix = crop_matrix((-0.5, -0.5, 139.5, 99.5), 1.0, 64)
    crop = warp(np.full((100, 140, 3), 200, np.uint8), matrix, 64)
    assert (crop[32] == 200).all()  # full width
    assert not crop[:8].any() and not crop[-8:].any()


def test_flip_test_averages_with_the_unflipped_mirror_image():
    class Handed(DotFinder):
        """Finds dots by colour; its mirror must therefore swap the two maps back."""

        def __call__(self, images):
            maps = super().__call__(images)
            return maps[..., ::-1] if images[0].sum() < 0 else maps

    engine = DotFinder()
    mirrored_pairs = Localizer(engine, flip_test=True).heatmaps(
        picture([(20, 30), (45, 30)], (64, 64))[None].astype("float32")
    )
    plain = engine(picture([(20, 30), (45, 30)], (64, 64))[None].astype("float32"))
    swapped = plain[..., ::-1]
    np.testing.assert_allclose(mirrored_pairs, (plain + swapped) / 2, atol=0.02)


def test_nan_from_the_network_is_an_error():
    class Broken(DotFinder):
        def __call__(self, images):
            return np.full((len(images), 16, 16, 2), np.nan, np.float32)

    with pytest.raises(CUNetError, match="NaN"):
        Localizer(Broken()).locate(picture([(20, 30), (45, 30)]))


def test_model_without_description_asks_for_a_preset():
    engine = DotFinder()
    engine.spec = None
    with pytest.raises(CUNetError, match="--preset"):
        Localizer(engine)


def test_many_threads_share_a_localizer():
    """Each call's points are those of its own picture, to the last bit."""
    localizer = Localizer.load("face-mobile")
    faces = [sample.load() for sample in load_synthetic(FACE68, "8:8")]
    expected = [localizer.locate(face) for face in faces]
    order = [index % len(faces) for index in range(160)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda index: localizer.locate(faces[index]), order))
    for index, landmarks in zip(order, found, strict=True):
        np.testing.assert_array_equal(landmarks.points, expected[index].points)
        np.testing.assert_array_equal(landmarks.scores, expected[index].scores)


def test_localizers_load_in_threads_and_leave_stderr_alone(capfd):
    with ThreadPoolExecutor(8) as pool:
        loaded = list(pool.map(Localizer.load, ["face-mobile"] * 8))
    os.write(2, b"still here")
    assert len(loaded) == 8 and "still here" in capfd.readouterr().err
