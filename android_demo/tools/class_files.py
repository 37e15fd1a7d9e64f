"""Looks into Java class files for calls that older Androids do not have."""

import struct
from collections.abc import Iterator
from pathlib import Path

# Java 9 made these return ByteBuffer; compiled so, they do not exist before Android 13.
CHANGED = {"clear", "flip", "limit", "mark", "position", "reset", "rewind"}
SIZES = {3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4, 18: 4, 19: 2, 20: 2}
WIDE, UTF8, METHODS = (5, 6), 1, (10, 11)


def check_buffers(folders: list[Path]) -> None:
    """No call of ``ByteBuffer.rewind`` and its like as Java 9 changed them."""
    for file in (file for folder in folders for file in folder.rglob("*.class")):
        for owner, name, kind in methods(file.read_bytes()):
            harmless = kind.endswith(("Ljava/nio/Buffer;", "()I"))  # position() and limit() as questions
            if owner.startswith("java/nio/") and name in CHANGED and not harmless:
                raise SystemExit(f"{file}: cast to java.nio.Buffer before {name}: Android 12 has no {name}{kind}.")


def methods(data: bytes) -> Iterator[tuple[str, str, str]]:
    """Class, name and descriptor of each method that a class file refers to."""
    count = struct.unpack_from(">H", data, 8)[0]
    pool: dict[int, tuple[int, bytes]] = {}
    at, index = 10, 1
    while index < count:
        tag = data[at]
        size = 2 + struct.unpack_from(">H", data, at + 1)[0] if tag == UTF8 else SIZES[tag]
        pool[index] = (tag, data[at + 1 : at + 1 + size])
        at, index = at + 1 + size, index + (2 if tag in WIDE else 1)

    def text(number: int) -> str:
        return pool[number][1][2:].decode()

    for tag, value in pool.values():
        if tag in METHODS:
            owner, signature = struct.unpack(">HH", value)
            name, kind = struct.unpack(">HH", pool[signature][1])
            yield text(struct.unpack(">H", pool[owner][1])[0]), text(name), text(kind)
