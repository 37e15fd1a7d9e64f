from pathlib import Path

import cv2
import numpy as np
import pytest

from cunet_tf import yunet
from cunet_tf.errors import CUNetError
from cunet_tf.trial import REFUSED
from cunet_tf.yunet import YuNetDetector
from tests.onnx_cases import yunet_like


def test_a_network_like_yunet(tmp_path, rng):
    (tmp_path / "y.onnx").write_bytes(yunet_like())
    detector = YuNetDetector(tmp_path / "y.onnx")
    for size in ((40, 60), (333, 200)):
        assert isinstance(detector(rng.integers(0, 255, (*size, 3), dtype=np.uint8)), list)


@pytest.mark.parametrize("data", [b"nonsense", b"", yunet_like()[:2000], yunet_like(5)])
def test_files_that_are_not(data, tmp_path):
    (tmp_path / "y.onnx").write_bytes(data)
    with pytest.raises(CUNetError, match="y.onnx: OpenCV cannot read this as YuNet") as error:
        YuNetDetector(tmp_path / "y.onnx")
    assert "\n" not in str(error.value)


def test_a_file_larger_than_yunet(tmp_path, monkeypatch):
    file = tmp_path / "y.onnx"
    file.write_bytes(yunet_like())
    monkeypatch.setattr(yunet, "LARGEST", 10)
    with pytest.raises(CUNetError, match="more than 10 bytes"):
        YuNetDetector(file)


class Network:
    """OpenCV's, which answers with given rows or raises."""

    def __init__(self, answer):
        self.answer, self.size, self.picture = answer, None, None

    def setInputSize(self, size):
        self.size = size

    def detect(self, picture):
        self.picture = picture
        if isinstance(self.answer, Exception):
            raise self.answer
        return 1, self.answer


@pytest.fixture
def detector_of(monkeypatch):
    def make(answer):
        network = Network(answer)
        monkeypatch.setattr(yunet, "_check", lambda path: None)
        monkeypatch.setattr(yunet, "_network", lambda path: network)
        return YuNetDetector(Path("y.onnx")), network

    return make


def row(x, y, width, height, across, score):
    """A face whose left eye lies ``across`` from its right one."""
    right = np.array([x + 5.0, y + 5.0])
    return np.array([x, y, width, height, *right, *(right + across), *[0.0] * 6, score], np.float32)


def test_rows_are_boxes_from_edge_to_edge_turned_as_the_eyes_and_best_first(detector_of):
    rows = np.stack([row(10, 20, 30, 40, (10, 0), 0.7), row(50, 60, 8, 9, (0, 10), 0.9), row(0, 0, 5, 5, (-1, 1), 0.8)])
    detector, network = detector_of(rows)
    found = detector(np.zeros((100, 200, 3), np.uint8))
    assert [each.score for each in found] == pytest.approx([0.9, 0.8, 0.7])
    assert [each.roll for each in found] == pytest.approx([90.0, 135.0, 0.0])
    np.testing.assert_allclose(found[2].box, [9.5, 19.5, 39.5, 59.5])  # pixel centres are whole numbers here
    assert network.size == (200, 100)


def test_opencv_gets_blue_first_and_rows_that_are_no_numbers_are_left_out(detector_of, rng):
    image = rng.integers(0, 255, (20, 30, 3), dtype=np.uint8)
    broken = row(0, 0, 5, 5, (1, 0), np.nan)
    detector, network = detector_of(np.stack([broken, row(1, 1, 5, 5, (1, 0), 0.8)]))
    assert len(detector(image)) == 1
    np.testing.assert_array_equal(network.picture, image[..., ::-1])
    assert network.picture.flags.c_contiguous
    assert detector_of(None)[0](image) == []  # as OpenCV answers where there is no face


def test_what_opencv_says_while_it_runs_is_one_sentence(detector_of):
    detector, _ = detector_of(cv2.error("(-215:Assertion failed)\n in function 'x'"))
    with pytest.raises(CUNetError, match="^y.onnx: OpenCV cannot run this as YuNet: ") as caught:
        detector(np.zeros((9, 9, 3), np.uint8))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data, code", [(yunet_like(), 0), (b"nonsense", REFUSED)])
def test_the_trial_ends_with_a_sentence_or_with_nothing(data, code, tmp_path, monkeypatch, capsys):
    limits = []
    monkeypatch.setattr(yunet, "limit_memory", limits.append)
    monkeypatch.setattr(cv2, "setNumThreads", lambda count: None)  # of its own process alone
    (tmp_path / "y.onnx").write_bytes(data)
    assert yunet.trial(tmp_path / "y.onnx") == code and limits == [yunet.MEMORY]
    said = capsys.readouterr().out
    assert said.startswith("OpenCV cannot read this as YuNet: ") and said.count("\n") == 1 if code else not said
