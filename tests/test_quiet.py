import os
import sys

from cunet_tf.quiet import import_quietly, native_stderr_hidden


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


def test_a_first_import_is_quiet_and_later_ones_are_plain(tmp_path, monkeypatch, capfd):
    (tmp_path / "chatty_module.py").write_text("import os\nos.write(2, b'noise')\n")
    monkeypatch.syspath_prepend(tmp_path)
    import_quietly("chatty_module")
    import_quietly("chatty_module")
    assert "chatty_module" in sys.modules and capfd.readouterr().err == ""
    monkeypatch.delitem(sys.modules, "chatty_module")
