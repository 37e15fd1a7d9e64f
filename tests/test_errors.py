import pytest

from cunet_tf.errors import CUNetError, MissingPackage, did_you_mean, missing_package, one_line, require_package


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


def test_another_librarys_message_is_one_line():
    assert one_line(ValueError("first\n  second\x1b[1m.")) == "first second [1m"
    assert one_line(MemoryError()) == "MemoryError" and len(one_line(ValueError("word " * 1000))) < 310
