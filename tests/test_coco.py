"""COCO keypoints in the layouts of COCO, CVAT and Label Studio; bad files; several people in a picture."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cunet_tf.cli import main
from cunet_tf.data.coco import SIDES, load_coco, mirror_pairs, named_normalizers
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.draw import save_png
from cunet_tf.errors import CUNetError
from cunet_tf.skeletons import FACE68

CHOSEN = {"right_eye": 36, "left_eye": 45, "nose": 30, "right_mouth": 48, "left_mouth": 54}
LAYOUTS = {  # where the file lies, where the pictures lie, and the folder in file_name
    "coco": ("annotations/person_keypoints_val2017.json", "val2017", ""),
    "cvat": ("annotations/person_keypoints_default.json", "images/default", ""),
    "label studio": ("result.json", "images", ""),
    "beside": ("mine.json", ".", ""),
}


def content(count=12, folder="", **changes):
    """Drawn faces as COCO has them: five keypoints, the last one of the first face not annotated."""
    images, annotations = [], []
    for index, sample in enumerate(load_synthetic(FACE68, f"11:{count}")):
        points = sample.points[list(CHOSEN.values())].astype(float).round(3)
        triples = np.column_stack([points, np.full(5, 2)])
        if index == 0:
            triples[4] = 0
        images.append({"id": 100 + index, "file_name": f"{folder}{index}.png", "width": 160, "height": 160})
        annotations.append({"id": index, "image_id": 100 + index, "category_id": 1, "iscrowd": 0,
                            "bbox": [30, 30, 100, 90], "keypoints": triples.ravel().tolist()})  # fmt: skip
    category = {"id": 1, "name": "face", "keypoints": list(CHOSEN), "skeleton": [[1, 3], [2, 3]]}
    return {"images": images, "annotations": annotations, "categories": [category], **changes}


def in_the_form_of(tool, data):
    """What the tools' exporters write beside what COCO has: Datumaro, which is CVAT's, and Label Studio's SDK."""
    (category,) = data["categories"]
    if tool == "cvat":  # each point is a category of its own too, ids of annotations start anew in each picture
        data["categories"] += [{"id": 2 + i, "name": name, "supercategory": "face", "keypoints": [], "skeleton": []}
                               for i, name in enumerate(CHOSEN)]  # fmt: skip
        for entry in data["annotations"]:
            entry |= {"id": 1, "segmentation": [], "area": 9000.0, "num_keypoints": 5}
    if tool == "label studio":  # whole pixels, a box around the points, the drawn box as an object of another category
        category |= {"name": "default", "supercategory": "default", "skeleton": []}
        category["keypoints"] = [name.replace("_", " ") for name in CHOSEN]
        data["categories"].insert(0, {"id": 0, "name": "face"})
        for entry in list(data["annotations"]):
            entry["keypoints"] = [round(value) for value in entry["keypoints"]]
            x, y, v = np.array(entry["keypoints"]).reshape(-1, 3).T
            x, y = x[v > 0], y[v > 0]
            drawn = {"image_id": entry["image_id"], "category_id": 0, "segmentation": [], "bbox": entry["bbox"]}
            entry["bbox"] = [int(x.min()), int(y.min()), int(np.ptp(x)), int(np.ptp(y))]
            data["annotations"].insert(0, drawn)
    return data


def write(root, layout="beside", data=None, count=12):
    file, pictures, folder = LAYOUTS[layout]
    data = data or in_the_form_of(layout, content(count, folder))
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text(json.dumps(data))
    for index, sample in enumerate(load_synthetic(FACE68, f"11:{count}")):
        save_png(root / pictures / f"{index}.png", sample.load())
    return root


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_of_the_tools(tmp_path, layout):
    source = load_coco(write(tmp_path, layout))
    assert len(source) == 12 and source.skeleton.names == tuple(CHOSEN) and source.box == "given"
    rough = layout == "label studio"
    assert source.skeleton.flip_pairs == ((1, 0), (4, 3))
    assert source.skeleton.edges == (() if rough else ((0, 2), (1, 2)))
    assert list(source.skeleton.normalizers) == ["eyes"]
    first = source.samples[0]
    assert first.load().shape == (160, 160, 3) and first.mask.tolist() == [1, 1, 1, 1, 0]
    if not rough:
        np.testing.assert_array_equal(first.box, [30, 30, 130, 120])
    truth = load_synthetic(FACE68, "11:1").samples[0].points[36]
    np.testing.assert_allclose(first.points[0], truth, atol=0.5 if rough else 1e-3)


def test_one_file_is_split_by_names_and_several_by_files(tmp_path):
    write(tmp_path, "cvat")
    train, test = (load_coco(tmp_path, split) for split in ("train", "test"))
    names = [{sample.name for sample in part} for part in (train, test)]
    assert len(names[0]) + len(names[1]) == 12 and not names[0] & names[1] and "own split" in train.split
    assert len(load_coco(tmp_path, "default")) == 12
    write(tmp_path, "coco")
    assert len(load_coco(tmp_path)) == 24 and len(load_coco(tmp_path, "val2017")) == 12
    with pytest.raises(CUNetError, match="split 'train'"):
        load_coco(tmp_path, "train")


def test_several_people_crowds_and_other_categories(tmp_path):
    data = content(2)
    first = data["annotations"][0]
    data["annotations"] += [
        {**first, "bbox": [0, 0, 0, 0]}, {**first, "iscrowd": 1}, {**first, "category_id": 9},
        {**first, "keypoints": [0] * 15}, {**first, "keypoints": []},
    ]  # fmt: skip
    data["categories"].append({"id": 9, "name": "car"})
    source = load_coco(write(tmp_path, data=data, count=2) / "mine.json")
    assert [sample.name for sample in source] == ["0.png", "1.png", "0.png#2"]
    points = source.samples[2].points[:4]
    np.testing.assert_allclose(source.samples[2].box, [*points.min(axis=0), *points.max(axis=0)])
    assert {str(sample.picture) for sample in source} == {str(tmp_path / f"{index}.png") for index in (0, 1)}


@pytest.mark.parametrize(
    "change, words",
    [
        ({"images": None}, "no COCO keypoints file here"),
        ({"categories": []}, "one with keypoints is needed, here have some: none"),
        ({"categories": [{"id": 1, "keypoints": ["a", "a"]}]}, "'a' stands there twice"),
        ({"categories": [{"id": 1, "keypoints": ["a"], "skeleton": [[1, 2]]}]}, "no pairs of places from 1 to 1"),
        ({"annotations": [{"image_id": 7, "keypoints": [1, 2, 2]}]}, r"annotations\[0\], image_id: 7"),
        ({"annotations": [{"image_id": 100, "keypoints": [1, 2, 2]}]}, "3 numbers, 15 are needed"),
        ({"annotations": [{"image_id": 100, "keypoints": ["x"] * 15}]}, r"keypoints\[0\]: expected `float`, got `str`"),
        ({"annotations": [{"image_id": 100, "keypoints": [1, 2, 2] * 5, "bbox": [1]}]}, "1 numbers, x, y, width"),
        ({"annotations": [{"image_id": 100, "keypoints": [1, 2, 2] * 5}]}, "5 keypoints make no box"),
        ({"annotations": [3]}, "expected `object`, got `int`"),
        ({"annotations": []}, "no object with keypoints"),
    ],
)
def test_bad_files_name_the_place(tmp_path, change, words):
    (tmp_path / "mine.json").write_text(json.dumps(content(1, **change)))
    with pytest.raises(CUNetError, match=words):
        load_coco(tmp_path)


def test_faults_of_single_entries_are_collected(tmp_path):
    data = content(2)
    data["annotations"][0]["keypoints"] = [1, 2]
    problems = []
    source = load_coco(write(tmp_path, data=data, count=2), problems=problems)
    assert len(source) == 1 and len(problems) == 1 and "annotations[0]" in str(problems[0])


def test_mirror_pairs_follow_from_names():
    assert mirror_pairs(["nose", "left_eye", "right_eye", "Left Ear", "Right Ear", "leftover"]) == ((1, 2), (3, 4))


@pytest.mark.parametrize("tool", ["cvat", "label studio"])
def test_checked_and_trained(tmp_path, tool, eagerly, capsys):
    data = ["--data=coco", f"--root={write(tmp_path, tool)}"]
    assert main(["check", *data, "--split=all", f"--out={tmp_path / 'report'}"]) == 0
    network = ["--preset=face-mobile", "--stacks=1", "--levels=1", "--main_channels=8", "--growth=4", "--input_size=64"]
    run = tmp_path / "run"
    assert main(["train", *data, "--split=all", *network, "--epochs=1", "--batch_size=4", "--val_share=0.25",
                 f"--workdir={run}"]) == 0  # fmt: skip
    assert f"5 landmarks of the data ({'face' if tool == 'cvat' else 'default'})" in capsys.readouterr().err
    assert main(["evaluate", f"--model={run / 'best.keras'}", *data, "--split=all", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["normalizer"] == "eyes"


@pytest.mark.parametrize(
    "images, words",
    [
        ([{"id": [1], "file_name": "a.png"}], r"images\[0\], id: expected `int . str`, got `array`"),
        (
            [{"id": 1, "file_name": "a.png"}, {"id": 1, "file_name": "b.png"}],
            r"images\[1\], id: 1 is another picture's",
        ),
        ([{"id": 100, "file_name": 3}], r"images\[0\], file_name: expected `str`, got `int`"),
        ([{"id": 100}], r"images\[0\], file_name: missing"),
        ([{"id": 100, "file_name": "x" * 2000}], r"images\[0\], file_name: expected `str` of length <= 1000"),
        (
            [{"id": 100, "file_name": "a\0.png"}],
            r"annotations\[0\], image_id: .*png' has control characters in it",
        ),
        ([{"id": 100, "file_name": "a" * 999}], None),
    ],
)
def test_hostile_pictures_of_a_file(tmp_path, images, words):
    (tmp_path / "mine.json").write_text(json.dumps(content(1, images=images)))
    if words is None:  # no such file: the reader says so
        assert len(load_coco(tmp_path)) == 1
        return
    with pytest.raises(CUNetError, match=words):
        load_coco(tmp_path)


def test_pictures_outside_the_folder_need_the_flag(tmp_path, capsys):
    write(tmp_path / "other", count=2)
    for name in ("../other/{}.png", str(tmp_path / "other/{}.png"), "linked/{}.png", "folder/{}.png"):
        root = tmp_path / "mine"
        data = content(2)
        for index, image in enumerate(data["images"]):
            image["file_name"] = name.format(index)
        write(root, "coco", data, count=2)
        if not (root / "folder").exists():
            (root / "linked").mkdir()
            (root / "folder").symlink_to(tmp_path / "other")
            for index in range(2):
                (root / "linked" / f"{index}.png").symlink_to(tmp_path / "other" / f"{index}.png")
        call = ["check", "--data=coco", f"--root={root}", "--split=all", f"--out={tmp_path / 'report'}"]
        assert main(["evaluate", "--model=face-mobile", *call[1:4]]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1 and "annotations[0], image_id: " in error and "add --allow_outside" in error
        assert main([*call, "--allow_outside"]) == 0
        capsys.readouterr()
    data = content(2)
    data["images"][0]["file_name"] = "../val2017/0.png"  # leaves the folder of the file, not that of the data set
    assert len(load_coco(write(root, "coco", data, count=2))) == 2


def one(tmp_path, keypoints, names=("a", "b"), bbox=(10, 10, 5, 5), folder=""):
    """A file with a single object."""
    category = {"id": 1, "name": "thing", "keypoints": list(names)}
    entry = {"image_id": "x", "category_id": 1, "keypoints": keypoints, "bbox": list(bbox)}
    data = {"images": [{"id": "x", "file_name": f"{folder}x.png"}], "annotations": [entry], "categories": [category]}
    (tmp_path / "mine.json").write_text(json.dumps(data))
    (sample,) = load_coco(tmp_path)
    return sample


def test_hidden_points_count_and_others_lie_nowhere(tmp_path):
    sample = one(tmp_path, [3, 4, 1, 99, 98, 0])
    assert sample.mask.tolist() == [1, 0] and sample.points.tolist() == [[3, 4], [0, 0]]


@pytest.mark.parametrize("bbox, box", [((1, 2, 3, 4), [1, 2, 4, 6]), ((1, 2, 0, 4), [3, 4, 7, 9]), ((), [3, 4, 7, 9])])
def test_a_box_without_a_side_gives_way_to_the_points(tmp_path, bbox, box):
    assert one(tmp_path, [3, 4, 2, 7, 9, 2], bbox=bbox).box.tolist() == box


def test_a_picture_is_looked_for_beside_the_file_first_and_one_folder_up_last(tmp_path):
    places = ["x.png", "images/x.png", "all/x.png", "mine/x.png", "images/mine/x.png", "../mine/x.png"]
    found = []
    root = tmp_path / "annotations"
    root.mkdir()
    for place in places:
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).touch()
    while len(found) < len(places):
        picture = one(root, [3, 4, 2, 7, 9, 2]).picture
        if not picture.exists():
            break
        found.append(picture)
        picture.unlink()
    order = ["x.png", "images/x.png", "mine/x.png", "images/mine/x.png", "../mine/x.png"]
    assert [file.resolve() for file in found] == [(root / place).resolve() for place in order]
    assert picture == root / "x.png"  # where none has it, for the message of the reader


def test_files_of_different_keypoints_are_not_mixed(tmp_path):
    for name, word in (("train", "nose"), ("val", "tail")):
        data = content(1)
        data["categories"][0]["keypoints"][2] = word
        (tmp_path / f"{name}.json").write_text(json.dumps(data))
    with pytest.raises(CUNetError, match="name different keypoints: choose one of the splits train, val"):
        load_coco(tmp_path)
    assert load_coco(tmp_path, "val").skeleton.names[2] == "tail"
    with pytest.raises(CUNetError, match="coco split 'vol': Did you mean 'val'"):
        load_coco(tmp_path, "vol")


@pytest.mark.parametrize(
    "names, expected",
    [
        (["nose", "left_shoulder", "x", "right_hip"], {"torso": ((1,), (3,))}),
        (["right_eye", "left_eye"], {"eyes": ((1,), (0,))}),
        (["left_eye", "right_eye", "right_hip", "left_shoulder"], {"torso": ((3,), (2,))}),
        (["left_eye", "right_hip"], {}),
    ],
)
def test_errors_are_divided_by_what_the_names_tell(names, expected):
    assert named_normalizers(names) == expected


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(["eye", "ear", "Left", "left", "RIGHT", "hip"]).flatmap(
    lambda word: st.sampled_from([word, f"left_{word}", f"right_{word}", f"{word} Right", f"{word} Left"])),
    unique=True, max_size=12))  # fmt: skip
def test_pairs_of_any_names_lead_from_left_to_right(names):
    for left, right in mirror_pairs(names):
        assert names[left] != names[right]
        assert any(names[left].replace(one, other) == names[right] for one, other in SIDES)
