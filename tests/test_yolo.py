"""YOLO-pose data sets: points to the sub-pixel, visibility, several objects, bad files."""

import json
import os
import shutil

import numpy as np
import pytest
import yaml

from cunet_tf.cli import main
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.data.yolo import label_file, load_yolo
from cunet_tf.draw import save_png
from cunet_tf.errors import CUNetError
from cunet_tf.skeletons import FACE68

CHOSEN = {"right_eye": 36, "left_eye": 45, "nose": 30, "right_mouth": 48, "left_mouth": 54}
FIELDS = {"path": "/nowhere", "train": "images/train", "val": "images/val", "kpt_shape": [5, 3],
          "flip_idx": [1, 0, 2, 4, 3], "names": {0: "face"}, "kpt_names": {0: list(CHOSEN)}}  # fmt: skip


def line(sample, numbers=3, hidden=()):
    shares = (sample.points[list(CHOSEN.values())].astype(float) + 0.5) / 160
    rows = np.column_stack([shares, np.full(5, 2)])[:, :numbers]
    rows[list(hidden)] = 0
    low, high = (sample.box[:2] + 0.5) / 160, (sample.box[2:] + 0.5) / 160
    values = [0, *((low + high) / 2), *(high - low), *rows.ravel()]
    return " ".join(f"{value:.8g}" for value in values)


def write(root, fields=FIELDS, numbers=3):
    for part, split in (("train", "11:8"), ("val", "12:4")):
        for index, sample in enumerate(load_synthetic(FACE68, split)):
            save_png(root / "images" / part / f"{index}.png", sample.load())
            file = root / "labels" / part / f"{index}.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(line(sample, numbers, hidden=[4] if index == 0 else []) + "\n")
    (root / "data.yaml").write_text(yaml.safe_dump(fields))
    return root


@pytest.mark.parametrize("numbers", [2, 3])
def test_points_boxes_and_names(tmp_path, numbers):
    source = load_yolo(write(tmp_path, {**FIELDS, "kpt_shape": [5, numbers]}, numbers))
    assert len(source) == 8 and source.skeleton.names == tuple(CHOSEN)
    assert source.skeleton.flip_pairs == ((0, 1), (3, 4)) and list(source.skeleton.normalizers) == ["eyes"]
    truth = load_synthetic(FACE68, "11:8").samples
    for sample, true in zip(source, truth, strict=True):
        known = sample.mask > 0
        np.testing.assert_allclose(sample.points[known], true.points[list(CHOSEN.values())][known], atol=1e-3)
        np.testing.assert_allclose(sample.box, true.box, atol=1e-3)
    assert source.samples[0].mask.tolist() == [1, 1, 1, 1, 0] and source.samples[0].load().shape == (160, 160, 3)
    assert len(load_yolo(tmp_path, "val")) == 4 and len(load_yolo(tmp_path / "data.yaml", "all")) == 12


def test_several_objects_and_pictures_without_any(tmp_path):
    write(tmp_path)
    labels = tmp_path / "labels/train"
    labels.joinpath("0.txt").write_text(labels.joinpath("1.txt").read_text() * 2 + "\n")
    labels.joinpath("1.txt").unlink()
    labels.joinpath("2.txt").write_text("")
    assert [sample.name for sample in load_yolo(tmp_path)][:3] == ["train/0.png", "train/0.png#2", "train/3.png"]


def test_lists_of_pictures_and_names_by_number(tmp_path):
    write(tmp_path, {**FIELDS, "train": "list.txt", "flip_idx": None, "kpt_names": None})
    (tmp_path / "list.txt").write_text("images/train/3.png\nimages/train/5.png\n")
    source = load_yolo(tmp_path)
    assert len(source) == 2 and source.skeleton.names[1] == "point_1" and not source.skeleton.flip_pairs
    assert label_file(tmp_path / "pictures" / "a.jpg") == tmp_path / "pictures" / "a.txt"


@pytest.mark.parametrize(
    "fields, words",
    [
        ({"kpt_shape": None}, "is this a .*pose data set"),
        ({"kpt_shape": [5, 4]}, "kpt_shape"),
        ({"flip_idx": [1, 2, 0, 3, 4]}, "flip_idx"),
        ({"kpt_names": {0: ["a", "a", "b", "c", "d"]}}, "5 different names"),
        ({"train": "images/none"}, "no such folder or list"),
        ({"train": None}, "split 'train'"),
    ],
)
def test_bad_fields_are_named(tmp_path, fields, words):
    write(tmp_path, {**FIELDS, **fields})
    with pytest.raises(CUNetError, match=words):
        load_yolo(tmp_path)


@pytest.mark.parametrize(
    "text, words",
    [
        ("0 0.5 0.5 0.2 0.2 0.1 0.1", "7 numbers, 20 are needed"),
        ("0 a b c d", "numbers are needed"),
        (" ".join(["0", "1.5", "0.5", "0.2", "0.2", *["0.1"] * 15]), "shares of the picture"),
        (" ".join(["0", "0.5", "0.5", "0", "0.2", *["0.1"] * 15]), "with a width"),
    ],
)
def test_bad_lines_are_named_or_collected(tmp_path, text, words):
    write(tmp_path)
    (tmp_path / "labels/train/3.txt").write_text("\n" + text)
    with pytest.raises(CUNetError, match=words) as caught:
        load_yolo(tmp_path)
    assert "3.txt, line 2" in str(caught.value)
    problems = []
    assert len(load_yolo(tmp_path, problems=problems)) == 7 and len(problems) == 1


def test_the_file_is_named_where_it_is_missing_or_not_alone(tmp_path):
    with pytest.raises(CUNetError, match="found: none"):
        load_yolo(tmp_path)
    (tmp_path / "a.yaml").write_text("[")
    with pytest.raises(CUNetError, match="not readable as YAML"):
        load_yolo(tmp_path)
    (tmp_path / "b.yaml").write_text("x")
    with pytest.raises(CUNetError, match="a.yaml, b.yaml"):
        load_yolo(tmp_path)
    with pytest.raises(CUNetError, match="fields such as train"):
        load_yolo(tmp_path / "b.yaml")


def test_the_form_of_cvat(tmp_path):
    """Lists of pictures, their places from the root; no names of points and no mirror order."""
    write(tmp_path, {"path": "./", "train": "train.txt", "kpt_shape": [5, 3], "names": {0: "face"}})
    tmp_path.joinpath("train.txt").write_text("".join(f"images/train/{index}.png\n" for index in range(8)))
    source = load_yolo(tmp_path)
    assert len(source) == 8 and source.skeleton.names[:2] == ("point_0", "point_1")


def test_the_form_of_label_studio(tmp_path):
    """No data.yaml: the names are in notes.json, all pictures in one folder."""
    write(tmp_path)
    tmp_path.joinpath("data.yaml").unlink()
    (tmp_path / "images/train").rename(tmp_path / "all")
    (tmp_path / "labels/train").rename(tmp_path / "lines")
    for old, new in (("all", "images"), ("lines", "labels")):
        shutil.rmtree(tmp_path / new)
        (tmp_path / old).rename(tmp_path / new)
    tmp_path.joinpath("classes.txt").write_text("face\n")
    category = {"id": 0, "name": "face", "keypoints": [name.replace("_", " ") for name in CHOSEN]}
    tmp_path.joinpath("notes.json").write_text(json.dumps({"categories": [category], "info": {}}))
    source = load_yolo(tmp_path)
    assert len(source) == 8 and source.skeleton.names == tuple(CHOSEN)
    assert source.skeleton.flip_pairs == ((1, 0), (4, 3)) and source.samples[0].load().shape == (160, 160, 3)
    tmp_path.joinpath("notes.json").write_text(json.dumps({"categories": [{"id": 0, "name": "face"}]}))
    with pytest.raises(CUNetError, match="notes.json, categories: one list of keypoints .*KeyPointLabels inside"):
        load_yolo(tmp_path)


def test_checked_by_the_command(tmp_path, capsys):
    assert (
        main(["check", "--data=yolo", f"--root={write(tmp_path)}", "--split=all", f"--out={tmp_path / 'report'}"]) == 0
    )
    assert "12" in capsys.readouterr().out


def test_pictures_outside_the_folder_need_the_flag(tmp_path):
    """A list that names others, a folder beside the data set; the data set's own links to others."""
    write(tmp_path / "other")
    root = write(tmp_path / "mine", {**FIELDS, "train": "list.txt", "val": "../other/images/val", "test": "linked"})
    (root / "list.txt").write_text("images/train/1.png\n../other/images/train/1.png\n")
    (root / "linked").symlink_to(tmp_path / "other" / "images" / "train")
    for split, where in (("train", "list.txt, line 2"), ("val", "data.yaml, val"), ("test", "data.yaml, test")):
        with pytest.raises(CUNetError, match=f"{where}: .* leads out of the data set's folder .*--allow_outside"):
            load_yolo(root, split)
    train = load_yolo(root, allow_outside=True)
    assert [sample.name for sample in train] == ["train/1.png", "train/1.png#2"]  # two pictures of one name
    assert len(load_yolo(root, "val", allow_outside=True)) == 4
    (root / "data.yaml").write_text(yaml.safe_dump({**FIELDS, "path": str(tmp_path / "other")}))
    assert len(load_yolo(root)) == 8  # the file says where its folder is


@pytest.mark.parametrize(
    "data, words",
    [
        (b"0 0.5 \xff", "3.txt: no text in UTF-8"),
        (b"0 0.5 0.5 0.2 0.2 nan" + b" 0.1" * 14, "3.txt, line 1: nan is no share of a picture"),
        (b"0 0.5 0.5 0.2 0.2 1e9" + b" 0.1" * 14, "1e.09 is no share"),
        (b"0 " + b"x" * 9999, r"numbers are needed, here stands '0 x+\.\.\.x+'"),
        (bytes(17 << 20), "bytes are more than"),
    ],
)
def test_hostile_label_files(tmp_path, data, words):
    write(tmp_path)
    (tmp_path / "labels/train/3.txt").write_bytes(data)
    with pytest.raises(CUNetError, match=words):
        load_yolo(tmp_path)


def test_a_pipe_in_the_place_of_labels_is_not_waited_for(tmp_path):
    write(tmp_path)
    (tmp_path / "labels/train/3.txt").unlink()
    os.mkfifo(tmp_path / "labels/train/3.txt")
    with pytest.raises(CUNetError, match="3.txt: cannot be read .this is a pipe"):
        load_yolo(tmp_path)
