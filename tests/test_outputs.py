"""Nothing that somebody else wrote is ever replaced."""

import json
import math
import os
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cunet_tf.cli import main
from cunet_tf.data.synthetic import draw
from cunet_tf.draw import encoded, save_result
from cunet_tf.errors import CUNetError
from cunet_tf.figures import plot_shares
from cunet_tf.outputs import (
    MARK,
    SEARCHED,
    begins_with,
    claim,
    claim_pages,
    finite,
    is_ours,
    json_text,
    marked_picture,
    movie_mark,
    page_text,
)
from cunet_tf.writing import replace_text

PRECIOUS = b"precious"


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_pictures_keep_their_pixels_under_the_mark(tmp_path, ending):
    image = draw("face68", 8, 0)
    save_result(tmp_path / f"ours.{ending}", image)
    data = encoded(image, f".{ending}")
    assert is_ours(tmp_path / f"ours.{ending}")
    np.testing.assert_array_equal(
        cv2.imread(str(tmp_path / f"ours.{ending}")), cv2.imdecode(np.frombuffer(data, np.uint8), 1)
    )
    (tmp_path / f"theirs.{ending}").write_bytes(data)
    assert not is_ours(tmp_path / f"theirs.{ending}") and not is_ours(tmp_path / "none")


def test_figures_json_and_pages_are_marked(tmp_path):
    plot_shares(np.array([0.0, 1.0]), {"a": np.array([0.0, 1.0])}, 0.5, "x", "y", tmp_path / "figure.png")
    replace_text(tmp_path / "record.json", json_text({"x": "y" * 9000}, indent=2))
    replace_text(tmp_path / "page.md", page_text("# Title\n"))
    assert all(is_ours(file) for file in tmp_path.iterdir())
    assert json.loads((tmp_path / "record.json").read_text()) == {"written_by": "cunet-tf", "x": "y" * 9000}


def test_claims(tmp_path):
    (tmp_path / "theirs.json").write_bytes(PRECIOUS)
    (tmp_path / "link.json").symlink_to(tmp_path / "theirs.json")
    (tmp_path / "dangling.json").symlink_to(tmp_path / "nowhere.json")
    (tmp_path / "hard.json").hardlink_to(tmp_path / "theirs.json")
    (tmp_path / "ours.json").write_text(json_text({}))
    (tmp_path / "folder.json").mkdir()
    claim([tmp_path / "ours.json", tmp_path / "new.json", tmp_path / "new" / "deep" / "x.json"], "--out")
    for name in ("theirs", "link", "dangling", "hard"):
        with pytest.raises(CUNetError, match=f"{name}.json exists and was not written by cunet: .*--out"):
            claim([tmp_path / f"{name}.json"], "--out")
    with pytest.raises(CUNetError, match="is a folder"):
        claim([tmp_path / "folder.json"], "--out")
    with pytest.raises(CUNetError, match="theirs.json is not a folder: --out"):
        claim([tmp_path / "theirs.json" / "a" / "b.json"], "--out")


def test_a_csv_file_is_known_by_its_columns(tmp_path):
    (tmp_path / "t.csv").write_text("model,data,split\n1,2,3\n")
    claim([tmp_path / "t.csv"], "--csv", begins_with("model", "data"))
    with pytest.raises(CUNetError, match="not written by cunet"):
        claim([tmp_path / "t.csv"], "--csv", begins_with("model", "split"))


SYNTHETIC = ["--data=synthetic", "--split=9:4"]
TRAIN = ["train", "--data=synthetic", "--split=9:40", "--preset=face-mobile", "--workdir={}"]


@pytest.mark.parametrize(
    "arguments, victim",
    [
        (["evaluate", "--model=face-mobile", *SYNTHETIC, "--out={}"], "evaluation.json"),
        (["evaluate", "--model=face-mobile", *SYNTHETIC, "--out={}"], "ced.png"),
        (["evaluate", "--model=face-mobile", *SYNTHETIC, "--csv={}/mine.csv"], "mine.csv"),
        (["check", *SYNTHETIC, "--preset=face-mobile", "--out={}"], "report.json"),
        (["check", *SYNTHETIC, "--preset=face-mobile", "--out={}"], "contact_sheet.png"),
        (["export", "--model=run.keras", "--out={}/m.tflite"], "m.tflite"),
        (
            ["export", "--model=run.keras", "--format=int8", "--out={}/n.tflite", "--calibration={}/grids.csv"],
            "grids.csv",
        ),
        (TRAIN, "config.json"),
        (TRAIN, "best.keras"),
        (TRAIN, "history.csv"),
        (["predict", "--model=face-mobile", *SYNTHETIC, "--out={}"], "predictions.jsonl"),
        (["memory", "--preset=pose-2", "--steps=0", "--csv={}/m.csv"], "m.csv"),
        (["tables", "--table=13", "--out={}"], "table_13.md"),
        (["tables", "--table=13", "--out={}"], "table_13.csv"),
        (["benchmark", "face-mobile", "--out={}"], "benchmark.md"),
        (["benchmark", *SYNTHETIC, "--preset=face-mobile", "--csv={}/speed.csv"], "speed.csv"),
        (["sweep", *SYNTHETIC, "--test_split=9:4", "--preset=face-mobile", "--workdir={}", "--out={}/t"], "sweep.json"),
        (["sweep", *SYNTHETIC, "--preset=face-mobile", "--workdir={}/w", "--out={}"], "quantization.md"),
    ],
)
def test_every_verb_refuses_before_any_work(arguments, victim, tmp_path, capsys):
    (tmp_path / victim).write_bytes(PRECIOUS)
    assert main([argument.format(tmp_path, tmp_path) for argument in arguments]) == 2
    captured = capsys.readouterr()
    assert f"{victim} exists and was not written by cunet" in captured.err
    assert [file.name for file in tmp_path.iterdir()] == [victim] and (tmp_path / victim).read_bytes() == PRECIOUS


def test_a_pipe_is_nobody_s_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert not is_ours(tmp_path / "pipe")
    with pytest.raises(CUNetError, match="pipe exists and was not written by cunet"):
        claim([tmp_path / "pipe"], "--out")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "ä", "NaN"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.tuples(inner) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=8,
)


def numbers_in(value):
    if isinstance(value, dict | list | tuple):
        return [
            number for each in (value.values() if isinstance(value, dict) else value) for number in numbers_in(each)
        ]
    return [value] if isinstance(value, float) else []


@settings(deadline=None, max_examples=40)
@given(values)
def test_only_what_json_does_not_have_is_left_out(value):
    text = json.dumps(finite(value), allow_nan=False)
    assert numbers_in(json.loads(text)) == [number for number in numbers_in(value) if math.isfinite(number)]
    assert finite(finite(value)) == finite(value)


def test_a_mark_counts_at_either_end_of_a_file_and_not_in_its_middle(tmp_path):
    room = b"x" * (2 * SEARCHED)
    for name, data in (("first", MARK.encode() + room), ("last", room + MARK.encode()), ("short", MARK.encode())):
        (tmp_path / name).write_bytes(data)
        assert is_ours(tmp_path / name), name
    (tmp_path / "quotes us").write_bytes(room + MARK.encode() + room)  # a text about our files is not ours
    assert not is_ours(tmp_path / "quotes us")


def test_the_mark_of_a_picture_is_a_chunk_of_its_own_with_a_true_checksum():
    data = marked_picture(encoded(draw("face68", 8, 0), ".png"))
    place, kinds = 8, []
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        body, (crc,) = (
            data[place + 4 : place + 8 + length],
            struct.unpack(">I", data[place + 8 + length : place + 12 + length]),
        )
        assert zlib.crc32(body) == crc
        kinds.append(body[:4])
        place += 12 + length
    assert kinds[:2] == [b"IHDR", b"tEXt"] and kinds[-1] == b"IEND"


def test_the_mark_of_a_film_is_a_box_as_long_as_it_says(tmp_path):
    box = movie_mark()
    assert struct.unpack(">I", box[:4]) == (len(box),) and box[4:8] == b"free"
    (tmp_path / "film.mp4").write_bytes(bytes(3 * SEARCHED) + box)
    assert is_ours(tmp_path / "film.mp4")


def test_of_a_table_the_page_says_whose_both_files_are(tmp_path):
    claim_pages(tmp_path, ["t"], "--out")
    (tmp_path / "t.csv").write_bytes(PRECIOUS)
    with pytest.raises(CUNetError, match="t.csv exists and was not written by cunet"):
        claim_pages(tmp_path, ["t"], "--out")
    replace_text(tmp_path / "t.md", page_text("# Table"))
    claim_pages(tmp_path, ["t"], "--out")
    (tmp_path / "u.md").write_bytes(PRECIOUS)
    with pytest.raises(CUNetError, match="u.md exists"):
        claim_pages(tmp_path, ["t", "u"], "--out")


def test_what_is_no_text_is_no_table_of_ours(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"\xff\xfe\x00")
    assert not begins_with("a")(tmp_path / "t.csv") and not begins_with("a")(tmp_path)
    (tmp_path / "t.csv").write_bytes(b"a,b\r\n1,2\r\n")
    assert begins_with("a", "b")(tmp_path / "t.csv") and not begins_with("a", "b", "c")(tmp_path / "t.csv")
