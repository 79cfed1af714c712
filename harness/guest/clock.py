"""A guest's clock against ours: seen in the Date of its answers, and set without asking what language it speaks.

HTTP.sys puts the guest's time into every WS-Man answer, in GMT and whole seconds, so that knowing it costs nothing. One
answer tells the difference to a second and its own way; several together tell it to less.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from harness.guest.outcome import Outcome
from harness.guest.registry import read_keys

TOLERANCE = 2.0
"""Seconds by which a clock may be wrong before it is set: what is seen of it is good to half a second or better."""

ATTEMPTS = 3
"""How often a clock is set: the first may take it into another half of the year, where the hour is another one."""

QUESTIONS: tuple[str, ...] = (
    r'reg query "HKCU\Control Panel\International" /v sShortDate',
    r"reg query HKLM\SYSTEM\CurrentControlSet\Control\TimeZoneInformation",
)


@dataclass(frozen=True, slots=True)
class Skew:
    """How far a guest's clock is ahead of ours (behind: negative), in seconds, and how far off that may be."""

    seconds: float
    within: float

    @property
    def least(self) -> float:
        """The smallest difference that fits what was seen, without its sign."""
        return max(0.0, abs(self.seconds) - self.within)

    def __str__(self) -> str:
        if abs(self.seconds) < self.within + 0.5:
            return "right to the second"
        return f"{words(abs(self.seconds))} {'ahead' if self.seconds > 0 else 'behind'}"


def words(seconds: float) -> str:
    """Say a span of time as people do."""
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 1.9 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} s"


class Sightings:
    """What the last answers of one guest said of its time."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque(maxlen=16)

    def note(self, date: str | None, *, sent: float, received: float) -> None:
        """Remember an answer's Date header; ``sent`` and ``received`` are seconds of our wall clock."""
        try:
            said = parsedate_to_datetime(date or "").timestamp()
        except ValueError:
            return
        if received < sent:  # our own clock was set back meanwhile: nothing can be compared with it
            self.forget()
            return
        self._seen.append((said - received, said + 1 - sent))

    def forget(self) -> None:
        """Forget what was seen: the clock was set, or the guest is another one."""
        self._seen.clear()

    @property
    def skew(self) -> Skew | None:
        """What the answers agree on, newest first: a clock that was changed on the way is what it says now."""
        if not self._seen:
            return None
        low, high = self._seen[-1]
        for lower, upper in reversed(self._seen):
            if max(low, lower) > min(high, upper):
                break
            low, high = max(low, lower), min(high, upper)
        return Skew((low + high) / 2, (high - low) / 2)


def setting(answers: Sequence[Outcome], moment: float) -> str:
    """Make the command line that sets a clock to ``moment`` (seconds since 1970), from the answers to QUESTIONS.

    cmd reads dates in the order that its account writes them in, and times as the guest's zone has them. It asks for
    another when it does not understand, hence the empty input.
    """
    international, zone = (_values(answer) for answer in answers)
    local = datetime.fromtimestamp(moment + 0.5, UTC) - timedelta(minutes=_signed(zone.get("activetimebias", "0x0")))
    parts = {"d": f"{local:%d}", "m": f"{local:%m}", "y": f"{local:%Y}"}
    order = dict.fromkeys(re.findall("[dmy]", international.get("sshortdate", "").lower()))
    date = "-".join(parts[part] for part in (order if len(order) == len(parts) else "mdy"))
    return f"date {date} <nul & time {local:%H:%M:%S} <nul"


def setting_by_powershell(moment: float) -> str:
    """Make the same for PowerShell, which understands moments and takes its time to start."""
    ticks = int(moment * 1000)
    script = f"Set-Date ([DateTimeOffset]::FromUnixTimeMilliseconds({ticks}).LocalDateTime)"
    return f'powershell -NoProfile -NonInteractive -Command "{script}"'


def _values(answer: Outcome) -> dict[str, str]:
    return {name: value.text for values in read_keys(answer.stdout).values() for name, value in values.items()}


def _signed(number: str) -> int:
    try:
        found = int(number, 16)
    except ValueError:
        return 0
    return found - 0x1_0000_0000 if found >= 0x8000_0000 else found
