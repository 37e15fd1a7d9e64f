"""Files appear whole or not at all: refused disks, failing writers, several writers of one file."""

import errno
import os
import resource
import stat
import subprocess
import sys
import threading

import numpy as np
import pytest

from cunet_tf.draw import save_png
from cunet_tf.errors import CUNetError
from cunet_tf.rows import append_row
from cunet_tf.writing import TEMPORARY, remove_unfinished, replace_file, replace_text, replacing, require_writable

FULL = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
from cunet_tf.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_file_is_replaced_whole(tmp_path):
    for text in ("first, longer", "second"):
        replace_text(tmp_path / "new" / "table.md", text)
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["table.md"]
    assert (tmp_path / "new" / "table.md").read_text() == "second"


def test_failed_write_leaves_the_old_file(tmp_path):
    replace_text(tmp_path / "a", "old")
    with pytest.raises(ZeroDivisionError):
        replace_file(tmp_path / "a", lambda target: target.write_text(str(1 / 0)))
    assert (tmp_path / "a").read_text() == "old"


def test_durable_files_are_the_same(tmp_path):
    replace_file(tmp_path / "a.bin", lambda target: target.write_bytes(b"x" * 1000), durable=True)
    assert (tmp_path / "a.bin").read_bytes() == b"x" * 1000


def test_names_of_parts_keep_their_ending_and_differ(tmp_path):
    with replacing(tmp_path / "a.keras") as one, replacing(tmp_path / "a.keras") as other:
        assert one != other and one.suffix == ".keras" and one.name.startswith(TEMPORARY)
        one.write_text("1")
        other.write_text("2")
    assert (tmp_path / "a.keras").read_text() == "1" and len(list(tmp_path.iterdir())) == 1


def test_many_writers_of_one_file_never_leave_half_of_one(tmp_path):
    def write(letter):
        for _ in range(30):
            replace_text(tmp_path / "a.txt", letter * 5000)

    threads = [threading.Thread(target=write, args=(letter,)) for letter in "abcd"]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if (tmp_path / "a.txt").exists():
            assert len(set((tmp_path / "a.txt").read_text())) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_a_refusal_of_the_system_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("precious")
    with pytest.raises(CUNetError, match=r"a.txt: cannot be written \(File exists\): make room there"):
        replace_text(tmp_path / "file" / "a.txt", "text")
    require_writable(tmp_path / "new" / "deep" / "a.txt")
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_leftovers_of_killed_processes_are_removed(tmp_path):
    (tmp_path / f"{TEMPORARY}1-abc-last.keras").touch()
    (tmp_path / "last.keras").touch()
    remove_unfinished(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["last.keras"]


@pytest.fixture
def small_disk():
    """No file may grow beyond 20,000 bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_keeps_the_old_file(tmp_path, small_disk):
    replace_text(tmp_path / "a.txt", "old")
    with pytest.raises(CUNetError, match=r"a.txt: cannot be written \(File too large\)"):
        replace_text(tmp_path / "a.txt", "new" * 10000)
    with pytest.raises(CUNetError, match="b.png: cannot be written"):
        save_png(tmp_path / "b.png", np.random.default_rng(0).integers(0, 255, (200, 200, 3)).astype(np.uint8))
    append_row(tmp_path / "c.csv", {"x": 1})
    append_row(tmp_path / "c.csv", {"x": 2})
    assert (tmp_path / "c.csv").read_text() == "x\n1\n2\n"
    assert {file.name for file in tmp_path.iterdir()} == {"a.txt", "c.csv"} and (
        tmp_path / "a.txt"
    ).read_text() == "old"


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict", "--model=face-mobile", "--out={}/found", "docs/pictures/astronaut.jpg"],
        ["check", "--data=synthetic", "--split=3:8", "--preset=face-mobile", "--out={}/report"],
    ],
)
def test_verbs_on_a_full_disk_say_one_line_and_leave_no_half(tmp_path, arguments):
    call = [sys.executable, "-c", FULL, *(argument.format(tmp_path) for argument in arguments)]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 2 and "cannot be written" in last and "Traceback" not in done.stderr, done.stderr
    left = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert not [file for file in left if file.name.startswith(TEMPORARY) or file.suffix in (".jpg", ".png", ".tflite")]


def test_nothing_is_left_of_a_file_whose_block_fails(tmp_path):
    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "new" / "a.txt") as part:
        part.write_text("half")
        raise ZeroDivisionError
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize(
    "error, words",
    [(OSError(errno.ENOSPC, "full", "elsewhere"), "No space left on device"), (OSError("odd\nmore"), "odd")],
)
def test_a_writer_that_fails_is_told_by_the_file_that_was_meant(tmp_path, error, words):
    def fail(part):
        part.write_text("half")
        raise error

    with pytest.raises(CUNetError, match=rf"a.txt: cannot be written \({words}\)") as caught:
        replace_file(tmp_path / "a.txt", fail)
    assert TEMPORARY not in str(caught.value) and list(tmp_path.iterdir()) == []


def test_a_durable_file_is_on_the_disk_before_its_name_is_and_then_the_name(tmp_path, monkeypatch):
    steps, replace = [], os.replace
    monkeypatch.setattr(
        os, "fsync", lambda handle: steps.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
    )
    monkeypatch.setattr(os, "replace", lambda *names: steps.append("rename") or replace(*names))
    replace_file(tmp_path / "a.bin", lambda target: target.write_bytes(b"x"), durable=True)
    assert steps == ["file", "rename", "folder"]
    replace_text(tmp_path / "b.txt", "x")
    assert steps[3:] == ["rename"]


def test_only_unfinished_files_are_removed_and_none_of_other_folders(tmp_path):
    (tmp_path / "deep").mkdir()
    names = [f"{TEMPORARY}1-a.txt", "a.txt", f"a{TEMPORARY}1", f"deep/{TEMPORARY}2-b.txt"]
    for name in names:
        (tmp_path / name).touch()
    remove_unfinished(tmp_path)
    assert sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()) == sorted(
        names[1:]
    )
