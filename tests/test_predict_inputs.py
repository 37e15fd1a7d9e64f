import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


@pytest.mark.parametrize(
    "name, words",
    [
        ("", "name the pictures, or a folder of them, at the end of the line"),
        ("gone.jpg", "gone.jpg: no such file or folder"),
        ("empty", "empty: no picture in this folder that OpenCV reads; --recursive looks into its folders"),
        ("ours.png", "ours.png: cunet drew this picture: name the one it was drawn from"),
    ],
)
def test_what_is_no_picture_is_named_with_what_to_do(folder, name, words):
    (folder / "empty").mkdir()
    save_result(folder / "ours.png", draw("face68", 8, 0))
    with pytest.raises(CUNetError, match=words):
        list_pictures([str(folder / name)] if name else [])
    if name == "empty":
        with pytest.raises(CUNetError, match="that OpenCV reads.$"):
            list_pictures([str(folder / name)], recursive=True)


def test_a_file_that_is_named_is_taken_whatever_its_ending(folder):
    """Whoever names it gets to hear what is wrong with it; in a folder it is passed over."""
    (folder / "odd.txt").write_text("x")
    assert names(list_pictures([str(folder / "odd.txt")])) == [("odd.txt", ".")]
    (folder / "._b.PNG").write_bytes(b"notes")
    _, passed = list_pictures([str(folder)])
    assert [text.rpartition(": ")[2] for text in passed] == [
        "notes of macOS, no picture",
        "no picture that OpenCV reads",
    ]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["x", "x.y", "x_found"]),
                          st.sampled_from([".jpg", ".png", ".jpg.png"]), st.sampled_from(["", "deep"])), max_size=6),
       st.sampled_from([None, "jpg", "png"]))  # fmt: skip
def test_no_two_pictures_write_one_file_or_they_are_refused(given_files, overlay):
    files = [(Path(folder, part, stem + ending), Path(part)) for folder, stem, ending, part in given_files]
    try:
        pictures = name_targets(files, Path("out"), overlay)
    except CUNetError as error:
        assert "would write the same result: use two --out folders" in str(error)
        parts = [(part, file.name) for file, part in set(files)]
        assert len(files) > 1 and (len(set(parts)) < len(parts) or len({part for part, _ in parts}) < len(parts))
        return
    targets = [target for picture in pictures for target in picture.targets]
    assert len(set(targets)) == len(targets) and len(pictures) == len(set(files))
    assert all((picture.overlay is None) == (overlay is None) for picture in pictures)


def test_stems_that_two_pictures_share_keep_their_endings(tmp_path):
    files = [(Path("x/a.jpg"), Path()), (Path("x/a.png"), Path()), (Path("x/b.png"), Path())]
    assert [picture.json.name for picture in name_targets(files, tmp_path, None)] == [
        "a.jpg.json",
        "a.png.json",
        "b.json",
    ]
    with pytest.raises(CUNetError, match="y/b.png and x/b.png would write the same result"):
        name_targets([*files, (Path("y/b.png"), Path())], tmp_path, None)


numbers = st.floats(-1e6, 1e6)


@settings(deadline=None, max_examples=60)
@given(st.tuples(numbers, numbers, numbers, numbers))
def test_a_box_is_read_as_it_was_written_or_refused(box):
    parts = [repr(value) for value in box]
    if box[0] < box[2] and box[1] < box[3]:
        assert parse_box(parts).tolist() == list(box)
    else:
        with pytest.raises(CUNetError, match="give x0,y0,x1,y1 with x0 < x1 and y0 < y1, in pixels"):
            parse_box(parts)


@pytest.mark.parametrize(
    "parts, rest, words",
    [
        (["1", "2", "3"], [], "--box=1,2,3: give x0,y0,x1,y1"),
        (["1", "2", "3", "4", "5"], [], "--box=1,2,3,4,5: give"),
        (["1", "2", "inf", "4"], [], "--box=1,2,inf,4: give"),
        (["a", "2", "3", "4"], [], "--box=a,2,3,4: give"),
        (["1"], ["2", "3"], "--box=1: give"),
        (["1"], ["2", "a.jpg", "4"], "--box=1: give"),
    ],
)
def test_a_hint_is_given_only_where_four_numbers_follow(parts, rest, words):
    with pytest.raises(CUNetError, match=words):
        parse_box(parts, rest)


@pytest.mark.parametrize(
    "box", [[0, 0, 1e300, 5], ["-inf", 0, 1, 1], ["nan", 0, 1, 1], [0, 0, 1], [0, 0, 1, 1, 1], "abcd", None, 7]
)
def test_boxes_that_no_picture_has_are_refused_with_their_place(tmp_path, box):
    (tmp_path / "b.json").write_text(json.dumps({"a.jpg": [[0, 0, 1, 1], box]}))
    with pytest.raises(CUNetError, match="--boxes=.*b.json, a.jpg: .*: a box is x0,y0,x1,y1"):
        Boxes(tmp_path / "b.json")


def test_a_quote_that_is_never_closed_is_no_csv(tmp_path):
    (tmp_path / "b.csv").write_text('image,x0,y0,x1,y1\n"a.jpg,1,2,3,4\n')
    with pytest.raises(CUNetError, match="b.csv: not readable as CSV .*: repair it"):
        Boxes(tmp_path / "b.csv")


def test_names_that_differ_only_in_how_a_path_is_written_are_one(tmp_path):
    (tmp_path / "b.json").write_text(json.dumps({"./a.jpg": [[0, 0, 1, 1]], "a.jpg": [[0, 0, 2, 2]], "b.jpg": []}))
    boxes = Boxes(tmp_path / "b.json")
    assert boxes.of(Path("a.jpg")) == [[0, 0, 1, 1], [0, 0, 2, 2]] and boxes.unused() == []
    assert boxes.of(Path("b.jpg")) is None  # an empty list says nothing
