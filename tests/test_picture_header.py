"""Width and height from headers alone, in every format that is read."""

import struct

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cunet_tf.data.picture_header import avif_turn, jpeg_header, picture_size, zero_run
from tests.picture_files import exif_segment, png_header, tiff, webp_with_exif

HEIGHT, WIDTH = 40, 53
IMAGE = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def encoded(ending: str, *options: int, image: np.ndarray = IMAGE) -> bytes:
    return cv2.imencode(ending, image, options)[1].tobytes()


CLEAR = np.dstack([IMAGE, IMAGE[..., :1]])
FILES = {
    "jpg": encoded(".jpg"),
    "progressive jpg": encoded(".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "jpg with EXIF": encoded(".jpg")[:2] + exif_segment(6) + b"\xff\xff" + encoded(".jpg")[2:],
    "png": encoded(".png"),
    "webp": encoded(".webp", cv2.IMWRITE_WEBP_QUALITY, 80),
    "lossless webp": encoded(".webp", cv2.IMWRITE_WEBP_QUALITY, 101),
    "webp with alpha": encoded(".webp", cv2.IMWRITE_WEBP_QUALITY, 80, image=CLEAR),
    "webp with EXIF": webp_with_exif(encoded(".webp"), WIDTH, HEIGHT, b"MM"),
    "tif": encoded(".tiff"),
    "tif, big endian": tiff(IMAGE.tobytes(), WIDTH, HEIGHT, 1, ">"),
    "gif": encoded(".gif") if cv2.haveImageWriter("a.gif") else struct.pack("<6sHH", b"GIF89a", WIDTH, HEIGHT),
    "bmp": encoded(".bmp"),
    "bmp from top to bottom": b"BM" + bytes(12) + struct.pack("<Iii", 40, WIDTH, -HEIGHT),
    "bmp of OS/2": b"BM" + bytes(12) + struct.pack("<IHH", 12, WIDTH, HEIGHT),
    "jp2": encoded(".jp2"),
    "bare JPEG 2000": encoded(".jp2")[encoded(".jp2").index(b"\xff\x4f\xff\x51") :],
    "ppm": encoded(".ppm"),
    "pgm": encoded(".pgm", image=IMAGE[..., 0]),
    "ppm with comments": b"P6 # made by hand\n# twice\n53 # wide\n40\n255\n" + IMAGE.tobytes(),
}
if cv2.haveImageWriter("a.avif"):
    FILES["avif"] = encoded(".avif")


@pytest.mark.parametrize("name", FILES)
def test_the_header_says_how_large_a_picture_is(name):
    assert picture_size(FILES[name]) == (WIDTH, HEIGHT)


def test_large_sides_are_read_without_a_picture():
    assert picture_size(png_header(60_000, 50_000)) == (60_000, 50_000)


@pytest.mark.parametrize(
    "data", [b"", b"text", b"\xff\xd8\xff\xd9", b"P6 " + b" " * 5000, b"RIFF....WEBPABCD" + bytes(20)]
)
def test_other_files_have_no_size(data):
    assert picture_size(data) is None


@settings(deadline=None, max_examples=300)
@given(name=st.sampled_from(sorted(FILES)), share=st.floats(0, 1), noise=st.binary(max_size=40))
@example(name="webp with EXIF", share=0.00390625, noise=b"")  # cut within the width's three bytes
def test_a_damaged_header_is_no_exception(name, share, noise):
    data = FILES[name]
    cut = int(share * len(data))
    for damaged in (data[:cut], data[:cut] + noise + data[cut + len(noise) :]):
        size = picture_size(damaged)
        assert size is None or len(size) == 2
    assert picture_size(data[:cut]) in (None, (WIDTH, HEIGHT))


def test_the_scan_of_a_jpeg_begins_behind_its_segments():
    data = FILES["jpg"]
    plain = jpeg_header(data)
    assert data[plain.scan - 14 : plain.scan - 12] == b"\xff\xda"  # 3 components: 12 bytes behind the marker
    thumbnail = b"\xff\xe1" + (2 + len(data)).to_bytes(2, "big") + data
    assert jpeg_header(data[:2] + thumbnail + data[2:]).scan == plain.scan + len(thumbnail)
    assert jpeg_header(data[: plain.scan - 1]).scan is None
    assert jpeg_header(b"\xff\xd8 \xff\xd9").scan == 3


def test_zeros_in_place_of_data_are_told_from_those_of_an_even_picture():
    noise = np.random.default_rng(0).integers(0, 256, (120, 120, 3), np.uint8)
    even = [np.full((600, 600, 3), value, np.uint8) for value in (0, 128, 255)]
    optimized = (cv2.IMWRITE_JPEG_OPTIMIZE, 1)
    for options in ((), optimized, (cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_QUALITY, 100)):
        assert not any(zero_run(encoded(".jpg", *options, image=image)) for image in (noise, noise[..., 0], *even))
    for image in (noise, noise[..., 0]):
        data = encoded(".jpg", image=image)
        half = len(data) // 2
        assert zero_run(data[:half] + bytes(64) + data[half + 64 :])
        assert not zero_run(data[:half] + bytes(63) + b"\x01" + data[half + 64 :])
        assert not zero_run(data + bytes(5000)) and not zero_run(data[:300])
    flat = encoded(".jpg", *optimized, image=even[1])
    assert not jpeg_header(flat).dense  # its zeros say "end of block": a long run of them is a picture
    assert not zero_run(encoded(".png", image=even[0]))


def test_how_an_avif_is_turned():
    start = b"\0\0\0\x1cftypavif" + bytes(16)
    assert avif_turn(start) == (0, None)
    assert avif_turn(start + b"\0\0\0\x09irot\x03" + b"\0\0\0\x09imir\x01") == (3, 1)
    assert avif_turn(b"\xff\xd8" + b"\0\0\0\x09irot\x03") == (0, None)
