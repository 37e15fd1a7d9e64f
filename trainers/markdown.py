"""Tables and numbers in Markdown."""

from typing import Any


def markdown_table(lines: list[list[str]]) -> str:
    """The first line is the head."""
    head, *body = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([head, "| --- " * len(lines[0]) + "|", *body])


def number(value: Any, form: str = ".4g") -> str:
    """A float in ``form``, an integer with commas, a dash for nothing, other things as they are."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else format(value, form)
