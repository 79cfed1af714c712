"""What Windows Installer's error numbers mean, in our own words after Microsoft's list of its messages."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from harness.installer_logs.reading import ThingKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a number means; ``at`` is the kind of thing that it is about, ``cause`` its class where that is certain."""

    number: int
    words: str
    at: ThingKind | None = None
    cause: str = ""

    @property
    def refused(self) -> bool:
        """Whether it is a missing right."""
        return self.cause == "permission"


def message(number: int) -> Message | None:
    """Look a number up: its own words, else those of the group of numbers that it is in, else None."""
    single, groups = _table()
    found = single.get(number)
    if found is not None:
        return found
    return next((Message(number=number, words=words) for low, high, words in groups if low <= number <= high), None)


@cache
def _table() -> tuple[Mapping[int, Message], tuple[tuple[int, int, str], ...]]:
    read = tomllib.loads(resources.files("harness.installer_logs").joinpath("messages.toml").read_text("utf-8"))
    groups = tuple((one["from"], one["to"], one["words"]) for one in read.pop("groups"))
    return {
        int(number): Message(number=int(number), words=entry["words"], at=entry.get("at"), cause=entry.get("cause", ""))
        for table in read.values()
        for number, entry in table.items()
    }, groups
