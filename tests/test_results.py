import json
import os

import numpy as np
import pytest

from cunet_tf.landmarks import Landmarks
from cunet_tf.outputs import json_text
from cunet_tf.results import coco, csv_columns, csv_rows, is_done, read_record, record_of
from cunet_tf.skeletons import Skeleton

PAIR = Skeleton("pair", ("left", "right"), edges=((0, 1),))


def found(x=0.0, **changes):
    points = np.array([[10.0 + x, 20.0], [50.0 + x, 25.0]])
    fields = {"confidence": 0.8, "visible": np.array([True, False]), "skeleton": PAIR, **changes}
    return Landmarks(points, np.array([0.5, 0.75], np.float32), np.array([5.0 + x, 5, 60 + x, 40]), **fields)


@pytest.fixture
def records():
    lost = found(100.0, confidence=0.1, found=False, visible=np.array([False, False]))
    return [
        record_of("a.jpg", 300, 200, [found(), lost], PAIR, "s"),
        record_of("b.jpg", 30, 20, [], PAIR, "s"),
        record_of("c.jpg", 300, 200, [found(confidence=None, visible=None)], PAIR, "s"),
    ]


def test_rows_are_one_an_object(records):
    rows = csv_rows(records)
    assert [(row["image"], row["object"], row["confidence"], row["found"]) for row in rows] == [
        ("a.jpg", 0, 0.8, 1), ("a.jpg", 1, 0.1, 0), ("c.jpg", 0, None, 1)
    ]  # fmt: skip
    head = ["image", "object", "confidence", "found", "x0", "y0", "x1", "y1", "left_x", "left_y", "left_score"]
    assert csv_columns(PAIR)[:11] == head
    assert (rows[1]["x0"], rows[1]["left_x"], rows[1]["right_y"], rows[0]["right_score"]) == (105.0, 110.0, 25.0, 0.75)


def test_coco_counts_edges_from_one_and_knows_three_visibilities(records):
    written = coco(records, PAIR)
    assert written["written_by"] == "cunet-tf"
    (category,) = written["categories"]
    assert (category["keypoints"], category["skeleton"]) == (["left", "right"], [[1, 2]])
    assert [(each["id"], each["file_name"]) for each in written["images"]] == [(1, "a.jpg"), (2, "b.jpg"), (3, "c.jpg")]
    first, lost, plain = written["annotations"]
    assert first["keypoints"] == [10.0, 20.0, 2, 50.0, 25.0, 1] and first["num_keypoints"] == 2
    assert (first["bbox"], first["score"], first["image_id"]) == ([5.0, 5.0, 55.0, 35.0], 0.8, 1)
    assert lost["keypoints"] == [0.0] * 6 and lost["num_keypoints"] == 0
    assert plain["image_id"] == 3 and plain["score"] == 0.625 and plain["keypoints"][2::3] == [2, 2]
    json.dumps(written)


def test_a_result_is_done_while_nothing_changes(tmp_path, records):
    picture, file, overlay = (tmp_path / name for name in ("a.jpg", "a.json", "a_found.jpg"))
    picture.write_bytes(b"x")
    file.write_text(json_text(records[0]))
    overlay.write_text(json_text({}))
    record = read_record(file)
    assert record["objects"] == records[0]["objects"]
    assert is_done(record, picture, file, overlay, "s") and is_done(record, picture, file, None, "s")
    assert not is_done(record, picture, file, overlay, "other settings")
    assert not is_done(record, picture, file, tmp_path / "none.jpg", "s")
    os.utime(picture, ns=(10**18 * 3, 10**18 * 3))
    assert not is_done(record, picture, file, overlay, "s")


@pytest.mark.parametrize(
    "text", ["", "{}", '{"written_by": "cunet-tf"}', '{"written_by": "cunet-tf", "objects": 3}', "x"]
)
def test_what_is_no_record_of_ours_is_none(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    assert read_record(tmp_path / "a.json") is None and read_record(tmp_path / "none.json") is None
