import os
import sys

from cunet_tf.quiet import native_stderr_hidden


def test_native_output_is_kept_off_the_terminal_and_readable(capfd):
    with native_stderr_hidden() as log:
        os.write(2, b"chatter\n")
        assert log.read_text() == "chatter\n"
    print("after", file=sys.stderr)
    assert capfd.readouterr().err == "after\n"


def test_descriptor_comes_back_after_an_error(capfd):
    try:
        with native_stderr_hidden():
            raise ValueError
    except ValueError:
        os.write(2, b"seen")
    assert capfd.readouterr().err == "seen"
