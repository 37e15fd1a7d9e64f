from cunet_tf.errors import CUNetError, did_you_mean


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
