"""The documents that people read, and what stands in them to be typed or copied."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]

_FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def documents() -> list[str]:
    """Name the documents, from the repository's root."""
    return ["README.md", "CONTRIBUTING.md", *(f"docs/{file.name}" for file in sorted((ROOT / "docs").glob("*.md")))]


def text(document: str) -> str:
    """Read a document."""
    return (ROOT / document).read_text("utf-8")


def blocks(document: str, *languages: str) -> list[str]:
    """Find the code of a document, of these languages ("" is code without one)."""
    return [body for language, body in _FENCED.findall(text(document)) if language in languages]


def typed(document: str, program: str) -> Iterator[str]:
    """Find what a document has people type that begins with a program's name, examples of output left out."""
    for body in blocks(document, "sh", ""):
        for line in body.splitlines():
            words = line.removeprefix("$ ").strip()
            if words.startswith(f"{program} "):
                yield words


def prose(document: str) -> str:
    """Read a document without its code blocks."""
    return _FENCED.sub("", text(document))
