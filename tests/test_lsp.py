import cv2
import numpy as np
import pytest
from scipy.io import savemat

from cunet_tf.data.lsp import load_lsp, parse_split, read_joints
from cunet_tf.errors import CUNetError


@pytest.fixture
def joints(rng):
    """Three people, 1-based points ``[3, 14, 2]`` and a row of zeros and ones ``[3, 14]``."""
    return rng.uniform(5, 60, (3, 14, 2)), (rng.random((3, 14)) < 0.7).astype(float)


def write(root, joints, extended, digits=4):
    points, third = joints
    array = np.concatenate([points, third[..., None]], axis=-1)  # N x 14 x 3
    savemat(root / "joints.mat", {"joints": array.transpose(1, 2, 0) if extended else array.transpose(2, 1, 0)})
    (root / "images").mkdir()
    for index in range(1, 4):
        cv2.imwrite(str(root / "images" / f"im{index:0{digits}}.jpg"), np.zeros((64, 64, 3), np.uint8))


def test_lsp_third_row_is_occluded_and_every_joint_counts(tmp_path, joints):
    write(tmp_path, joints, extended=False)
    source = load_lsp(tmp_path, "all")
    assert [s.name for s in source] == ["im0001", "im0002", "im0003"]
    np.testing.assert_allclose(source.samples[1].points, joints[0][1] - 1, rtol=1e-6)
    assert source.samples[1].mask.all()


def test_lspet_third_row_is_labelled(tmp_path, joints):
    write(tmp_path, joints, extended=True, digits=5)
    source = load_lsp(tmp_path, "2-3", extended=True)
    assert [s.name for s in source] == ["im00002", "im00003"]
    sample, labelled = source.samples[0], joints[1][1] > 0
    np.testing.assert_array_equal(sample.mask > 0, labelled)
    np.testing.assert_allclose(sample.points[labelled], joints[0][1][labelled] - 1, rtol=1e-6)
    known = joints[0][1][labelled] - 1
    np.testing.assert_allclose(sample.box, [*known.min(axis=0), *known.max(axis=0)], rtol=1e-6)


def test_the_two_layouts_are_not_mixed_up(tmp_path, joints):
    write(tmp_path, joints, extended=False)
    with pytest.raises(CUNetError, match="Use --data=lsp"):
        load_lsp(tmp_path, "all", extended=True)


def test_named_splits_and_ranges():
    assert parse_split("lsp", "test", 2000) == (1001, 2000)
    assert parse_split("lspet", "train", 8054) == (1, 7054)
    assert parse_split("lspet", "test", 8054) == (7055, 8054)
    assert parse_split("lspet", "all", 10000) == (1, 10000)
    assert parse_split("lspet", "7055-8054", 8054) == (7055, 8054)
    for split, words in [("test", "has train, all"), ("0-5", "1-10000"), ("9-2", "1-10000"), ("x", "range such as")]:
        with pytest.raises(CUNetError, match=words):
            parse_split("lspet", split, 10000)


def test_missing_and_foreign_files(tmp_path):
    with pytest.raises(CUNetError, match="joints.mat: not found"):
        load_lsp(tmp_path)
    savemat(tmp_path / "joints.mat", {"other": np.zeros(3)})
    with pytest.raises(CUNetError, match="no array 'joints'"):
        read_joints(tmp_path / "joints.mat", False)
    (tmp_path / "joints.mat").write_text("text")
    with pytest.raises(CUNetError, match="no array 'joints'"):
        read_joints(tmp_path / "joints.mat", False)
