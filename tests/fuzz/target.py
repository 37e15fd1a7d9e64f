"""One format under attack: how damaged files of it are made, and what reads them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

MIB = 1 << 20


@dataclass(frozen=True)
class Target:
    """A format under attack.

    Attributes:
        name: of the format.
        share: files of it among 1,000 of all formats: fewer where one takes long.
        entry: name of what is read, inside the folder of the file; ``"."`` for the folder.
        write: puts a damaged file, or a data set with one, into an empty folder.
        read: the product's own reader. It returns where the file says something that can be true, and raises
            ``CUNetError`` where not; it checks by itself what it can of what was read.
        memory: bytes that reading may take beside what the reader took for sound files.
        seconds: that one file may take.
    """

    name: str
    share: int
    entry: str
    write: Callable[[Random, Path], None]
    read: Callable[[Path], object]
    memory: int = 512 * MIB
    seconds: float = 5.0
