import csv
import json

import numpy as np
import pytest

from cunet_tf.data.folder import load_folder
from cunet_tf.errors import CUNetError
from tests.test_folder import IMAGES, SKELETON, write

HEADER = ["file", "split", "left_eye_x", "left_eye_y", "right_eye_x", "right_eye_y", "nose_x", "nose_y"]
BOX = ["box_x0", "box_y0", "box_x1", "box_y1"]
ROWS = [
    [*HEADER, *BOX],
    ["a.png", "train", 10, 12.5, 20, 12, 15, 18, "", "", "", ""],
    ["b.png", "train", 10, 12, "", "", "", "", 4, 5.5, 30, 31],
    ["sub/c.png", "hard", 1, 2, 3, 4, "", "", "", "", "", ""],
]


def write_csv(root, rows):
    with (root / "landmarks.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return root


def test_csv_reads_the_same_samples(tmp_path):
    (tmp_path / "j").mkdir()
    write_csv(tmp_path, ROWS)
    (tmp_path / "skeleton.json").write_text(json.dumps(SKELETON))
    table, listed = load_folder(tmp_path), load_folder(write(tmp_path / "j", {"skeleton": SKELETON, "images": IMAGES}))
    assert table.skeleton == listed.skeleton
    for one, other in zip(table, listed, strict=True):
        assert (one.name, one.subset) == (other.name, other.subset)
        for field in ("points", "mask", "box"):
            np.testing.assert_array_equal(getattr(one, field), getattr(other, field))


def test_csv_names_come_from_the_header(tmp_path, capsys):
    write_csv(tmp_path, [["file", "b_x", "b_y", "a_x", "a_y"], ["p.png", "1", "2", "3", "4"], []])
    source = load_folder(tmp_path)
    assert source.skeleton.names == ("b", "a") and source.skeleton.flip_pairs is None
    np.testing.assert_array_equal(source.samples[0].points, [[1, 2], [3, 4]])
    assert "landmarks.csv: no flip_pairs, mirroring is impossible" in capsys.readouterr().err
    # skeleton.json orders the landmarks; a byte order mark, as spreadsheets write it, is no column.
    (tmp_path / "skeleton.json").write_text(json.dumps({"names": ["a", "b"], "flip_pairs": [["a", "b"]]}))
    text = (tmp_path / "landmarks.csv").read_text()
    (tmp_path / "landmarks.csv").write_text(text, encoding="utf-8-sig")
    np.testing.assert_array_equal(load_folder(tmp_path).samples[0].points, [[3, 4], [1, 2]])
    assert capsys.readouterr().err == ""


def test_many_landmarks(tmp_path, rng):
    names, points = [f"p{index}" for index in range(200)], rng.uniform(0, 99, (200, 2))
    header = ["file", *(f"{name}_{axis}" for name in names for axis in "xy")]
    write_csv(tmp_path, [header, ["a.png", *points.ravel()]])
    np.testing.assert_allclose(load_folder(tmp_path).samples[0].points, points, rtol=1e-6)


@pytest.mark.parametrize(
    "line, column, value, words",
    [
        (0, 0, "picture", "header: no column 'file'"),
        (0, 3, "left_eye_x", "header: column 'left_eye_x' stands there twice"),
        (0, 3, "left_eye_z", "header: no column 'left_eye_y'. Did you mean 'left_eye_"),
        (0, 1, "splt", "header: unknown column 'splt'. Did you mean 'split'"),
        (0, 11, "box_x4", "header: no column 'box_y1'"),
        (1, 3, "", "line 2, left_eye_y: empty: fill in all of left_eye_x, left_eye_y, or none"),
        (1, 2, "", "line 2, left_eye_x: empty: "),
        (1, 2, "1,5", "line 2, left_eye_x: '1,5' is no number"),
        (1, 2, "nan", "line 2, left_eye_x: 'nan' is no coordinate in a picture"),
        (2, 8, "", "line 3, box_x0: empty: fill in all of box_x0, box_y0, box_x1, box_y1"),
        (2, 0, "", "line 3, file: expected `str` of length >= 1"),
        (3, 1, "", "line 4, split: missing"),
    ],
)
def test_csv_errors(tmp_path, line, column, value, words):
    rows = [list(row) for row in ROWS]
    rows[line][column] = value
    with pytest.raises(CUNetError, match=f"landmarks.csv, {words}"):
        load_folder(write_csv(tmp_path, rows))


def test_csv_lines_and_its_skeleton(tmp_path):
    with pytest.raises(CUNetError, match="landmarks.csv, line 2: 3 cells, the header has 5"):
        load_folder(write_csv(tmp_path, [["file", "a_x", "a_y", "b_x", "b_y"], ["p.png", 1, 2]]))
    with pytest.raises(CUNetError, match="landmarks.csv, header: no landmark: add columns NAME_x,NAME_y"):
        load_folder(write_csv(tmp_path, [["file", "split"], ["p.png", "train"]]))
    write_csv(tmp_path, ROWS)
    (tmp_path / "skeleton.json").write_text(json.dumps({"names": ["left_eye", "right_eye", "nase"]}))
    with pytest.raises(CUNetError, match="header: no column 'nase_x'. Did you mean 'nose_x'"):
        load_folder(tmp_path)
    (tmp_path / "skeleton.json").write_text(json.dumps({"names": "nose"}))
    with pytest.raises(CUNetError, match="skeleton.json, names: expected `array`"):
        load_folder(tmp_path)
    (tmp_path / "skeleton.json").write_text(json.dumps({"flip_pairs": [["left_eye", "ear"]]}))
    with pytest.raises(CUNetError, match=r"skeleton.json, flip_pairs\[0\]: no landmark 'ear'"):
        load_folder(tmp_path)


@pytest.mark.parametrize(
    "data, words",
    [
        (b"file,a_x,a_y\na\0.png,1,2\n", "landmarks.csv: no text, it holds NUL bytes"),
        (b"file,a_x,a_y\na.png,1,\xff\n", "landmarks.csv: no text in UTF-8 .byte 21"),
        ("file,a_x,a_y\n".encode("utf-16"), "landmarks.csv: no text in UTF-8"),
        (b'file,a_x,a_y\n"a.png,1,2\n', "landmarks.csv, line 2: not readable as CSV .unexpected end of data"),
        (b'file,a_x,a_y\n"a"b.png,1,2\n', "line 2: not readable as CSV .*expected after"),
        (b"file,a_x,a_y\n" + b"a" * 200_000 + b",1,2\n", "line 2: not readable as CSV .field larger than field limit"),
        (b"file," + b"a_x," * 10_000, "header: 10,002 columns, more than 4096 landmarks need"),
        (b"file,a_x,a_y\na.png,1,2,3\n", "line 2: 4 cells, the header has 3"),
        (b"file,a_x,a_y\na.png,1e9,2\n", "line 2, a_x: '1e9' is no coordinate in a picture"),
        (b"file,_x,_y\na.png,1,2\n", r"landmarks.csv, names\[0\]: expected `str` of length >= 1"),
        (b"file,split,a_x,a_y\n../a.png,train,1,2\n", "a box|leads out"),
    ],
)
def test_hostile_tables(tmp_path, data, words):
    (tmp_path / "landmarks.csv").write_bytes(data)
    with pytest.raises(CUNetError, match=words):
        load_folder(tmp_path)
