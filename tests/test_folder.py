import copy
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cunet_tf.data.folder import load_folder
from cunet_tf.data.sources import Request, load_source
from cunet_tf.draw import save_png
from cunet_tf.errors import CUNetError
from cunet_tf.skeletons import FACE68

SKELETON = {
    "name": "cat",
    "names": ["left_eye", "right_eye", "nose"],
    "flip_pairs": [["left_eye", "right_eye"]],
    "edges": [["left_eye", 2], [1, "nose"]],
    "normalizer": ["left_eye", "right_eye"],
}
IMAGES = [
    {"file": "a.png", "split": "train", "points": [[10, 12.5], [20, 12, 1], [15, 18, True]]},
    {"file": "b.png", "split": "train", "points": [[10, 12], [20, 13, 0], None], "box": [4, 5.5, 30, 31]},
    {"file": "sub/c.png", "split": "hard", "points": [[1, 2], [3, 4], None]},
]


@pytest.fixture
def content():
    return {"skeleton": copy.deepcopy(SKELETON), "images": copy.deepcopy(IMAGES)}


def write(root, content):
    (root / "landmarks.json").write_text(json.dumps(content))
    return root


def test_json_points_masks_boxes(tmp_path, content, capsys):
    a, b, c = source = load_folder(write(tmp_path, content))
    assert (source.name, source.split, source.box) == ("folder", "all", "1 given and 2 tight")
    assert [(s.name, s.subset, s.picture) for s in source] == [
        ("a.png", "train", tmp_path / "a.png"),
        ("b.png", "train", tmp_path / "b.png"),
        ("sub/c.png", "hard", tmp_path / "sub" / "c.png"),
    ]
    assert a.points.dtype == a.mask.dtype == np.float32
    np.testing.assert_array_equal(a.points, [[10, 12.5], [20, 12], [15, 18]])
    np.testing.assert_array_equal([a.mask, b.mask, c.mask], [[1, 1, 1], [1, 0, 0], [1, 1, 0]])
    np.testing.assert_array_equal(b.points[1:], 0)
    np.testing.assert_array_equal([a.box, b.box, c.box], [[10, 12, 20, 18], [4, 5.5, 30, 31], [1, 2, 3, 4]])
    assert capsys.readouterr().err == ""


def test_json_skeleton_by_name_or_place(tmp_path, content):
    skeleton = load_folder(write(tmp_path, content)).skeleton
    assert (skeleton.name, skeleton.names) == ("cat", ("left_eye", "right_eye", "nose"))
    assert (skeleton.flip_pairs, skeleton.edges) == (((0, 1),), ((0, 2), (1, 2)))
    assert skeleton.normalizers == {"left_eye-right_eye": ((0,), (1,))}
    content["skeleton"]["flip_pairs"] = [[1, 0]]
    assert load_folder(write(tmp_path, content)).skeleton.flip_permutation.tolist() == [1, 0, 2]


def test_pictures_are_read_through_the_source(tmp_path, content):
    picture = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    save_png(tmp_path / "a.png", picture)
    source = load_source("folder", Request(str(write(tmp_path, content)), "train", FACE68))
    np.testing.assert_array_equal(source.samples[0].load(), picture)


def test_splits_of_the_field(tmp_path, content):
    write(tmp_path, content)
    assert [s.name for s in load_folder(tmp_path, "train")] == ["a.png", "b.png"]
    hard = load_folder(tmp_path, "hard")
    assert ([s.name for s in hard], hard.split) == (["sub/c.png"], "hard")
    with pytest.raises(CUNetError, match="folder split 'trian': Did you mean 'train'. Known: all, train, hard"):
        load_folder(tmp_path, "trian")


def test_own_split_by_file_name(tmp_path):
    names = [f"{index}.png" for index in range(60)]
    images = [{"file": name, "points": [[1, 2], [3, 4], None]} for name in names]
    write(tmp_path, {"skeleton": SKELETON, "images": images})
    held_out = [name for name in names if int(hashlib.sha1(name.encode()).hexdigest(), 16) % 5 == 0]
    test, train = load_folder(tmp_path, "test"), load_folder(tmp_path, "train")
    assert [s.name for s in test] == held_out and 4 < len(test) < 20
    assert len(train) + len(test) == len(load_folder(tmp_path, "all")) == 60
    assert test.split.startswith("test (own split: ") and load_folder(tmp_path).split == "all"
    write(tmp_path, {"skeleton": SKELETON, "images": [images[names.index(held_out[0])]]})
    with pytest.raises(CUNetError, match="no picture in split 'train'.* use --split=all"):
        load_folder(tmp_path, "train")
    with pytest.raises(CUNetError, match="Known: all, train, test"):
        load_folder(tmp_path, "val")


def test_a_notice_when_mirroring_is_impossible(tmp_path, content, capsys):
    del content["skeleton"]["flip_pairs"]
    assert load_folder(write(tmp_path, content)).skeleton.flip_pairs is None
    assert "landmarks.json, skeleton: no flip_pairs, mirroring is impossible" in capsys.readouterr().err
    content["skeleton"]["flip_pairs"] = []
    load_folder(write(tmp_path, content))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"flip_pairs": [["left_eye", "rigt_eye"]]}, r"flip_pairs\[0\]: no landmark 'rigt_eye'. Did you mean 'right_e"),
        ({"flip_pairs": [["left_eye", 3]]}, r"flip_pairs\[0\]: 3 is neither a name nor a place in 0..2"),
        ({"flip_pairs": [[0, 1], [1, 2]]}, "flip_pairs: 'right_eye' stands in two pairs"),
        ({"flip_pairs": "left"}, "flip_pairs: expected `array . null`, got `str`"),
        ({"edges": [[0, 1], [2]]}, r"edges\[1\]: expected `array` of length 2, got 1"),
        ({"edges": [["left_eye", 0]]}, r"edges\[0\]: .* is no pair of two different"),
        ({"normalizer": ["nose", True]}, r"normalizer\[1\]: expected `int . str`, got `bool`"),
        ({"normalizer": "nose"}, "normalizer: expected `array . null`, got `str`"),
        ({"names": ["a", "b", "a"]}, "names: 'a' stands there twice"),
        ({"names": []}, "names: expected `array` of length >= 1"),
        ({"name": 3}, "name: expected `str`, got `int`"),
        ({"flip_pair": []}, "flip_pair: unknown field. Did you mean 'flip_pairs'"),
    ],
)
def test_skeleton_errors(tmp_path, content, changes, words):
    content["skeleton"] |= changes
    with pytest.raises(CUNetError, match=f"landmarks.json, skeleton.*{words}"):
        load_folder(write(tmp_path, content))


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"file": None}, "file: expected `str`, got `null`"),
        ({"points": [[10**400, 2], [3, 4], None]}, r"points\[0\]\[0\]: number out of range"),
        ({"split": None}, "split: missing, other entries have one"),
        ({"split": 1}, "split: expected `str . null`, got `int`"),
        ({"points": None}, "points: expected `array`, got `null`"),
        ({"points": [[1, 2], [3, 4]]}, "points: 2 points, 3 are needed"),
        ({"points": [[1, 2], [3], None]}, r"points\[1\]: expected `array` of length >= 2"),
        ({"points": [[1, 2], [3, 1e7], None]}, r"points\[1\]\[1\]: expected `float` <= 1000000.0"),
        ({"points": [[1, 2], [3, "4"], None]}, r"points\[1\]\[1\]: expected `bool . float`, got `str`"),
        ({"points": [[1, 2], None, None], "box": None}, "box: missing, and 1 points that count make none"),
        ({"points": [[1, 2], [1, 2], None], "box": None}, "box: missing, and 2 points"),
        ({"box": [4, 5, 30]}, r"box: expected `array` of length 4, got 3"),
        ({"box": [30, 5, 4, 31]}, "box: .* is not .x0, y0, x1, y1."),
    ],
)
def test_entry_errors(tmp_path, content, changes, words):
    content["images"][1] |= changes
    with pytest.raises(CUNetError, match=rf"landmarks.json, images\[1\], {words}"):
        load_folder(write(tmp_path, content))


def test_several_entries_of_a_picture_are_several_objects(tmp_path, content):
    """The same object twice is somebody's mistake."""
    content["images"][1]["file"] = "./a.png"
    first, second, _ = load_folder(write(tmp_path, content))
    assert (first.name, second.name) == ("a.png", "a.png#2") and first.picture == second.picture
    content["images"][1] = dict(content["images"][0])
    with pytest.raises(CUNetError, match=r"images\[1\], file: a.png stands already in .*images\[0\] with this box"):
        load_folder(write(tmp_path, content))


def test_boxes_are_called_what_they_are(tmp_path, content):
    for entry in content["images"]:
        entry["box"] = [0, 0, 40, 40]
    write(tmp_path, content)
    request = Request(str(tmp_path), "all", None)
    given = load_source("folder", request)
    assert given.box == "given" == load_source("folder", replace(request, box="given")).box
    with pytest.raises(CUNetError, match="--box=tight: b.png: 1 points that count make no box: leave --box out"):
        load_source("folder", replace(request, box="tight"))
    tight = load_source("folder", replace(request, box="tight", split="hard"))
    assert tight.box == "tight" and tight.samples[0].box.tolist() == [1, 2, 3, 4]
    with pytest.raises(CUNetError, match="--box=official: folder has given boxes here"):
        load_source("folder", replace(request, box="official"))
    with pytest.raises(CUNetError, match="--box=tigth: .*Did you mean 'tight'"):
        load_source("folder", replace(request, box="tigth"))


def test_the_documented_examples_load(tmp_path):
    text = (Path(__file__).parents[1] / "docs" / "data.md").read_text()
    (example,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    (table,) = re.findall(r"```\n(file,.*?)```", text, re.DOTALL)
    for name, content in [("landmarks.json", example), ("landmarks.csv", table)]:
        (tmp_path / name).write_text(content)
        (sample,) = source = load_folder(tmp_path, "train")
        assert (sample.name, source.skeleton.names) == ("a.jpg", ("left_eye", "right_eye", "nose"))
        assert sample.box.tolist() == [4, 4, 30, 30]
        (tmp_path / name).unlink()


def test_errors_of_root_and_file(tmp_path, content):
    with pytest.raises(CUNetError, match="--data=folder needs --root"):
        load_source("folder", Request("", "all", FACE68))
    with pytest.raises(CUNetError, match="no landmarks.json or landmarks.csv"):
        load_folder(tmp_path / "nowhere")
    for text, words in [
        ("{", "landmarks.json: not readable as JSON .*line 1"),
        ("[]", "an object {...} is needed, this is a list"),
        ('{"images": []}', "landmarks.json, skeleton: missing"),
        ('{"skeleton": {"names": ["a"]}, "images": 3}', "landmarks.json, images: missing, or no list"),
        ('{"skeleton": {"names": ["a"]}, "images": [3]}', r"images\[0\]: expected `object`, got `int`"),
    ]:
        (tmp_path / "landmarks.json").write_text(text)
        with pytest.raises(CUNetError, match=words):
            load_folder(tmp_path)
    write(tmp_path, content)
    (tmp_path / "landmarks.csv").write_text("file,a_x,a_y\n")
    with pytest.raises(CUNetError, match="both landmarks.json and landmarks.csv: keep one"):
        load_folder(tmp_path)


@pytest.mark.parametrize("name", ["../a.png", "/etc/passwd", "out.png"])
def test_pictures_outside_the_folder_need_the_flag(tmp_path, content, name):
    content["images"][1]["file"] = name
    root = tmp_path / "mine"
    root.mkdir()
    save_png(tmp_path / "a.png", np.zeros((4, 5, 3), np.uint8))
    (root / "out.png").symlink_to(tmp_path / "a.png")
    write(root, content)
    with pytest.raises(CUNetError, match=r"images\[1\], file: .* leads out of the data set's folder .*--allow_outside"):
        load_folder(root)
    assert len(load_source("folder", Request(str(root), "all", FACE68, allow_outside=True))) == 3


def test_many_objects_of_one_picture_take_no_square_of_time(tmp_path, content):
    content["images"] = [{"file": "a.png", "points": [[1, 2], [3, 4 + place], None]} for place in range(20_000)]
    assert load_folder(write(tmp_path, content)).samples[-1].name == "a.png#20000"
