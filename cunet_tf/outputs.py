"""Files that we write: marked as ours, and never in the place of somebody else's."""

import json
import math
import os
import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from cunet_tf.errors import CUNetError
from cunet_tf.writing import require_writable

KEY, OURS = "written_by", "cunet-tf"
MARK = f'"{KEY}": "{OURS}"'  # as it stands in JSON; pictures and pages carry it as a comment
SEARCHED = 4096  # bytes at either end of a file in which the mark is looked for
PNG_HEAD = 33  # bytes of a PNG's signature and first chunk


def marked(record: dict[str, Any]) -> dict[str, Any]:
    """A JSON object with our mark as its first key."""
    return {KEY: OURS, **record}


def json_text(record: dict[str, Any], indent: int | None = None) -> str:
    """A marked JSON object as text with a line end."""
    return json.dumps(finite(marked(record)), indent=indent, allow_nan=False) + "\n"


def finite(value: Any) -> Any:
    """The value with ``None`` in place of NaN and infinities, which JSON does not have."""
    if isinstance(value, dict):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def page_text(markdown: str) -> str:
    """A Markdown page with our mark, which no renderer shows, as its last line."""
    return f"{markdown.rstrip()}\n\n<!-- {MARK} -->\n"


def marked_picture(data: bytes) -> bytes:
    """The bytes of a PNG or JPEG file with our mark as a comment."""
    text = f"{{{MARK}}}".encode()
    if data[1:4] == b"PNG":
        body = b"tEXtComment\0" + text
        chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        return data[:PNG_HEAD] + chunk + data[PNG_HEAD:]
    return data[:2] + b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text + data[2:]


def movie_mark() -> bytes:
    """Our mark as a box that players skip, to be appended to an MP4 file."""
    text = f"{{{MARK}}}".encode()
    return struct.pack(">I", len(text) + 8) + b"free" + text


def is_ours(file: Path | str) -> bool:
    """Whether a file carries our mark."""
    if not os.path.isfile(file):  # a pipe would keep us waiting
        return False
    try:
        with open(file, "rb") as stream:
            ends = stream.read(SEARCHED)
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - SEARCHED))
            ends += stream.read()
    except OSError:
        return False
    return MARK.encode() in ends


def begins_with(*columns: str) -> Callable[[Path], bool]:
    """A test for :func:`claim`: a CSV file whose header begins with these columns, as ours does."""

    def test(file: Path) -> bool:
        try:
            with file.open(newline="") as stream:
                return stream.readline().rstrip("\r\n").split(",")[: len(columns)] == list(columns)
        except (OSError, UnicodeDecodeError):
            return False

    return test


def claim(files: Iterable[Path | str], flag: str, ours: Callable[[Path], bool] = is_ours) -> None:
    """Refuse, before any work, places that hold something that we did not write.

    A link counts as what it leads to; one that leads nowhere is not ours.

    Args:
        files: that will be written or replaced.
        flag: that named the place, for the message.
        ours: says whether an existing file may be replaced.

    Raises:
        CUNetError: a file of somebody else, a folder in the place of a file, a file in that of a folder, or a place
            that cannot be written.
    """
    for file in map(Path, files):
        require_folder(file.parent, flag)
        if file.is_dir():
            raise CUNetError(f"{file} is a folder, and a file of this name would be written: choose another {flag}.")
        if os.path.lexists(file) and not ours(file):
            raise CUNetError(f"{file} exists and was not written by cunet: move it, or choose another {flag}.")
        require_writable(file)


def require_folder(folder: Path | str, flag: str) -> None:
    """Refuse a folder that cannot be made because a file stands in its place.

    Raises:
        CUNetError: names that file.
    """
    folder = Path(folder)
    for place in (folder, *folder.parents):
        if os.path.lexists(place):
            if not place.is_dir():
                raise CUNetError(f"{place} is not a folder: {flag} needs one to write into, choose another.")
            return


def claim_pages(folder: Path | str, stems: Sequence[str], flag: str) -> None:
    """As :func:`claim`, for tables written as STEM.csv beside STEM.md: the page says whose both are.

    Raises:
        CUNetError: see :func:`claim`.
    """
    for stem in stems:
        page = Path(folder, f"{stem}.md")

        def says_whose(_: Path, page: Path = page) -> bool:
            return is_ours(page)

        claim([page], flag)
        claim([page.with_suffix(".csv")], flag, ours=says_whose)
