import numpy as np
import pytest

from cunet_tf import yunet
from cunet_tf.errors import CUNetError
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
