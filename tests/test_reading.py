"""Files of unknown origin: what they are, how large, and what JSON may say."""

import os
import socket

import msgspec
import pytest

from cunet_tf import reading
from cunet_tf.errors import CUNetError
from cunet_tf.reading import fitting, read_bytes, read_json, read_text


def test_only_regular_files_of_bounded_size_are_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(bytes(11))
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "socket"))
    for name, words in (("pipe", "pipe: cannot be read .this is a pipe, not a regular file.: name another"),
                        ("link", "this is a pipe"), ("socket", "this is a socket"), (".", "this is a folder"),
                        ("gone", "gone: cannot be read .No such file"), ("a\0b", "cannot be read .no file name"),
                        ("x" * 999, "cannot be read .File name too long"),
                        ("large", "11 bytes are more than the 10 that such a file may have")):  # fmt: skip
        with pytest.raises(CUNetError, match=words):
            read_bytes(tmp_path / name, 10)
    with pytest.raises(CUNetError, match="/dev/zero: cannot be read .this is a device"):
        read_bytes("/dev/zero", 10)
    assert read_bytes(tmp_path / "large", 11) == bytes(11)


def test_text_is_utf_8(tmp_path):
    file = tmp_path / "a.txt"
    for data, words in ((b"ab\xff", "no text in UTF-8 .byte 2.: save it as UTF-8"), (b"a\0b", "NUL bytes")):
        file.write_bytes(data)
        with pytest.raises(CUNetError, match=f"a.txt: .*{words}"):
            read_text(file, 99)
    file.write_bytes("\ufeffä".encode())
    assert read_text(file, 99) == "ä"


@pytest.mark.parametrize(
    "text, words",
    [
        ("{", "line 1 column 2"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ("[NaN]", "NaN is no number of JSON"),
        ("[-Infinity]", "-Infinity is no number"),
        ("1" * 5000, "a number of too many digits"),
        ('{"a": [{"b": 1, "c": 2, "b": 3}]}', "'b' stands twice in an object"),
        (r'["\ud83d"]', "half of a surrogate pair"),
        ('["a\x01"]', "Invalid control character"),
        ("", "Expecting value"),
    ],
)
def test_json_that_is_none(tmp_path, text, words):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(CUNetError, match=f"a.json: not readable as JSON .*{words}.*: repair it.$"):
        read_json(tmp_path / "a.json")


def test_json_of_too_many_lists_is_not_parsed(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "MOST_HOLDERS", 99)
    (tmp_path / "a.json").write_text("[" + "[]," * 99 + "0]")
    with pytest.raises(CUNetError, match="a.json: more than 99 lists and objects: split the file"):
        read_json(tmp_path / "a.json")


def test_json_that_is_read(tmp_path):
    (tmp_path / "a.json").write_text(r'{"a": ["\ud83d\ude00", 1.5, null]}', encoding="utf-8-sig")
    assert read_json(tmp_path / "a.json") == {"a": ["\U0001f600", 1.5, None]}


class Point(msgspec.Struct):
    x: float
    name: str = ""


@pytest.mark.parametrize(
    "value, words",
    [
        ({}, "here, x: missing: repair it"),
        ({"x": "1"}, "here, x: expected `float`, got `str`"),
        (3, "here: expected `object`, got `int`"),
        ({"x": 10**400}, "here, x: number out of range"),
    ],
)
def test_a_field_that_does_not_fit_is_named(value, words):
    with pytest.raises(CUNetError, match=words):
        fitting(value, Point, "here")
    assert fitting({"x": 1, "more": 2}, Point, "here") == Point(1.0)
