"""The clock of a log: times of day without a date, in the forms that Windows writes, and the seconds between them."""

from __future__ import annotations

import re

DAY = 86_400.0

# 10:00:01, 9.07.54 (Italian, Finnish), 10h00:01, with the words for before and after noon on either side
TIME = (
    r"(?:[午前後上下오전후]{2} ?)?([0-9]{1,2})[:.h]([0-9]{2})[:.]([0-9]{2})"
    r"(?: ?([^\W\d_]\.? ?[^\W\d_]?\.?|[^\W\d_]{2,4}))?"
)

_STAMP = re.compile(r"\[([0-9]{2}):([0-9]{2}):([0-9]{2}):([0-9]{3})\]")


def seconds_of(hours: str, minutes: str, seconds: str, half: str | None = None) -> float:
    """Give a time of day as seconds since midnight; ``half`` is a word such as PM."""
    hour = int(hours)
    letter = (half or "").strip()[:1].lower()
    if letter in ("a", "p") and hour <= 12:
        hour = hour % 12 + (12 if letter == "p" else 0)
    return hour * 3600.0 + int(minutes) * 60.0 + int(seconds)


def stamp_of(text: str) -> float | None:
    """Read the stamp ``[10:00:01:123]`` in front of an engine's line, to the millisecond."""
    found = _STAMP.search(text)
    return None if found is None else seconds_of(found[1], found[2], found[3]) + int(found[4]) / 1000.0


def between(start: float, end: float) -> float:
    """Give the seconds from one time of day to a later one, over midnight; a clock that was set back counts nothing.

    Without a date these can only be told apart by length: nothing here takes half a day.
    """
    passed = end - start
    if passed < -DAY / 2:
        passed += DAY
    return passed if 0.0 <= passed <= DAY / 2 else 0.0
