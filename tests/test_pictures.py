import cv2
import numpy as np
import pytest

from cunet_tf.errors import CUNetError
from cunet_tf.pictures import as_picture

GOOD = np.random.default_rng(0).integers(0, 255, (20, 30, 3)).astype(np.uint8)


def test_arrays_paths_and_pil_images_are_taken(tmp_path):
    from PIL import Image

    np.testing.assert_array_equal(as_picture(GOOD), GOOD)
    file = tmp_path / "x.png"
    cv2.imwrite(str(file), GOOD[..., ::-1])
    np.testing.assert_array_equal(as_picture(str(file)), GOOD)
    np.testing.assert_array_equal(as_picture(file), GOOD)
    np.testing.assert_array_equal(as_picture(Image.fromarray(GOOD)), GOOD)
    assert as_picture(Image.fromarray(GOOD).convert("L")).shape == GOOD.shape


def test_a_pil_image_is_turned_upright_as_the_file_is(tmp_path):
    from PIL import Image

    image = Image.fromarray(GOOD)
    exif = image.getexif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise
    image.save(tmp_path / "x.png", exif=exif)
    with Image.open(tmp_path / "x.png") as opened:
        np.testing.assert_array_equal(as_picture(opened), as_picture(tmp_path / "x.png"))
        assert as_picture(opened).shape == (30, 20, 3)


@pytest.mark.parametrize(
    "picture, words",
    [
        (GOOD.astype(np.float32) / 255, r"rint\(255 \* picture\)"),
        (GOOD.astype(np.float32), r"rint\(picture\)"),
        (GOOD.astype(np.uint16), "257"),
        (GOOD.astype(np.int32), "uint8 in 0..255"),
        (GOOD[..., 0], "grey"),
        (GOOD[..., :1], "grey"),
        (np.dstack([GOOD, GOOD[..., :1]]), "four channels"),
        (GOOD[None], "locate_batch"),
        (GOOD.transpose(2, 0, 1), "channels come first"),
        (GOOD[:0], "empty"),
        (GOOD[..., :2], "RGB uint8"),
        (GOOD.tolist(), "not a list"),
        (None, "not None"),
    ],
)
def test_anything_else_is_told_apart(picture, words):
    with pytest.raises(CUNetError, match=words):
        as_picture(picture)
