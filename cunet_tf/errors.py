"""The one error type that carries a message meant for the user."""

import difflib
import importlib.util
from collections.abc import Iterable


class CUNetError(ValueError):
    """Bad input: the message names the file or field and says what to do.

    The command line prints it as one line and exits with code 2.
    """


class MissingPackage(CUNetError, ImportError):
    """A package that only some tasks need is not installed; the message says which."""


LONGEST = 300  # characters of another library's message


def one_line(error: BaseException) -> str:
    """Another library's message on one line, cut and without control characters; the error's kind where it is empty."""
    text = " ".join("".join(each if each.isprintable() else " " for each in str(error)[: 4 * LONGEST]).split())
    text = text if len(text) <= LONGEST else text[:LONGEST] + "..."
    return text.rstrip(".:") or type(error).__name__


# Module -> what of it is needed, and what to install; `docs/light-install.md` leaves these out.
_FRAMEWORK = "TensorFlow and Keras", "tensorflow keras matplotlib"
_LEFT_OUT = {
    "keras": _FRAMEWORK, "tensorflow": _FRAMEWORK, "scipy": ("SciPy", "scipy"), "yaml": ("PyYAML", "pyyaml"),
    "matplotlib": ("Matplotlib", "matplotlib"),
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
    close = difflib.get_close_matches(str(word), choices, n=1, cutoff=0.5)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    return f"{hint}Known: {', '.join(choices)}."
