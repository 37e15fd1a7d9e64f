"""``.mat`` files are parsed in a process of their own, which may die of them."""

import os
import subprocess
import sys

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.io import savemat
from scipy.sparse import eye

from cunet_tf.data import matlab
from cunet_tf.data.mat_child import NESTED, answer, plain
from cunet_tf.data.matlab import CHILD, read_matlab, structs


def nested(depth):
    value = np.zeros(2)
    for _ in range(depth):
        cell = np.empty((1, 1), object)
        cell[0, 0] = value
        value = cell
    return value


def test_every_kind_of_value(tmp_path, rng):
    cell = np.empty((1, 3), object)
    cell[0] = [1.0, "word", np.zeros((0, 0))]
    cube = rng.random((2, 3, 1))
    savemat(tmp_path / "a.mat", {
        "cube": cube, "whole": np.arange(6, dtype=np.uint8).reshape(2, 3), "one": 3, "text": "abc", "cell": cell,
        "lines": np.array(["ab", "cd"]), "none": np.zeros((0, 0)), "truth": np.array([[True, False]]),
        "struct": {"x": 1.5, "inner": {"name": "b"}}, "array": np.array([(1.0,), (2.0,)], [("x", object)]),
    })  # fmt: skip
    found = {name: read_matlab(tmp_path / "a.mat", name) for name in
             ("cube", "whole", "one", "text", "cell", "lines", "none", "truth", "struct", "array")}  # fmt: skip
    np.testing.assert_array_equal(found.pop("cube"), cube)
    np.testing.assert_array_equal(found.pop("whole"), [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(found.pop("truth"), [[1, 0]])
    assert found == {
        "one": 3.0, "text": "abc", "cell": [1.0, "word", []], "lines": ["ab", "cd"], "none": [],
        "struct": [{"x": 1.5, "inner": [{"name": "b"}]}], "array": [{"x": 1.0}, {"x": 2.0}],
    }  # fmt: skip
    assert structs(found["array"]) == structs([[each] for each in found["array"]]) == found["array"]
    assert structs(1.0) == structs([2.0]) == []


@pytest.mark.parametrize(
    "contents, words",
    [
        ({"other": 1.0}, "no variable wanted"),
        ({"wanted": 1j}, "not numbers, text, cells and structs"),
        ({"wanted": eye(3)}, "not numbers, text"),
        ({"wanted": nested(60)}, "nested too deeply"),
    ],
)
def test_other_contents_are_refused(tmp_path, contents, words):
    savemat(tmp_path / "a.mat", contents)
    with pytest.raises(ValueError, match=words):
        read_matlab(tmp_path / "a.mat", "wanted")


def test_what_is_no_file_of_this_kind(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    hdf = tmp_path / "new.mat"
    hdf.write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM" + bytes(400))
    (tmp_path / "text.mat").write_text("text " * 99)
    for name, words in (("pipe", "this is a pipe, not a regular file"), (".", "this is a folder"),
                        ("gone.mat", "No such file"), ("new.mat", "MATLAB's 7.3 format: save it with -v7"),
                        ("text.mat", "ValueError: Unknown mat file type")):  # fmt: skip
        with pytest.raises(ValueError, match=words):
            read_matlab(tmp_path / name, "x")


def test_a_file_that_unpacks_to_gigabytes(tmp_path, monkeypatch):
    savemat(tmp_path / "a.mat", {"x": np.zeros(100_000_000, np.uint8)}, do_compression=True)
    monkeypatch.setattr(matlab, "MEMORY", 200 << 20)
    assert (tmp_path / "a.mat").stat().st_size < 200_000
    with pytest.raises(ValueError, match="needs more memory than a file of its size may take"):
        read_matlab(tmp_path / "a.mat", "x")


@pytest.mark.parametrize(
    "code, words",
    [
        ("import os; os.kill(os.getpid(), 11)", "the parser was ended by SIGSEGV"),
        ("raise SystemExit(3)", "the parser ended with exit code 3"),
        ("while True: pass", "the parser did not end in 1 seconds"),
        ("print('no msgpack')", "the parser's answer cannot be read"),
        ("import sys; sys.stdout.buffer.write(bytes([0x91] * 9999 + [0]))", "the parser's answer cannot be read"),
    ],
)
def test_a_parser_that_ends_badly_is_a_sentence(tmp_path, monkeypatch, code, words):
    (tmp_path / "child.py").write_text(code)
    (tmp_path / "a.mat").touch()
    monkeypatch.setattr(matlab, "CHILD", tmp_path / "child.py")
    monkeypatch.setattr(matlab, "SECONDS", 1)
    with pytest.raises(ValueError, match=words):
        read_matlab(tmp_path / "a.mat", "x")


def test_the_process_imports_little():
    """Neither TensorFlow nor the package itself: it starts for every file."""
    code = f"import runpy, sys; runpy.run_path({str(CHILD)!r}, run_name='child'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert not {"tensorflow", "keras", "cunet_tf", "cv2"} & set(done.stdout.split())


# The answer, without a process --------------------------------------------------------------

few = settings(deadline=None, max_examples=40)
shapes = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)


def answered(value):
    """What the caller makes of what the process says of a value."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(plain(value)), ext_hook=matlab._array)


@few
@given(shapes.flatmap(lambda shape: arrays(np.float64, shape)))
def test_numbers_travel_bit_for_bit_in_their_shape(value):
    found = answered(value)
    if value.size == 1 and value.ndim <= 2:
        found = np.reshape(found, value.shape)
    assert found.shape == value.shape and found.tobytes() == value.tobytes()


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.int32, np.float32, bool])
def test_every_kind_of_number_comes_as_a_float(kind):
    value = np.arange(6).reshape(2, 3).astype(kind)
    found = answered(value)
    np.testing.assert_array_equal(found, value)
    assert found.dtype == np.float64


def test_transposed_and_empty_arrays():
    value = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(answered(value.T), value.T)
    assert answered(np.zeros((0, 3))) == answered(np.empty((1, 0), object)) == []


def test_cells_are_nested_as_deep_as_said_and_no_deeper():
    value = answered(nested(NESTED))
    for _ in range(NESTED):
        (value,) = value
    np.testing.assert_array_equal(value, [0.0, 0.0])
    with pytest.raises(ValueError, match="nested too deeply"):
        plain(nested(NESTED + 1))


def test_what_is_missing_or_of_another_kind_is_a_fault_and_no_value(tmp_path):
    savemat(tmp_path / "a.mat", {"x": 1.0, "z": 1j})
    assert answer(str(tmp_path / "a.mat"), "x") == {"value": 1.0}
    assert answer(str(tmp_path / "a.mat"), "y") == {"fault": "no variable y"}
    assert answer(str(tmp_path / "a.mat"), "z")["fault"].startswith("ValueError: it holds a ndarray")
    with pytest.raises(ValueError, match="a value of kind 2"):
        matlab._array(2, memoryview(b"1;"))


def test_structs_are_found_wherever_files_have_them():
    one, two = {"a": 1.0}, {"a": 2.0}
    assert structs([one, 3.0, [two, "x"], []]) == [one, two]
    assert structs("text") == structs({}) == []


def test_signals_have_names_where_the_system_knows_them():
    assert (matlab._signal(9), matlab._signal(999)) == ("SIGKILL", "signal 999")


def test_scipy_that_is_not_there_is_no_fault_of_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(matlab.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError) as caught:
        read_matlab(tmp_path / "gone.mat", "x")
    assert caught.value.name == "scipy"
