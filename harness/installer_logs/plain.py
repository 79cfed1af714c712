"""Reads a log of no known kind: only the lines in which it speaks of trouble."""

from __future__ import annotations

import re
from collections import deque

from harness.installer_logs.reading import LoggedError, LogReading, Thing
from harness.installer_logs.things import path_in

_TROUBLE = re.compile(r"\b(?:error|fatal|exception|denied|cannot|could not|failed|failure)\b", re.IGNORECASE)
_NOT_TROUBLE = re.compile(r"\b(?:0|no|without) (?:errors?|failures?)\b|\berrors?[:=] ?0\b", re.IGNORECASE)
_REFUSED = re.compile(r"access (?:is )?denied|0x80070005|permission denied", re.IGNORECASE)
_LAST = 20


class PlainLog:
    """Keeps the last lines that speak of trouble; whether the installer failed is not for such a log to say."""

    def __init__(self) -> None:
        self._errors: deque[LoggedError] = deque(maxlen=_LAST)

    def feed(self, line: str, number: int) -> None:
        """Take the next line."""
        if _TROUBLE.search(line) and not _NOT_TROUBLE.search(line):
            path = path_in(line)
            thing = Thing(kind="file", name=path) if path else None
            self._errors.append(LoggedError(words=line.strip()[:500], line=number, thing=thing))

    def reading(self) -> LogReading:
        """Give what was read so far."""
        last = self._errors[-1] if self._errors else None
        return LogReading(
            cause=last,
            at_fault=last.thing if last else None,
            refused=bool(last and _REFUSED.search(last.words)),
            errors=tuple(self._errors),
        )
