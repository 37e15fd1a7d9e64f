import cv2
import numpy as np
import pytest

from cunet_tf.data.sample import TAIL, FaultyFile, Sample, Source, read_bytes, read_image
from cunet_tf.errors import CUNetError
from cunet_tf.skeletons import LSP14

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


@pytest.mark.parametrize("size", [1, 2, TAIL - 1, TAIL, TAIL + 1, 3 * TAIL])
def test_bytes_are_read_whole_or_at_both_ends(tmp_path, size, rng):
    file = tmp_path / "a.bin"
    data = rng.integers(0, 128, size, np.uint8).tobytes()
    file.write_bytes(data)
    assert read_bytes(file) == data
    assert read_bytes(file, ends_only=True) == (data if size <= TAIL else data[:2] + data[-TAIL:])


def test_a_truncated_jpeg_is_seen_from_its_ends(tmp_path, rng):
    data = encoded(".jpg", rng.integers(0, 256, (150, 150, 3), np.uint8))
    assert len(data) > 2 * TAIL
    file = tmp_path / "a.jpg"
    file.write_bytes(data)
    assert len(read_bytes(file, ends_only=True)) == TAIL + 2
    file.write_bytes(data[: TAIL + 500])
    with pytest.raises(FaultyFile, match=rf"truncated \({TAIL + 500} bytes\)"):
        read_bytes(file, ends_only=True)


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
