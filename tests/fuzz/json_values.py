"""Damage in JSON: a value somewhere replaced, left out, doubled, renamed or wrapped."""

import copy
from random import Random
from typing import Any

from tests.fuzz.changes import FLOATS, NUMBERS

VALUES = (
    None, True, False, "", "x", "\0", "\ud800", "é" * 100, "../../etc", [], {}, [[]], [None], {"": None}, *NUMBERS,
    -1, 10**9, 10**30, 2**63, *FLOATS,
)  # fmt: skip
DEEP = 3000  # levels, more than Python's stack takes


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in a value with each of its keys."""
    found, open_ = [], [value]
    while open_:
        each = open_.pop()
        keys = list(each) if isinstance(each, dict) else range(len(each)) if isinstance(each, list) else ()
        for key in keys:
            found.append((each, key))
            open_.append(each[key])
    return found


def value_changed(value: Any, rng: Random) -> Any:
    """A copy with one place changed."""
    value = copy.deepcopy(value)
    found = places(value)
    if not found or rng.random() < 0.01:
        return rng.choice(VALUES)
    holder, key = rng.choice(found)
    old, kind = holder[key], rng.randrange(10)
    if kind == 0:
        del holder[key]
    elif kind == 1:
        holder[key] = rng.choice(([old], {"a": old}, {"config": old}, [old] * 3))
    elif kind == 2 and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(old))
    elif kind == 2:
        holder[str(key) + "x"] = holder.pop(key)
    elif kind == 3:
        holder[key] = copy.deepcopy(rng.choice(found)[0])
    elif kind == 4 and isinstance(old, (int, float)) and not isinstance(old, bool):
        holder[key] = rng.choice((old + 1, old - 1, -old, old * 2, old / 2, old * 1000, str(old)))
    else:
        holder[key] = copy.deepcopy(rng.choice(VALUES))
    return value
