"""The one error type that carries a message meant for the user."""

import difflib
import importlib.util
import reprlib
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

LONGEST = 1000  # characters of a message: file names and fields of a hostile file have any length
_REASON = 300  # of another library's message in it
_KNOWN, _COMPARED = 40, 1000  # names that a hint lists, and that it compares


class CUNetError(ValueError):
    """Bad input: the message names the file or field and says what to do.

    The command line prints it as one line and exits with code 2: what comes from a file and would break the line or
    the terminal is escaped, and the middle of a very long message is left out.
    """

    def __init__(self, text: str):
        super().__init__(one_line(text))


class FaultyFile(CUNetError):
    """One file is missing or damaged; others, of the same data set, may be sound.

    Attributes:
        kind: what is wrong, in a few words, the same for all faults of a kind.
        file: the file.
        text: the message without the file.
        sample, subset: the sample it belongs to, where a loader knows it.
    """

    def __init__(self, kind: str, file: Path | str, text: str):
        super().__init__(f"{file}: {text}")
        self.kind, self.file, self.text = kind, one_line(str(file)), one_line(text)
        self.sample = self.subset = ""


def one_line(text: str) -> str:
    """A text for a message: control characters, lone surrogates and the like escaped, of bounded length."""
    if len(text) > LONGEST:
        text = f"{text[: LONGEST // 2]} ... {text[-LONGEST // 3 :]}"
    return text if text.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode()


class _Short(reprlib.Repr):
    """``repr`` that ends soon, whatever it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = 60
        self.maxlevel = 3

    def repr_int(self, x: int, level: int) -> str:
        return reprlib.Repr.repr_int(self, x, level) if abs(x) < 10**100 else "a number of more than 100 digits"


def shown(value: object) -> str:
    """A value of a file for a message, as Python writes it, cut where it is long."""
    return _SHORT.repr(value)


_SHORT = _Short()


class MissingPackage(CUNetError, ImportError):
    """A package that only some tasks need is not installed; the message says which."""


def reason(error: BaseException) -> str:
    """Another library's message on one line, cut; the error's kind where it is empty."""
    text = " ".join("".join(each if each.isprintable() else " " for each in str(error)[: 4 * _REASON]).split())
    text = text if len(text) <= _REASON else text[:_REASON] + "..."
    return text.rstrip(".:") or type(error).__name__


# Module -> what of it is needed, and what to install; `docs/light-install.md` leaves these out.
_ONNX = "the packages of ONNX files", "onnx tf2onnx onnxruntime"
_FRAMEWORK = "TensorFlow and Keras", "tensorflow keras matplotlib"
_LEFT_OUT = {
    "keras": _FRAMEWORK, "tensorflow": _FRAMEWORK, "scipy": ("SciPy", "scipy"), "yaml": ("PyYAML", "pyyaml"),
    "matplotlib": ("Matplotlib", "matplotlib"), "onnxruntime": ("onnxruntime", "onnxruntime"),
    "onnx": _ONNX, "tf2onnx": _ONNX,
}  # fmt: skip


def missing_package(error: ModuleNotFoundError) -> Exception:
    """The error in one sentence where a package of a whole installation is missing, else itself: a fault of ours."""
    module = (error.name or "").partition(".")[0]
    if module not in _LEFT_OUT:
        return error
    what, packages = _LEFT_OUT[module]
    return MissingPackage(f"this needs {what}, not installed here: pip install {packages} (docs/light-install.md).")


def require_package(module: str) -> None:
    """Refuse before any work what would lack a package at its end.

    Raises:
        MissingPackage: it is not installed.
    """
    if importlib.util.find_spec(module) is None:
        raise missing_package(ModuleNotFoundError(name=module))


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """A hint such as ``Did you mean 'face-mobile'? Known: ...``, for error messages."""
    choices = list(choices)
    compared = [choice[:100] for choice in islice(choices, _COMPARED)]
    close = difflib.get_close_matches(str(word)[:100], compared, n=1, cutoff=0.5)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    more = f" and {len(choices) - _KNOWN} more" if len(choices) > _KNOWN else ""
    return f"{hint}Known: {', '.join(compared[:_KNOWN])}{more}."
