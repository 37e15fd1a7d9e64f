import pytest

from cunet_tf.errors import (
    LONGEST,
    CUNetError,
    FaultyFile,
    MissingPackage,
    did_you_mean,
    missing_package,
    reason,
    require_package,
    shown,
)


def test_error_is_a_value_error_with_its_message_unchanged():
    error = CUNetError("picture.jpg: cut short.")
    assert isinstance(error, ValueError)
    assert str(error) == "picture.jpg: cut short."


def test_hint_names_the_closest_choice_and_lists_all_in_order():
    hint = did_you_mean("face-mobil", ["pose-2", "face-mobile", "face-4"])
    assert hint == "Did you mean 'face-mobile'? Known: pose-2, face-mobile, face-4."


def test_no_guess_when_nothing_is_close():
    assert did_you_mean("xyz", ["train", "test"]) == "Known: train, test."


def test_choices_may_be_any_iterable_and_the_word_any_value():
    assert did_you_mean("tran", iter({"train": 1, "test": 2})) == "Did you mean 'train'? Known: train, test."
    assert did_you_mean(None, ["a"]) == "Known: a."


@pytest.mark.parametrize(
    "module, install",
    [("keras", "tensorflow keras"), ("tensorflow.python", "tensorflow"), ("scipy.io", "scipy"), ("yaml", "pyyaml")],
)
def test_a_package_left_out_is_named_with_what_to_install(module, install):
    error = missing_package(ModuleNotFoundError(f"No module named {module!r}", name=module))
    assert isinstance(error, MissingPackage) and isinstance(error, CUNetError) and isinstance(error, ImportError)
    assert f"pip install {install}" in str(error) and str(error).count(". ") == 0


def test_a_module_of_no_known_package_stays_a_fault():
    fault = ModuleNotFoundError("No module named 'cunet_tf.nothing'", name="cunet_tf.nothing")
    assert missing_package(fault) is fault
    assert missing_package(ModuleNotFoundError("no name")).name is None


def test_what_is_needed_at_the_end_is_asked_for_at_the_beginning(monkeypatch):
    require_package("scipy")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingPackage, match="Matplotlib, not installed here: pip install matplotlib"):
        require_package("matplotlib")


def test_what_comes_from_a_file_breaks_no_line_and_fills_no_screen():
    error = FaultyFile("kind", "a\n\x1b[31m\ud800.jpg", "two\r\nlines \u202e.")
    assert str(error) == r"a\n\x1b[31m\ud800.jpg: two\r\nlines \u202e."
    assert (error.file, error.text) == (r"a\n\x1b[31m\ud800.jpg", r"two\r\nlines \u202e.")
    text = str(CUNetError("file.json: " + "x" * 99_999 + " repair it."))
    assert len(text) < LONGEST and text.startswith("file.json: x") and text.endswith("x repair it.")
    assert str(CUNetError("größer: 大きい.")) == "größer: 大きい."


def test_values_of_any_size_are_shown_shortly():
    loop = [1]
    loop.append(loop)
    for value in (10**5000, "x" * 10**6, [[[[[1] * 99] * 99] * 99] * 99] * 99, loop, {"a": {"b": {"c": {"d": 1}}}}):
        assert len(shown(value)) < 5000
    assert shown([1, None, "a\n"]) == r"[1, None, 'a\n']"


def test_hints_end_where_there_are_many_names():
    hint = did_you_mean("point_7", [f"point_{index}" + "x" * 10**4 for index in range(9999)])
    assert len(hint) < 6000 and hint.endswith("and 9959 more.")


def test_another_librarys_message_is_one_line():
    assert reason(ValueError("first\n  second\x1b[1m.")) == "first second [1m"
    assert reason(MemoryError()) == "MemoryError" and len(reason(ValueError("word " * 1000))) < 310
