"""Where evidence goes in the tests here."""

from __future__ import annotations

from pathlib import Path


class Kept:
    """Keeps evidence in memory: texts as they are, files as bytes."""

    def __init__(self) -> None:
        self.things: dict[str, str | bytes] = {}
        self.notes: list[str] = []

    def keep(self, name: str, content: str | Path, *, kind: str = "text") -> object:
        """Keep a text, or a log as a file."""
        assert kind == ("text" if isinstance(content, str) else "log")
        self.things[name] = content if isinstance(content, str) else content.read_bytes()
        return None

    def note(self, words: str) -> None:
        """Keep a sentence."""
        self.notes.append(words)

    def finding(self, finding: object) -> None:
        """Refuse: what is told of an installation is no finding by itself."""
        raise AssertionError(finding)

    def ended(self, ending: object) -> None:
        """Refuse: how a command ended is told by who ran it."""
        raise AssertionError(ending)
