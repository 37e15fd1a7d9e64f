"""What is written as a folder is read back: points, pictures, mirror pairs, own landmarks made of others."""

import dataclasses

import numpy as np
import pytest

import cunet_tf as cu
from cunet_tf.data.folder import load_folder
from cunet_tf.draw import save_png
from cunet_tf.errors import CUNetError
from cunet_tf.skeletons import FACE68, MPII16


def test_all_landmarks_come_back(tmp_path):
    source = cu.load_synthetic(FACE68, "3:2")
    cu.write_folder(source, tmp_path / "mine", normalizer=("right_eye_0", "left_eye_3"), name="drawn", split="train")
    back = load_folder(tmp_path / "mine", "train")
    assert back.skeleton.names == FACE68.names and back.skeleton.name == "drawn" and back.box == "tight"
    assert sorted(back.skeleton.flip_pairs) == sorted(FACE68.flip_pairs)
    assert back.skeleton.normalizers == {"right_eye_0-left_eye_3": ((36,), (45,))}
    for one, other in zip(source, back, strict=True):
        np.testing.assert_allclose(other.points, one.points, atol=1e-3)
        np.testing.assert_array_equal(other.load(), one.load())


def test_some_landmarks_keep_the_pairs_among_them(tmp_path):
    source = cu.load_synthetic(MPII16, "3:1")
    names = ["head_top", "left_wrist", "right_wrist", "left_ankle"]
    cu.write_folder(source, tmp_path, names)
    back = load_folder(tmp_path)
    assert back.skeleton.names == tuple(names) and back.skeleton.flip_pairs == ((2, 1),)
    with pytest.raises(CUNetError, match="mpii16 has no landmark 'head'. Did you mean 'head_top'"):
        cu.write_folder(source, tmp_path, ["head"])


def test_means_count_where_all_their_points_do(tmp_path):
    (face,) = cu.load_synthetic(FACE68, "3:1")
    mask = face.mask.copy()
    mask[40] = 0
    source = cu.load_synthetic(FACE68, "3:1")
    source = dataclasses.replace(source, samples=[dataclasses.replace(face, mask=mask)])
    eyes = {"right_eye": range(36, 42), "nose": [30], "left_eye": range(42, 48)}
    cu.write_folder(source, tmp_path, eyes, flip_pairs=[("left_eye", "right_eye")])
    (back,) = load_folder(tmp_path)
    assert back.mask.tolist() == [0, 1, 1]
    np.testing.assert_allclose(back.points[2], face.points[42:48].mean(axis=0), atol=1e-3)


def test_picture_files_are_copied_and_strangers_files_stay(tmp_path):
    (face,) = cu.load_synthetic(FACE68, "3:1")
    save_png(tmp_path / "a.png", face.load())
    source = cu.load_synthetic(FACE68, "3:1").subset([0])
    source.samples[0] = dataclasses.replace(face, picture=tmp_path / "a.png")
    cu.write_folder(source, tmp_path / "mine")
    assert (tmp_path / "mine/00000.png").read_bytes() == (tmp_path / "a.png").read_bytes()
    cu.write_folder(source, tmp_path / "mine")  # ours may be replaced
    (tmp_path / "mine/landmarks.json").write_text("{}")
    with pytest.raises(CUNetError, match="landmarks.json exists and was not written by cunet"):
        cu.write_folder(source, tmp_path / "mine")
    (tmp_path / "a.png").unlink()
    with pytest.raises(CUNetError, match="a.png: cannot be read"):
        cu.write_folder(source, tmp_path / "new")
