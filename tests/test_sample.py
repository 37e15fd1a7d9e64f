import os

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cunet_tf.data.sample import (
    MEGAPIXELS,
    FaultyFile,
    Sample,
    Source,
    glance,
    limit_megapixels,
    megapixel_limit,
    read_image,
)
from cunet_tf.errors import CUNetError
from cunet_tf.skeletons import LSP14
from tests.picture_files import exif_segment, png_header

RED_LEFT_BLUE_RIGHT = np.zeros((16, 32, 3), np.uint8)
RED_LEFT_BLUE_RIGHT[:, :16, 0] = 255
RED_LEFT_BLUE_RIGHT[:, 16:, 2] = 255


def encoded(suffix: str, rgb: np.ndarray = RED_LEFT_BLUE_RIGHT) -> bytes:
    return cv2.imencode(suffix, rgb[..., ::-1])[1].tobytes()


def make_sample(name: str, picture) -> Sample:
    zeros = np.zeros((14, 2), np.float32)
    return Sample(name, "part", zeros, np.ones(14, np.float32), np.array([0.0, 0, 1, 1]), picture)


@pytest.mark.parametrize("suffix", [".png", ".bmp"])
def test_lossless_pictures_are_read_as_rgb(tmp_path, suffix):
    file = tmp_path / f"a{suffix}"
    file.write_bytes(encoded(suffix))
    image = read_image(file)
    assert image.dtype == np.uint8 and image.flags.c_contiguous
    np.testing.assert_array_equal(image, RED_LEFT_BLUE_RIGHT)


def test_jpeg_is_read_as_rgb(tmp_path):
    file = tmp_path / "a.jpg"
    file.write_bytes(encoded(".jpg"))
    image = read_image(str(file)).astype(int)
    assert image.shape == (16, 32, 3)
    assert abs(image[8, 4] - [255, 0, 0]).max() < 10
    assert abs(image[8, 28] - [0, 0, 255]).max() < 10


def test_grey_and_transparent_pictures_become_three_channels(tmp_path):
    grey = tmp_path / "grey.png"
    grey.write_bytes(cv2.imencode(".png", np.full((4, 5), 77, np.uint8))[1].tobytes())
    np.testing.assert_array_equal(read_image(grey), np.full((4, 5, 3), 77))
    clear = tmp_path / "clear.png"
    bgra = np.dstack([RED_LEFT_BLUE_RIGHT[..., ::-1], np.full((16, 32), 255, np.uint8)])
    clear.write_bytes(cv2.imencode(".png", bgra)[1].tobytes())
    np.testing.assert_array_equal(read_image(clear), RED_LEFT_BLUE_RIGHT)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_jpeg_is_refused_by_name(tmp_path, share, rng):
    data = encoded(".jpg", rng.integers(0, 256, (80, 80, 3), np.uint8))
    file = tmp_path / "cut.jpg"
    file.write_bytes(data[: int(share * len(data))])
    with pytest.raises(CUNetError, match=r"cut\.jpg: the JPEG is truncated \(\d+ bytes\)"):
        read_image(file)


def test_the_end_of_an_embedded_thumbnail_is_not_the_end_of_the_jpeg(tmp_path, rng):
    data = encoded(".jpg", rng.integers(0, 256, (80, 80, 3), np.uint8))
    thumbnail = b"\xff\xe1\x00\x0ethumb\xff\xd8\xff\xd9end"
    whole = data[:2] + thumbnail + data[2:]
    file = tmp_path / "exif.jpg"
    file.write_bytes(whole)
    assert read_image(file).shape == (80, 80, 3)
    file.write_bytes(whole[: 4096 + 100])
    with pytest.raises(CUNetError, match="truncated"):
        read_image(file)


def test_a_jpeg_followed_by_a_few_bytes_is_read(tmp_path):
    file = tmp_path / "tail.jpg"
    file.write_bytes(encoded(".jpg") + b"\0" * 100)
    assert read_image(file).shape == (16, 32, 3)


@pytest.mark.parametrize("data", [b"", b"this is a text file\n", encoded(".png")[:100], b"\xff\xd8 \xff\xd9"])
def test_what_is_no_picture_is_refused_by_name(tmp_path, data):
    file = tmp_path / "notes.jpg"
    file.write_bytes(data)
    with pytest.raises(CUNetError, match=r"notes\.jpg: not a picture"):
        read_image(file)


def test_missing_files_and_folders_are_refused_by_name(tmp_path):
    with pytest.raises(CUNetError, match=r"gone\.jpg: cannot be read \(No such file"):
        read_image(tmp_path / "gone.jpg")
    with pytest.raises(CUNetError, match="cannot be read"):
        read_image(tmp_path)


@pytest.mark.parametrize(
    "data, kind",
    [
        (None, "missing picture"),
        (b"", "unreadable picture"),
        (b"text", "unreadable picture"),
        (encoded(".jpg")[:-9], "truncated picture"),
    ],
)
def test_faults_carry_their_kind_and_file(tmp_path, data, kind):
    file = tmp_path / "a.jpg"
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(FaultyFile) as error:
        read_image(file)
    fault = error.value
    assert isinstance(fault, CUNetError)
    assert (fault.kind, fault.file) == (kind, str(file))
    assert str(fault) == f"{file}: {fault.text}"
    assert (fault.sample, fault.subset) == ("", "")


@pytest.fixture
def limit():
    """Sets a limit of megapixels for one test."""
    yield limit_megapixels
    limit_megapixels(MEGAPIXELS)


@pytest.mark.parametrize("look", [read_image, glance])
def test_a_picture_above_the_limit_is_refused_before_it_is_decoded(tmp_path, look, limit, monkeypatch):
    file = tmp_path / "a.png"
    file.write_bytes(encoded(".png"))
    assert megapixel_limit() == MEGAPIXELS == 100
    limit(16 * 32 / 1e6)
    look(file)
    limit(511 / 1e6)
    monkeypatch.setattr(cv2, "imdecode", lambda *arguments: pytest.fail("decoded"))
    with pytest.raises(
        FaultyFile, match=r"a\.png: 32 x 16 pixels are 0\.000512 megapixels, above the limit of 0.000511"
    ):
        look(file)


TOO_MUCH = {60_000: "60,000 x 60,000 pixels are 3,600 megapixels, above the limit of 100: make",
            9_000: "not a picture that OpenCV can read, though its header says 9,000 x 9,000 pixels"}  # fmt: skip


@pytest.mark.parametrize("side", TOO_MUCH)
def test_a_header_that_promises_too_much_is_one_clear_error(tmp_path, side):
    file = tmp_path / "a.png"
    file.write_bytes(png_header(side, side))
    with pytest.raises(FaultyFile, match=TOO_MUCH[side]):
        read_image(file)


def test_the_limits_of_opencv_are_no_exception_of_opencv(tmp_path, limit):
    file = tmp_path / "a.png"
    file.write_bytes(png_header(60_000, 60_000))
    limit(1e6)
    with pytest.raises(FaultyFile, match="not a picture that OpenCV can read"):
        read_image(file)


def test_the_limit_holds_for_formats_whose_header_only_opencv_reads(tmp_path, limit):
    file = tmp_path / "a.hdr"
    file.write_bytes(cv2.imencode(".hdr", np.ones((20, 30, 3), np.float32))[1].tobytes())
    assert read_image(file).shape == (20, 30, 3)
    limit(0.0005)
    with pytest.raises(FaultyFile, match="30 x 20 pixels"):
        read_image(file)


# Data behind the picture, and too few data --------------------------------------------------

NOISE = np.random.default_rng(0).integers(0, 256, (80, 80, 3), np.uint8)
WHOLE = encoded(".jpg", NOISE)
THUMBNAIL = b"\xff\xe1" + (2 + len(encoded(".jpg"))).to_bytes(2, "big") + encoded(".jpg")
BEHIND = {
    "a film": b"\0\0\0\x18ftypmp42" + bytes(range(200)) * 400,
    "a second JPEG": encoded(".jpg"),
    "a cut JPEG": WHOLE[:3000],
    "end markers": b"\xff\xd9" * 5000,
}


@pytest.mark.parametrize(
    "header", [b"", THUMBNAIL, 20 * (b"\xff\xe2\xff\xff" + bytes(65533))], ids=["", "thumbnail", "large"]
)
@pytest.mark.parametrize("behind", BEHIND)
def test_what_follows_the_end_marker_does_not_matter(tmp_path, header, behind):
    file = tmp_path / "motion.jpg"
    file.write_bytes(WHOLE[:2] + header + WHOLE[2:] + BEHIND[behind])
    glance(file)
    np.testing.assert_array_equal(read_image(file), cv2.imdecode(np.frombuffer(WHOLE, np.uint8), 1)[..., ::-1])


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(2, len(WHOLE) - 2), header=st.sampled_from([b"", THUMBNAIL]))
def test_a_jpeg_cut_anywhere_is_refused_also_at_a_glance(tmp_path, cut, header):
    file = tmp_path / "cut.jpg"
    file.write_bytes((WHOLE[:2] + header + WHOLE[2:])[: len(header) + cut])
    for look in (read_image, glance):
        with pytest.raises(FaultyFile, match="truncated"):
            look(file)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(2, len(WHOLE) - 400), orientation=st.integers(1, 8))
def test_an_end_marker_behind_a_cut_hides_nothing(tmp_path, cut, orientation):
    file = tmp_path / "cut.jpg"
    file.write_bytes((WHOLE[:2] + exif_segment(orientation) + WHOLE[2:])[: cut + len(exif_segment(1))] + b"\xff\xd9")
    with pytest.raises(FaultyFile):  # damaged, or truncated or unreadable where the cut is in the header
        read_image(file)


def test_a_grey_picture_is_no_damage(tmp_path):
    file = tmp_path / "grey.jpg"
    file.write_bytes(encoded(".jpg", np.full((40, 50, 3), 128, np.uint8)))
    np.testing.assert_array_equal(read_image(file), np.full((40, 50, 3), 128))


def test_sample_loads_from_a_file_or_a_function(tmp_path):
    file = tmp_path / "a.png"
    file.write_bytes(encoded(".png"))
    np.testing.assert_array_equal(make_sample("file", file).load(), RED_LEFT_BLUE_RIGHT)
    np.testing.assert_array_equal(make_sample("drawn", lambda: RED_LEFT_BLUE_RIGHT[:4]).load(), RED_LEFT_BLUE_RIGHT[:4])


def test_source_is_a_sized_iterable():
    samples = [make_sample(str(index), None) for index in range(4)]
    source = Source("300w", "common", LSP14, samples)
    assert len(source) == 4
    assert list(source) == samples


def test_subset_keeps_everything_but_the_choice_and_its_order():
    samples = [make_sample(str(index), None) for index in range(4)]
    source = Source("300w", "common", LSP14, samples, "official", ("lfpw/testset",))
    part = source.subset(np.array([3, 1]))
    assert [sample.name for sample in part] == ["3", "1"]
    assert (part.name, part.split, part.skeleton) == ("300w", "common", LSP14)
    assert (part.box, part.missing) == ("official", ("lfpw/testset",))
    assert len(source) == 4


@pytest.mark.parametrize("look", [read_image, glance])
def test_a_pipe_or_a_huge_file_is_refused_before_it_is_opened(tmp_path, look, limit):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(FaultyFile, match="pipe.png: cannot be read .this is a pipe, not a regular file"):
        look(tmp_path / "pipe.png")
    with (tmp_path / "large.png").open("wb") as file:
        file.write(encoded(".png"))
        file.truncate(9_000_000)
    limit(1.0)
    with pytest.raises(FaultyFile, match="large.png: 9,000,000 bytes are more than the 8,000,000"):
        look(tmp_path / "large.png")
