"""The messages that docs/troubleshooting.md quotes are those that the source prints."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/troubleshooting.md").read_text()
FOREIGN = ("ImportError: libGL.so.1",)  # of the system
LONG = 3  # words of a quotation that is a message, and no option or file


def source() -> str:
    """All source with the literals of a message joined, and what is filled in replaced by three dots."""
    files = [file for part in ("cunet_tf", "trainers", "export") for file in sorted((ROOT / part).rglob("*.py"))]
    text = "\n".join(file.read_text() for file in files)
    joined = re.sub(r'"\s*(?:\n\s*)?f?"', "", text)
    return re.sub(r"\{[^{}]*\}", "...", joined) + (ROOT / "Makefile").read_text()


def quotations() -> list[str]:
    found = [" ".join(text.split()) for text in re.findall(r"`([^`]+)`", PAGE)]
    return [
        text for text in found if len(text.split()) > LONG and not text.startswith(("(255", "pip", "cunet ", *FOREIGN))
    ]


def test_there_are_many():
    assert len(quotations()) > 15


@pytest.mark.parametrize("message", quotations())
def test_the_message_is_printed_somewhere(message):
    parts = [part.strip() for part in message.split("...") if len(part.strip()) > 3]
    text = source()
    assert all(part in text for part in parts), [part for part in parts if part not in text]


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
