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


def test_sixteen_bits_of_a_pil_image_become_eight_as_those_of_a_file_do(tmp_path):
    from PIL import Image

    grey = np.arange(0, 65536, 1024, dtype=np.uint16).reshape(8, 8)
    cv2.imwrite(str(tmp_path / "x.png"), grey)
    with Image.open(tmp_path / "x.png") as opened:
        np.testing.assert_array_equal(as_picture(opened), as_picture(tmp_path / "x.png"))
    np.testing.assert_array_equal(as_picture(Image.fromarray(grey))[..., 2], grey // 256)


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_a_pil_image_of_unknown_range_is_refused(dtype):
    from PIL import Image

    with pytest.raises(CUNetError, match="PIL image of mode [IF]: its range is not known"):
        as_picture(Image.fromarray(np.zeros((8, 8), dtype)))


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
