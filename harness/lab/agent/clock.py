"""A guest's clock that is off, and that ``date`` and ``time`` set: by libfaketime, where the lab has it.

Wine can set no clock, for it has none but the host's. libfaketime shows its programs another one, as far off as a file
says; a command that sets the clock changes that file.
"""

from __future__ import annotations

import os
import re
import time

_DATE = re.compile(r"\s*@?date\s+(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})\s*(<\s*nul\s*)?", re.IGNORECASE)
_TIME = re.compile(r"\s*@?time\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*(<\s*nul\s*)?", re.IGNORECASE)


class Clock:
    """How many seconds the guest's clock is ahead; ``file`` tells libfaketime."""

    def __init__(self, file: str) -> None:
        self._file = file

    @classmethod
    def of(cls, places: dict[str, str]) -> Clock | None:
        """Make the clock of a boot, None where it is the host's."""
        if not places.get("faketime"):
            return None
        clock = cls(f"{places['home']}/clock")
        clock.ahead = float(places["ahead"])
        return clock

    @property
    def ahead(self) -> float:
        """The seconds, as the last session left them."""
        with open(self._file, encoding="ascii") as file:
            return float(file.read())

    @ahead.setter
    def ahead(self, seconds: float) -> None:
        with open(f"{self._file}.new", "w", encoding="ascii") as file:
            file.write(f"{seconds:+.3f}\n")
        os.replace(f"{self._file}.new", self._file)

    def environment(self, library: str) -> dict[str, str]:
        """Say what programs are started with."""
        return {
            "LD_PRELOAD": library,
            "FAKETIME_TIMESTAMP_FILE": self._file,
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DISABLE_SHM": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def set_by(self, line: str) -> str:
        """Do what a command line sets of the clock; give back the line without it."""
        parts = line.split("&")
        for place, part in enumerate(parts):
            if (told := _DATE.fullmatch(part)) is not None:
                month, day, year = (int(told[group]) for group in (1, 2, 3))
                now = time.gmtime(time.time() + self.ahead)
                parts[place] = self._to((year, month, day, *now[3:6])) or part
            elif (told := _TIME.fullmatch(part)) is not None:
                now = time.gmtime(time.time() + self.ahead)
                hour, minute, second = int(told[1]), int(told[2]), int(told[3] or 0)
                parts[place] = self._to((*now[:3], hour, minute, second)) or part
        return "&".join(parts)

    def _to(self, wanted: tuple[int, ...]) -> str:
        import calendar  # rarely needed, and every boot would pay for it

        try:
            moment = calendar.timegm((*wanted, 0, 0, 0))
            time.gmtime(moment)
        except (ValueError, OverflowError):
            return ""
        self.ahead = moment - time.time()
        return " ver >nul "
