"""The one error type that carries a message meant for the user."""

import difflib
from collections.abc import Iterable


class CUNetError(ValueError):
    """Bad input: the message names the file or field and says what to do.

    The command line prints it as one line and exits with code 2.
    """


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """A hint such as ``Did you mean 'face-mobile'? Known: ...``, for error messages."""
    choices = list(choices)
    close = difflib.get_close_matches(str(word), choices, n=1, cutoff=0.5)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    return f"{hint}Known: {', '.join(choices)}."
