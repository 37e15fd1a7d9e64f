import json
import os
from pathlib import Path

import numpy as np
import pytest

from cunet_tf.commands.predict_inputs import Boxes, list_pictures, name_targets, parse_box
from cunet_tf.data.synthetic import draw
from cunet_tf.draw import save_png, save_result
from cunet_tf.errors import CUNetError


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "root"
    for name in ("a.png", "b.PNG", "deep/c.png", "deep/er/d.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        save_png(root / name, draw("face68", 8, 0))
    (root / "a.png").rename(root / "without_ending")  # OpenCV looks inside
    return root


def names(found):
    return [(file.name, str(part)) for file, part in found[0]]


def test_a_folder_is_searched_as_deep_as_asked(folder):
    top = [("b.PNG", "."), ("without_ending", ".")]
    assert names(list_pictures([str(folder)])) == top
    deep = [("c.png", "deep"), ("d.png", "deep/er")]
    assert names(list_pictures([str(folder)], recursive=True)) == [top[0], *deep, top[1]]


def test_links_that_lead_round_in_a_circle_end(folder):
    (folder / "deep" / "round").symlink_to(folder)
    assert len(list_pictures([str(folder)], recursive=True)[0]) == 4  # each picture once


def test_our_own_results_are_passed_over_and_others_named(folder):
    save_result(folder / "b_found.jpg", draw("face68", 8, 0))
    (folder / "notes.txt").write_text("x")
    found, passed = list_pictures([str(folder)])
    assert [file.name for file, _ in found] == ["b.PNG", "without_ending"]
    assert len(passed) == 1 and "notes.txt" in passed[0]


def test_results_keep_sub_folders_and_a_picture_named_twice_counts_once(folder, tmp_path):
    files, _ = list_pictures([str(folder), str(folder / "b.PNG")], recursive=True)
    pictures = name_targets(files, tmp_path / "out", "png")
    assert {str(picture.json.relative_to(tmp_path / "out")) for picture in pictures} == {
        "b.json", "without_ending.json", "deep/c.json", "deep/er/d.json"
    }  # fmt: skip
    assert (
        pictures[-1].overlay.name == "without_ending_found.png"
        and name_targets(files, tmp_path, None)[0].overlay is None
    )


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_boxes_are_found_by_path_by_its_end_and_by_name(tmp_path, ending):
    entries = {
        "photo.jpg": [[1, 2, 3, 4], [5, 6, 7, 8]],
        "deep/photo.jpg": [[9, 9, 10, 10]],
        "gone.jpg": [[0, 0, 1, 1]],
    }
    file = tmp_path / f"boxes.{ending}"
    lines = [",".join([name, *map(str, box)]) for name, boxes in entries.items() for box in boxes]
    text = json.dumps(entries) if ending == "json" else "\n".join(["image,x0,y0,x1,y1", *lines])
    file.write_text("\ufeff" + text if ending == "csv" else text)
    boxes = Boxes(file)
    assert boxes.of(Path("photo.jpg")) == entries["photo.jpg"]
    assert boxes.of(Path("/somewhere/photo.jpg")) == entries["photo.jpg"]
    assert boxes.of(Path("root/deep/photo.jpg")) == entries["deep/photo.jpg"]
    assert boxes.of(Path("other.jpg")) is None and boxes.unused() == ["gone.jpg"]


@pytest.mark.parametrize(
    "name, text, words",
    [
        ("b.csv", "image,x0,y0,x1\n", "column y1 is missing"),
        ("b.csv", "image,x0,y0,x1,y1\na.jpg,1,2,x,4\n", "line 2"),
        ("b.csv", "image,x0,y0,x1,y1\na.jpg,5,2,3,4\n", "x0 < x1"),
        ("b.csv", "image,x0,y0,x1,y1\na.jpg,1,2\n", "line 2"),
        ("b.csv", "", "column image is missing"),
        ("b.json", "[1]", "not of the form"),
        ("b.json", "{", "not readable as JSON"),
        ("b.json", '{"a.jpg": [[1, 2, 3, "x"]]}', "a.jpg"),
        ("b.json", '{"a.jpg": [1, 2, 3, 4]}', "a.jpg"),
    ],
)
def test_bad_boxes_name_file_and_place(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    with pytest.raises(CUNetError, match=words) as caught:
        Boxes(tmp_path / name)
    assert name in str(caught.value)


def test_box_of_the_flag():
    np.testing.assert_array_equal(parse_box(["1", "2", "3.5", "4"]), [1, 2, 3.5, 4])
    with pytest.raises(CUNetError, match="write --box=1,2,3,4"):
        parse_box(["1"], ["2", "3", "4", "a.jpg"])
    with pytest.raises(CUNetError, match="x0 < x1"):
        parse_box(["1", "2", "nan", "4"])


def test_pipes_are_refused_or_passed_over_and_never_waited_for(folder):
    os.mkfifo(folder / "pipe.png")
    os.mkfifo(folder / "pipe")
    with pytest.raises(CUNetError, match="pipe.png: a pipe, socket or device, not a regular file"):
        list_pictures([str(folder / "pipe.png")])
    found, passed = list_pictures([str(folder)])
    assert [file.name for file, _ in found] == ["b.PNG", "without_ending"]
    assert len(passed) == 2 and all("no regular file" in text for text in passed)
    with pytest.raises(CUNetError, match="pipe: cannot be read .this is a pipe"):
        Boxes(folder / "pipe")
