"""What comes out of the decoder: RGB uint8, upright, in every format; damage is told from oddities."""

import io
import os
import threading
import zlib

import cv2
import numpy as np
import pytest

from cunet_tf.data.decoder import decode, decode_strictly, ends_grey
from tests.picture_files import exif, exif_segment, png_chunk, tiff, webp_with_exif

QUARTERS = np.zeros((48, 64, 3), np.uint8)
QUARTERS[:24, :32, 0], QUARTERS[:24, 32:, 1], QUARTERS[24:, :32, 2], QUARTERS[24:, 32:] = 255, 255, 255, 200
HEIGHT, WIDTH = QUARTERS.shape[:2]
UPRIGHT = {  # EXIF 2.3, tag 0x0112: the stored picture's first row and column are the top, left, ... of the upright one
    1: QUARTERS, 2: QUARTERS[:, ::-1], 3: QUARTERS[::-1, ::-1], 4: QUARTERS[::-1], 5: QUARTERS.transpose(1, 0, 2),
    6: np.rot90(QUARTERS, -1), 7: QUARTERS[::-1, ::-1].transpose(1, 0, 2), 8: np.rot90(QUARTERS, 1),
}  # fmt: skip
RAMP = np.tile(np.arange(0, 65536, 1024, dtype=np.uint16), (48, 1))  # [48, 64]


def encoded(ending: str, image: np.ndarray, *options: int) -> bytes:
    return cv2.imencode(ending, image, options)[1].tobytes()


def turned(form: str, orientation: int) -> bytes:
    """The picture as a file of which EXIF says how it is turned."""
    bgr = QUARTERS[..., ::-1]
    if form == "jpg":
        data = encoded(".jpg", bgr, cv2.IMWRITE_JPEG_QUALITY, 100)
        return data[:2] + exif_segment(orientation) + data[2:]
    if form == "jpg, little endian":
        data = encoded(".jpg", bgr, cv2.IMWRITE_JPEG_QUALITY, 100)
        return data[:2] + exif_segment(orientation, "<") + data[2:]
    if form == "png":
        data = encoded(".png", bgr)
        return data[:33] + png_chunk(b"eXIf", exif(orientation)) + data[33:]
    if form == "webp":
        return webp_with_exif(encoded(".webp", bgr, cv2.IMWRITE_WEBP_QUALITY, 101), WIDTH, HEIGHT, exif(orientation))
    return tiff(QUARTERS.tobytes(), WIDTH, HEIGHT, orientation, "<" if form == "tif" else ">")


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("form", ["jpg", "jpg, little endian", "png", "webp", "tif", "tif, big endian"])
def test_every_format_is_turned_upright_by_its_exif(form, orientation):
    image = decode(turned(form, orientation))
    assert image.shape == UPRIGHT[orientation].shape and image.dtype == np.uint8 and image.flags.c_contiguous
    error = np.abs(image.astype(int) - UPRIGHT[orientation])
    assert np.median(error) <= 2 if form.startswith("jpg") else error.max() == 0


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_avif_is_turned_upright_by_its_own_properties(orientation):
    image = pytest.importorskip("PIL.Image").fromarray(QUARTERS)
    if not pytest.importorskip("PIL.features").check("avif") or not cv2.haveImageWriter("a.avif"):
        pytest.skip("AVIF is not built in")
    data, tags = io.BytesIO(), image.getexif()
    tags[0x0112] = orientation  # Pillow turns it into the properties irot and imir
    image.save(data, "AVIF", exif=tags, quality=100)
    found = decode(data.getvalue())
    assert found.shape == UPRIGHT[orientation].shape
    assert np.median(np.abs(found.astype(int) - UPRIGHT[orientation])) <= 2


# Depth, colours, alpha ----------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("ending", [".png", ".tiff", ".pgm", ".jp2"])
def test_sixteen_bits_become_the_upper_eight(ending, channels):
    image = RAMP if channels == 1 else np.dstack([RAMP] * 3)
    ending = ".ppm" if ending == ".pgm" and channels == 3 else ending
    expected = np.repeat((RAMP // 256).astype(np.uint8)[..., None], 3, 2)
    assert np.abs(decode(encoded(ending, image)).astype(int) - expected).max() <= 1


@pytest.mark.parametrize("ending", [".png", ".tiff", ".bmp", ".pgm", ".jp2", ".webp", ".jpg", ".avif"])
def test_grey_is_repeated(ending):
    if not cv2.haveImageWriter(f"a{ending}"):
        pytest.skip(f"{ending} is not built in")
    image = decode(encoded(ending, np.full((40, 48), 77, np.uint8)))
    assert image.shape == (40, 48, 3) and image.dtype == np.uint8 and np.abs(image.astype(int) - 77).max() <= 2


def test_colours_of_a_png_s_palette_are_looked_up():
    header = png_chunk(b"IHDR", b"\0\0\0\x02\0\0\0\x01\x08\x03\0\0\0")
    palette = png_chunk(b"PLTE", bytes([10, 20, 30, 200, 100, 50]))
    clear = png_chunk(b"tRNS", b"\xff\0")
    rows = png_chunk(b"IDAT", zlib.compress(b"\0\x01\0"))
    for middle in (palette, palette + clear):
        data = b"\x89PNG\r\n\x1a\n" + header + middle + rows + png_chunk(b"IEND", b"")
        assert decode(data).tolist() == [[[200, 100, 50], [10, 20, 30]]]


@pytest.mark.parametrize("index, colour", [(0, [10, 20, 30]), (1, [200, 100, 50])])
def test_colours_of_a_gif_s_palette_are_looked_up(index, colour):
    head = b"GIF89a\x01\0\x01\0\x80\0\0" + bytes([10, 20, 30, 200, 100, 50])
    codes = bytes([4 | index << 3 | 1 << 6, 1])  # of three bits each: clear, the pixel, end
    data = head + b",\0\0\0\0\x01\0\x01\0\0\x02\x02" + codes + b"\0;"
    assert decode(data).tolist() == [[colour]]


@pytest.mark.parametrize("form, options", [("JPEG", {"quality": 100}), ("TIFF", {})])
def test_cmyk_is_converted(form, options):
    image = pytest.importorskip("PIL.Image").fromarray(QUARTERS).convert("CMYK")
    data = io.BytesIO()
    image.save(data, form, **options)
    assert np.median(np.abs(decode(data.getvalue()).astype(int) - QUARTERS)) <= 3


@pytest.mark.parametrize("ending", [".png", ".bmp", ".webp", ".jp2"])
@pytest.mark.parametrize("alpha", [0, 128, 255])
def test_alpha_is_dropped_and_the_stored_colours_stay(ending, alpha):
    bgra = np.dstack([QUARTERS[..., ::-1], np.full((HEIGHT, WIDTH), max(alpha, 1), np.uint8)])  # WebP cleans up below 0
    bgra[0, 0, 3] = 255
    if ending != ".webp":
        bgra[1:, :, 3] = alpha
    options = (cv2.IMWRITE_WEBP_QUALITY, 101) if ending == ".webp" else ()
    np.testing.assert_array_equal(decode(encoded(ending, bgra, *options)), QUARTERS)


def test_a_tiff_with_alpha_lies_over_black():
    rgba = np.full((4, 4, 4), 200, np.uint8)
    rgba[..., 3] = 51
    data = io.BytesIO()
    pytest.importorskip("PIL.Image").fromarray(rgba).save(data, "TIFF")
    assert np.abs(decode(data.getvalue()).astype(int) - 200 // 5).max() <= 1


def test_a_tiff_of_floating_point_numbers_is_refused():
    assert decode(encoded(".tiff", np.full((4, 4, 3), 0.5, np.float32))) is None


@pytest.mark.parametrize("data", [b"", b"text", b"\xff\xd8\xff\xd9", encoded(".png", QUARTERS)[:60]])
def test_what_is_no_picture_gives_none(data):
    assert data == b"" or decode(data) is None


# Damage -------------------------------------------------------------------------------------

NOISE = np.random.default_rng(0).integers(0, 256, (120, 120, 3), np.uint8)


def hit(data: bytes, count: int = 500) -> bytes:
    """Zeros in the middle of a file."""
    half = len(data) // 2
    return data[:half] + bytes(count) + data[half + count :]


@pytest.mark.parametrize("options", [(), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_RST_INTERVAL, 2)])
def test_damage_in_a_jpeg_is_told_and_a_whole_one_is_not(options, capfd):
    data = encoded(".jpg", NOISE, *options)
    image, damage = decode_strictly(data)
    assert damage == "" and image.shape == NOISE.shape
    _, damage = decode_strictly(hit(data))
    assert damage.startswith("Corrupt JPEG data: ")
    assert capfd.readouterr().err == ""


def test_filling_before_the_end_marker_is_no_damage_and_other_bytes_are():
    data = encoded(".jpg", NOISE)
    for behind in (b"", data):
        assert decode_strictly(data[:-2] + bytes(9) + data[-2:] + behind)[1] == ""
        assert "extraneous bytes" in decode_strictly(data[:-2] + bytes(range(9)) + data[-2:] + behind)[1]


@pytest.mark.parametrize("place", [-20, -500])
def test_a_png_with_a_wrong_checksum_is_no_picture(place):
    data = bytearray(encoded(".png", NOISE))
    data[place] ^= 1
    assert decode_strictly(bytes(data)) == (None, "")


@pytest.mark.parametrize("ending", [".png", ".webp", ".tiff", ".bmp", ".ppm", ".jp2", ".gif", ".avif"])
def test_half_a_file_is_no_picture(ending):
    if not cv2.haveImageWriter(f"a{ending}"):
        pytest.skip(f"{ending} is not built in")
    data = encoded(ending, NOISE)
    assert decode(data[: len(data) // 2]) is None


def test_what_others_write_meanwhile_is_passed_on(capfd, monkeypatch):
    def noisy(data, flags, real=cv2.imdecode):
        os.write(2, b"12 pictures\n")
        return real(data, flags)

    monkeypatch.setattr(cv2, "imdecode", noisy)
    assert decode_strictly(hit(encoded(".jpg", NOISE)))[1]
    assert capfd.readouterr().err == "12 pictures\n"


def test_threads_do_not_take_the_damage_of_others():
    files = [encoded(".jpg", NOISE), hit(encoded(".jpg", NOISE))] * 20
    found: dict[int, str] = {}
    threads = [threading.Thread(target=lambda part: found.update((i, decode_strictly(files[i])[1]) for i in part),
                                args=(range(start, 40, 4),)) for start in range(4)]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [bool(found[index]) for index in range(40)] == [False, True] * 20


def test_a_grey_corner_of_a_jpeg_is_suspicious():
    image = NOISE | 1
    assert not ends_grey(encoded(".jpg", NOISE), image)
    for row in (0, -1):
        for column in (0, -1):
            marked = image.copy()
            marked[row, column] = 128
            assert ends_grey(encoded(".jpg", NOISE), marked) and not ends_grey(encoded(".png", NOISE), marked)
    assert ends_grey(encoded(".jpg", NOISE), np.full((1, 1, 3), 128, np.uint8))
