"""How many guests may be booted ahead of their revert: each takes memory of the host until it is used."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

ROOM = 12


class Shelf:
    """What stands ready, the oldest first; when there is no room left, the oldest goes."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._standing: dict[Any, Callable[[], Awaitable[None]]] = {}

    def put(self, what: Any, clear: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]] | None:
        """Note one more; return how to clear away another one, if there is no room for both."""
        self._standing[what] = clear
        if len(self._standing) <= self._room:
            return None
        return self._standing.pop(next(iter(self._standing)))

    def take(self, what: Any) -> None:
        """Note that one is used or gone."""
        self._standing.pop(what, None)
