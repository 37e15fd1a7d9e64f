"""Damage to what JSON and YAML say: values of other types and sizes, fields left out, doubled or added."""

import copy
import json
from random import Random
from typing import Any

NAMES = ("../a.png", "/etc/passwd", "a/../../b.png", "a\0.png", "x" * 5000, "..", ".", "", "\u202ea.png", "a\nb.png",
         "\x1b[2J", "a.png", "con", "//", "a" * 300 + ".png", "~/.ssh/id", "C:\\a.png", "é" * 200)  # fmt: skip
DEEP = 3000  # levels, more than Python's stack takes
# Texts in place of a value, as no library would write them.
RAW = ("NaN", "-Infinity", "1e999", "-0", "1" * 400, "1" * 5000, '{"a": 1, "a": 2}', "[" * DEEP + "]" * DEEP,
       '"\\ud800"', '"\\u0000"', "1.5e-400", "tru", "'a'", '"\\x"', "0x10", "01")  # fmt: skip
MARK = "@raw@"


def other(rng: Random) -> Any:
    """Any value."""
    return rng.choice((
        None, True, False, 0, 1, -1, 2, 3, 1.5, -0.5, 1e6, -1e7, 1e308, 10**18, 10**30, 10**400, [], {}, [[]], [None],
        "", f"{MARK}{rng.randrange(len(RAW))}", [0, 1], [1.0, 2.0, 1], [[0, 1]], [1] * 100, {"a": 1},
        [[[[[1]]]]], "left_eye",
        rng.choice(NAMES), rng.uniform(-100, 100),
    ))  # fmt: skip


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every holder and key below a value."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [(value, key) for key in keys] + [place for key in keys for place in _places(value[key])]


def changed(value: Any, rng: Random) -> Any:
    """A copy with one to a few places changed."""
    whole = [copy.deepcopy(value)]
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        holder, key = rng.choice(_places(whole))
        kind = rng.randrange(6)
        if kind < 3:
            holder[key] = rng.choice(NAMES) if isinstance(holder[key], str) and rng.random() < 0.7 else other(rng)
        elif kind == 3 and len(holder):
            del holder[key]
        elif kind == 4 and isinstance(holder, list):
            holder[key:key] = [copy.deepcopy(holder[key])] * rng.choice((1, 1, 2, 50))
        elif isinstance(holder, dict):
            holder[rng.choice((*NAMES[4:9], "split", "id", "box", "flip_pairs"))] = other(rng)
        if not whole:
            return None
    return whole[0]


def json_text(value: Any, rng: Random) -> bytes:
    """As JSON, with the raw texts put in; now and then a key doubled, or in another encoding."""
    text = json.dumps(value)
    for index, raw in enumerate(RAW):
        text = text.replace(f'"{MARK}{index}"', raw)
    if rng.random() < 0.05 and '": ' in text:
        place = text.index('": ', rng.randrange(text.rindex('": ') + 1))
        start = text.rindex('"', 0, place)
        text = f'{text[:start]}{text[start:place]}": 1, {text[start:]}'
    return text.encode(rng.choice(("utf-8",) * 20 + ("utf-8-sig", "utf-16")))
