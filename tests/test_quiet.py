import os
import sys

import pytest

from cunet_tf.errors import CUNetError, MissingPackage
from cunet_tf.quiet import import_quietly, native_stderr_hidden, require_backend


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


@pytest.fixture
def said(tmp_path, monkeypatch):
    """Of Keras' backend: the environment says this, and ``keras.json`` that."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))

    def say(variable=None, file=None):
        monkeypatch.delenv("KERAS_BACKEND", raising=False)
        if variable is not None:
            monkeypatch.setenv("KERAS_BACKEND", variable)
        if file is not None:
            (tmp_path / "keras.json").write_text(file)
        return tmp_path / "keras.json"

    return say


@pytest.mark.parametrize(
    "variable, file",
    [("tensorflow", None), ("jax", None), ("jax", '{"backend": "torch"}'), ("", '{"backend": "jax"}'), (None, None),
     (None, "{}"), (None, "["), (None, "[]")],
)  # fmt: skip
def test_a_backend_that_keras_would_run_here_on(said, variable, file):
    """The variable goes before the file; without both, and where the file is damaged, Keras takes TensorFlow."""
    said(variable, file)
    require_backend()


def test_another_backend_is_named_with_the_place_that_says_so(said):
    said("torch", '{"backend": "jax"}')
    with pytest.raises(CUNetError, match="^KERAS_BACKEND says 'torch', .* set KERAS_BACKEND=tensorflow"):
        require_backend()
    place = said(None, '{"backend": "torch"}')
    with pytest.raises(CUNetError, match=f"^{place} says 'torch'"):
        require_backend()


def test_keras_is_asked_for_its_backend_before_it_loads(said, monkeypatch):
    said("torch")
    import_quietly("keras")  # it is loaded: too late to ask
    monkeypatch.delitem(sys.modules, "keras")
    with pytest.raises(CUNetError, match="KERAS_BACKEND says 'torch'"):
        import_quietly("keras")
    assert "keras" not in sys.modules


def test_a_module_that_is_not_there(monkeypatch, capfd):
    monkeypatch.setitem(sys.modules, "scipy", None)
    monkeypatch.delitem(sys.modules, "scipy.io", raising=False)
    with pytest.raises(MissingPackage, match="pip install scipy"):
        import_quietly("scipy.io")
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        import_quietly("no_such_module")
    os.write(2, b"seen")
    assert capfd.readouterr().err == "seen"


def test_a_block_in_a_block_hides_into_its_own_file(capfd):
    with native_stderr_hidden() as outer:
        with native_stderr_hidden() as inner:
            os.write(2, b"inner")
            assert inner.read_text() == "inner"
        os.write(2, b"outer")
        assert outer.read_text() == "outer"
    assert capfd.readouterr().err == "" and not outer.exists() and not inner.exists()
