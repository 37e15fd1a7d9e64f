"""Files of unknown origin: regular ones only, of bounded size, with every field's type and range checked."""

import json
import os
import re
import stat
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from cunet_tf.errors import CUNetError, shown

MIB = 1 << 20
FARTHEST = 1e6  # pixels; nothing in a picture has a larger coordinate
JSON_BYTES = 512 * MIB  # COCO's largest file of keypoints has 238 MB
MOST_HOLDERS = 10_000_000  # lists and objects of a file: each takes some 100 bytes, empty or not
# Control characters, and those that turn the direction of writing: both deceive whoever reads a name. Not a pattern in
# the types: with one, msgspec 0.22 aborts the interpreter at its end.
_DECEIVING = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
T = TypeVar("T")
_SURROGATES = re.compile(r"\\u[dD][89a-fA-F]")
_KINDS = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device",
          stat.S_IFBLK: "a device"}  # fmt: skip


def why_unfit(path: Path | str, most: int) -> str:
    """Why a file is not to be opened, empty where it may be: it is none, no regular file, or too large.

    Opening a pipe would wait for ever, and reading a device may never end.
    """
    try:
        found = os.stat(path)
    except (OSError, ValueError) as error:  # ValueError: NUL in the name
        return f"cannot be read ({getattr(error, 'strerror', None) or 'no file name'})."
    if not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "something else")
        return f"cannot be read (this is {kind}, not a regular file): name another."
    if found.st_size > most:
        return f"{found.st_size:,} bytes are more than the {most:,} that such a file may have: split or repair it."
    return ""


def read_bytes(path: Path | str, most: int) -> bytes:
    """The bytes of a file.

    Raises:
        CUNetError: :func:`why_unfit`, or the system refuses.
    """
    fault = why_unfit(path, most)
    if fault:
        raise CUNetError(f"{path}: {fault}")
    try:
        with open(path, "rb") as stream:
            return stream.read(os.fstat(stream.fileno()).st_size)  # read(most) would ask for that much memory
    except OSError as error:
        raise CUNetError(f"{path}: cannot be read ({error.strerror}).") from None


def read_text(path: Path | str, most: int) -> str:
    """A text file in UTF-8, with or without a byte order mark.

    Raises:
        CUNetError: see :func:`read_bytes`; other bytes than text.
    """
    data = read_bytes(path, most)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CUNetError(f"{path}: no text in UTF-8 (byte {error.start}): save it as UTF-8.") from None
    if "\0" in text:
        raise CUNetError(f"{path}: no text, it holds NUL bytes: fetch or save it again.")
    return text


def read_json(path: Path | str) -> Any:
    """What a JSON file says; no key twice in an object, no NaN, no half characters.

    Raises:
        CUNetError: see :func:`read_text`; or no such JSON.
    """
    text = read_text(path, JSON_BYTES)
    if text.count("[") + text.count("{") > MOST_HOLDERS:
        raise CUNetError(f"{path}: more than {MOST_HOLDERS:,} lists and objects: split the file.")
    try:
        content = json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
        if _SURROGATES.search(text):
            json.dumps(content, ensure_ascii=False).encode()
        return content
    except RecursionError:
        fault = "it is nested too deeply"
    except UnicodeEncodeError:
        fault = "half of a surrogate pair stands alone in a text"
    except ValueError as error:
        # Python tells where in numbers; of a number of too many digits it speaks to programmers.
        fault = "a number of too many digits" if "integer string conversion" in str(error) else str(error)
    raise CUNetError(f"{path}: not readable as JSON ({fault}): repair it.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"{shown(twice)} stands twice in an object")
    return found


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")


def fitting(value: object, kind: type[T], where: str) -> T:
    """What was read from a file, as a type of msgspec's: every field of its type and within its range.

    Raises:
        CUNetError: begins with ``where`` and names the field.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        field, what = misfit(error)
        raise CUNetError(f"{where}{', ' if field else ''}{field}: {what}: repair it.") from None


def require_plain(names: Iterable[str], where: str) -> None:
    """Refuse names with characters that nobody sees.

    Raises:
        CUNetError: begins with ``where``.
    """
    bad = next((name for name in names if _DECEIVING.search(name)), None)
    if bad is not None:
        raise CUNetError(f"{where}: {shown(bad)} has control characters in it: correct it.")


def misfit(error: msgspec.ValidationError) -> tuple[str, str]:
    """The field that an error of msgspec's is about, empty for the whole, and what is wrong with it."""
    what, _, place = str(error).partition(" - at ")
    missing = re.fullmatch(r"Object missing required field `(\w+)`", what)
    field = place.strip("`").removeprefix("$").removeprefix(".")
    if missing:
        return ".".join(part for part in (field, missing[1]) if part), "missing"
    return field, what[:1].lower() + what[1:]
